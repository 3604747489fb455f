import { expect, test } from "vitest";
import { Presence } from "../../agent/mqtt/presence.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

function presence() {
  const clock = new VirtualClock();
  const written: number[] = [];
  const chronicle = { connected: () => {}, heard: (at: number) => void written.push(at), idInUse: () => {} };
  return { clock, written, presence: new Presence(chronicle, clock) };
}

test("Presence knows the last connection to within a minute, and writes no more often than every 45 seconds", async () => {
  const { clock, written, presence: at } = presence();
  at.connected(false);
  let last: number = clock.now();
  for (let second = 0; second < 600; second += 1) {
    await clock.run(1_000);
    // Busy for a while, then only the answers to our pings.
    if (second < 300 || second % 30 === 0) at.heard();
    last = written.at(-1) ?? last;
    expect(clock.now() - last).toBeLessThanOrEqual(60_000);
  }
  expect(written.length).toBeLessThanOrEqual(600 / 45);
});

test("Presence writes the last that was heard when the connection is lost, not the time of its loss", async () => {
  const { clock, written, presence: at } = presence();
  at.connected(false);
  await clock.run(10_000);
  at.heard();
  const heard = clock.now();
  await clock.run(40_000);
  at.lost();
  expect(written).toEqual([heard]);
  at.heard();
  await clock.run(100_000);
  at.heard();
  expect(written).toEqual([heard]);
});

test("Presence writes nothing at the end of a connection on which nothing was heard", async () => {
  const { clock, written, presence: at } = presence();
  at.connected(true);
  await clock.run(5_000);
  at.lost();
  expect(written).toEqual([]);
});
