import type { Clock } from "../drivers/driver.ts";
import { earliest, type Milliseconds } from "./domain/instant.ts";
import type { Store } from "./store/store.ts";

/** What has come since the last look is not missed for longer. */
const atLeastEvery: Milliseconds = 60_000;

/**
 * Looks after what is to be taken away, and what is to be set, for as long as the agent runs: at the moment at which the
 * oldest of it is overdue.
 *
 * @param after how long it may take.
 * @returns what ends it.
 */
export function watchDebt(
  { debt, codeDelays }: Pick<Store, "debt" | "codeDelays">,
  after: Milliseconds,
  { clock, committed, failed }: { clock: Clock; committed: () => void; failed: (error: unknown) => void },
): () => void {
  const end = new AbortController();
  const watch = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const next = earliest([debt.look(after, clock.now()), codeDelays.look(clock.now())]);
      committed();
      const pause = next === undefined ? atLeastEvery : Math.max(next - clock.now(), 0);
      await clock.sleep(Math.min(pause, atLeastEvery), end.signal).catch(() => undefined);
    }
  };
  watch().catch(failed);
  return () => end.abort();
}
