import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { Clock } from "../driver.ts";

export type Place = "locked" | "unlocked";

export interface Settling {
  readonly clock: Pick<Clock, "now" | "sleep">;
  /** Bolts travel for 1 to 5 seconds. */
  readonly patience: Milliseconds;
  /** Asks the lock where its bolt is: undefined for silence. `between`: neither here nor there. */
  readonly tell: () => Promise<Place | "between" | undefined>;
}

/** How often a bolt that travels is asked for: the radio has others to serve, and the lock a battery. */
const pause: Milliseconds = 750;

/**
 * Whether a bolt that was told to move has come to where it is to be: asks until it says so, patience is at its end or the
 * signal is aborted, which is no error once a command was sent. Undefined: it has not said where it is.
 */
export async function settledBolt(
  to: Place,
  { clock, patience, tell }: Settling,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const began = clock.now();
  let last: Place | "between" | undefined;
  for (let waited = 0; !signal.aborted; waited += pause) {
    // What becomes of a question that is under way when time is up changes nothing.
    last = (await tell().catch((error: unknown) => unlessOver(error, signal))) ?? last;
    if (last === to || waited >= patience || clock.now() - began >= patience) break;
    await clock.sleep(pause, signal).catch((error: unknown) => unlessOver(error, signal));
  }
  return last && last === to;
}

function unlessOver(error: unknown, signal: AbortSignal): undefined {
  if (!signal.aborted) throw error;
}
