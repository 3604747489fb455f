import { uptime } from "node:os";
import type { Milliseconds } from "./domain/instant.ts";

/** What the time is counted by, each in milliseconds. */
interface Counters {
  /** Counts on while the machine sleeps. The system tells it in hundredths of a second, from a file that is read each time. */
  readonly machine: () => Milliseconds;
  /** Fine and quick, and stands still while the machine sleeps. */
  readonly process: () => Milliseconds;
  /** The time of day, which can be set. */
  readonly wall: () => Milliseconds;
}

const counters: Counters = {
  machine: () => uptime() * 1_000,
  process: () => performance.now(),
  wall: () => Date.now(),
};

/** How long the process's count is trusted by itself. */
const every: Milliseconds = 1_000;
/** So far apart two of them are that agree. */
const tolerance: Milliseconds = 30;

/**
 * Counts evenly, also while the machine sleeps, whatever the clock is set to: as fine as the process counts, and as long as the
 * machine does. Where the time of day moves otherwise than the process counts, one of them has stood still or was set, and the
 * machine is asked. In whole milliseconds.
 */
export function monotonicBy({ machine, process, wall }: Counters = counters): () => Milliseconds {
  let [told, counted, day] = [machine(), process(), wall()];
  return () => {
    const [passed, gone] = [process() - counted, wall() - day];
    if (passed < every && Math.abs(gone - passed) < tolerance) return Math.round(told + passed);
    const now = machine();
    [told, counted, day] = [Math.abs(now - told - passed) < tolerance ? told + passed : now, process(), wall()];
    return Math.round(told);
  };
}
