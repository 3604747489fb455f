import { type Clock, LinkError } from "../../drivers/driver.ts";
import type { Milliseconds } from "../domain/instant.ts";

/** Nobody waits any more. One for all: each would say the same, and where it comes from matters to nobody. */
const over = new LinkError("nobody waits for it any more");

/** What `act` gives within `ms`; its signal is aborted and a LinkError thrown when it takes longer. */
export async function within<T>(
  ms: Milliseconds,
  clock: Clock,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // Not AbortSignal.any(): this is done for every word to a lock, and that costs more than all the rest of a step.
  const wait = new AbortController();
  const end = (): void => wait.abort(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  const deadline = clock.sleep(ms, wait.signal).then(() => {
    throw new LinkError(`no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([act(wait.signal), deadline]);
  } finally {
    signal.removeEventListener("abort", end);
    // Ends the one that lost the race; what it has to say comes too late to matter.
    deadline.catch(() => {});
    wait.abort(over);
  }
}
