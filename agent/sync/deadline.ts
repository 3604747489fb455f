import { type Clock, LinkError } from "../../drivers/driver.ts";
import type { Milliseconds } from "../domain/instant.ts";

/** What `act` gives within `ms`; its signal is aborted and a LinkError thrown when it takes longer. */
export async function within<T>(
  ms: Milliseconds,
  clock: Clock,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const deadline = clock.sleep(ms, both).then(() => {
    throw new LinkError(`no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([act(both), deadline]);
  } finally {
    // Ends the one that lost the race; what it has to say comes too late to matter.
    deadline.catch(() => {});
    over.abort();
  }
}
