import { expect, test } from "vitest";
import { monotonicBy } from "../agent/monotonic.ts";

/** A machine whose counters a test owns; it tells its own in hundredths of a second. */
function machine() {
  const state = { uptime: 50_000, counted: 700, wall: 1_790_000_000_000, reads: 0 };
  const monotonic = monotonicBy({
    machine: () => {
      state.reads += 1;
      return Math.floor(state.uptime / 10) * 10;
    },
    process: () => state.counted,
    wall: () => state.wall,
  });
  return {
    state,
    monotonic,
    pass: (ms: number): void => {
      state.uptime += ms;
      state.counted += ms;
      state.wall += ms;
    },
    sleep: (ms: number): void => {
      state.uptime += ms;
      state.wall += ms;
    },
  };
}

test("monotonicBy() counts as finely as the process does, and reads the machine's count once in a while", () => {
  const { state, monotonic, pass } = machine();
  const began = monotonic();
  for (let ms = 0.25; ms <= 5_000; ms += 0.25) {
    pass(0.25);
    const counted = monotonic();
    if (Math.abs(counted - began - ms) > 0.5 || !Number.isInteger(counted)) throw new Error(`${counted} after ${ms}`);
  }
  expect(state.reads).toBeLessThan(8);
});

test("monotonicBy() has counted on after the machine has slept, at the first look", () => {
  for (const asleep of [100, 5_000, 8 * 3600_000]) {
    const { monotonic, pass, sleep } = machine();
    pass(300);
    const before = monotonic();
    sleep(asleep);
    pass(7);
    expect(Math.abs(monotonic() - before - asleep - 7)).toBeLessThanOrEqual(10);
  }
});

test("monotonicBy() does not mind what the time of day is set to", () => {
  for (const by of [-7_200_000, -40, 40, 7_200_000]) {
    const { state, monotonic, pass } = machine();
    pass(300);
    const before = monotonic();
    state.wall += by;
    pass(5);
    expect(monotonic() - before).toBe(5);
    pass(2_000);
    expect(monotonic() - before).toBe(2_005);
  }
});
