import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { type Instant, later } from "../../agent/domain/instant.ts";
import { Alarm } from "../../agent/sync/alarm.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const door = deviceId("door");

/** An alarm, and the moments at which something is to change. */
function bench() {
  const clock = new VirtualClock();
  const began = clock.now();
  const changes: Instant[] = [];
  const rang: number[] = [];
  let looks = 0;
  const alarm = new Alarm({
    clock,
    turn() {
      looks += 1;
      const due = changes[0] !== undefined && changes[0] <= clock.now();
      if (due) changes.shift();
      return { due: new Set(due ? [door] : []), next: changes[0] };
    },
    due: () => void rang.push((clock.now() - began) / 1000),
    failed(error) {
      throw error;
    },
  });
  const at = (seconds: number): Instant => later(began, seconds * 1000);
  return { clock, alarm, changes, rang, at, looks: () => looks };
}

test("it rings at the moment of the next change, and looks seldom in between", async () => {
  const { clock, alarm, changes, rang, at, looks } = bench();
  changes.push(at(95), at(95), at(200));
  alarm.start();
  await clock.run(300_000);
  expect(rang.map(Math.floor)).toEqual([95, 95, 200]);
  expect(looks()).toBeLessThan(20);
  await alarm.close();
});

test("what came since is found when it is nudged, and after it is closed it rings no more", async () => {
  const { clock, alarm, changes, rang, at } = bench();
  changes.push(at(300));
  alarm.start();
  await clock.run(5_000);
  changes.unshift(at(12));
  alarm.nudge();
  await clock.run(10_000);
  expect(rang).toEqual([12]);
  await alarm.close();
  await clock.run(600_000);
  expect(rang).toEqual([12]);
});
