import { expect, test } from "vitest";
import { instant } from "../../../agent/domain/instant.ts";
import { steadyClock } from "../../../drivers/osdp/steady-clock.ts";

const sleep = (): Promise<void> => Promise.resolve();

test("it begins with the time of day, and goes on evenly when that is set", () => {
  let [time, counted] = [1_000_000, 5_000];
  const clock = steadyClock({ now: () => instant(time), sleep }, () => counted);
  expect(clock.now()).toBe(1_000_000);
  [time, counted] = [1_790_000_000_000, 5_020.5];
  expect(clock.now()).toBe(1_000_020.5);
  [time, counted] = [0, 6_000];
  expect(clock.now()).toBe(1_001_000);
});
