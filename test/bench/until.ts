import { setTimeout as pause } from "node:timers/promises";

/** Resolves when it is so. Rejects where that takes longer than `within` milliseconds. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  within = 60_000,
  every = 5,
): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${within} ms`);
    await pause(every);
  }
}
