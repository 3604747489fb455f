import { setMaxListeners } from "node:events";
import { LinkError } from "../driver.ts";

/** One for all: to make one each time costs more than the rest of an answer. */
const settled = new LinkError("nobody waits for it any more");

/**
 * What `work` gives. Its signal is aborted as soon as one of `signals` is, and when it is done, so that nothing of it is left.
 *
 * Not AbortSignal.any(): that is remembered by those of its sources that live on, as a link does over years of questions.
 */
export async function untilAny<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const until = new AbortController();
  const ends = signals.map((signal) => ({ signal, end: () => until.abort(signal.reason) }));
  // Of a link with a hundred locks as many are asked at once: Node calls more than ten a leak.
  setMaxListeners(0, ...signals);
  for (const { signal, end } of ends) {
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }
  try {
    return await work(until.signal);
  } finally {
    for (const { signal, end } of ends) signal.removeEventListener("abort", end);
    until.abort(settled);
  }
}
