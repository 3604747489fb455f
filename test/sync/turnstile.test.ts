import { expect, test } from "vitest";
import { Turnstile } from "../../agent/sync/turnstile.ts";
import { rest, VirtualClock } from "../support/virtual-clock.ts";

function site(): { clock: VirtualClock; turnstile: Turnstile; passed: number[]; queue: (count: number) => void } {
  const clock = new VirtualClock();
  const turnstile = new Turnstile(clock, () => clock.now());
  const passed: number[] = [];
  const queue = (count: number): void => {
    for (let number = 1; number <= count; number += 1) void turnstile.pass(() => false).then(() => passed.push(number));
  };
  return { clock, turnstile, passed, queue };
}

test("lets one through in each turn of the event loop, in the order in which they came", async () => {
  const { passed, queue } = site();
  queue(3);
  const seen: number[] = [];
  while (passed.length < 3) {
    await rest();
    seen.push(passed.length);
  }
  expect(passed).toEqual([1, 2, 3]);
  expect(seen.map((count, at) => count - (seen[at - 1] ?? 0)).every((more) => more <= 1)).toBe(true);
});

test("lets nobody through for a while after many commands, and then all", async () => {
  const { clock, turnstile, passed, queue } = site();
  queue(1);
  while (passed.length < 1) await rest();
  turnstile.hold();
  queue(1);
  await clock.run(49);
  await rest();
  expect(passed).toHaveLength(1);
  await clock.run(1);
  await rest();
  expect(passed).toHaveLength(2);
});

test("lets somebody through ten times a second while commands keep coming", async () => {
  const { clock, turnstile, passed, queue } = site();
  queue(100);
  for (let time = 0; time < 1_000; time += 10) {
    turnstile.hold();
    await clock.run(10);
    await rest();
  }
  expect(passed.length).toBeGreaterThanOrEqual(9);
  expect(passed.length).toBeLessThanOrEqual(11);
});

test("lets what is urgent through before all others, whatever has just arrived, also where it has become so", async () => {
  const { clock, turnstile, passed, queue } = site();
  queue(1);
  await rest();
  turnstile.hold();
  queue(5);
  let isUrgent = false;
  const waits = turnstile.pass(() => isUrgent);
  await clock.run(20);
  await rest();
  expect(passed).toEqual([1]);
  isUrgent = true;
  await clock.run(10);
  await waits;
  expect(passed).toEqual([1]);
});
