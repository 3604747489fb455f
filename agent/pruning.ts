import type { Store } from "./store/store.ts";

const pruneEveryMs = 300_000;
const pruneOnAfterMs = 20;

/** Removes what is past its time, a little at a time. Returns what ends it. */
export function keepPruned(store: Pick<Store, "prune">, fail: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const prune = (): void => {
    try {
      timer = setTimeout(prune, store.prune() ? pruneOnAfterMs : pruneEveryMs);
    } catch (error) {
      fail(error);
    }
  };
  prune();
  return () => clearTimeout(timer);
}
