import { expect, test } from "vitest";
import { instant } from "../agent/domain/instant.ts";
import { Pulse } from "../agent/pulse.ts";
import { StallingClock } from "./support/stalling-clock.ts";

test("what is asked while all runs was said now", async () => {
  const clock = new StallingClock();
  const pulse = new Pulse(clock);
  pulse.start();
  for (let times = 0; times < 10; times += 1) {
    await clock.run(700);
    expect(pulse.saidAt()).toBe(clock.now());
  }
  pulse.close();
});

test("what is asked right after a standstill may have been said before it, and what comes later was not", async () => {
  const clock = new StallingClock();
  const pulse = new Pulse(clock);
  pulse.start();
  await clock.run(1_000);
  const before = clock.now();
  clock.stall(14_000);
  // Read from the network before any timer has run, and after.
  expect(pulse.saidAt()).toBe(before);
  await clock.run(1_000);
  expect(pulse.saidAt()).toBe(before);
  await clock.run(3_000);
  expect(pulse.saidAt()).toBe(clock.now());
  pulse.close();
});

test("a clock that is set back is no standstill", async () => {
  const clock = new StallingClock();
  const pulse = new Pulse(clock);
  pulse.start();
  await clock.run(1_000);
  clock.stall(-3600_000);
  expect(pulse.saidAt()).toBe(clock.now());
  expect(pulse.saidAt()).toBeLessThan(instant(1_750_000_000_000));
  pulse.close();
});
