import { spawn } from "node:child_process";
import { once } from "node:events";

/** What an idle machine of today needs for a process that does nothing, with room to spare; in ms. */
const usual = 100;

/**
 * How long something may take here that is to take so many ms at most on an idle machine: where other work makes all
 * processes wait, as much longer as it makes one that does nothing. Never less than it was asked for.
 */
export async function allowance(ms: number): Promise<number> {
  const before = performance.now();
  await once(spawn(process.execPath, ["-e", ""], { stdio: "ignore" }), "close");
  return ms * Math.max(1, (performance.now() - before) / usual);
}
