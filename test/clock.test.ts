import { expect, test } from "vitest";
import { systemClock } from "../agent/clock.ts";

test("systemClock.sleep() rejects with the signal's own reason", async () => {
  const reason = new Error("enough");
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});

test("systemClock.sleep() does not wake at once from what no timer can count", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(2 ** 40, controller.signal);
  const first = await Promise.race([sleeping, new Promise((done) => setImmediate(() => done("asleep")))]);
  expect(first).toBe("asleep");
  controller.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
});
