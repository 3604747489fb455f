import { type ActOutcome, type Bolt, type Clock, LinkError } from "../driver.ts";
import { boltVerdict, type IsOver, unlessTooLate } from "../shared/bolt-verdict.ts";
import { type Place, settledBolt } from "../shared/settled-bolt.ts";
import { untilAny } from "../shared/until-any.ts";

/** A bolt that can be told to move. */
export interface Approach {
  /** Where the lock says that it is: undefined for silence. */
  readonly ask: () => Promise<Place | "between" | undefined>;
  /** Says nothing of what becomes of it. */
  readonly send: (to: Place) => Promise<void>;
}

export interface BoltParts {
  readonly name: string;
  readonly clock: Clock;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  /** Rejects with LinkError where there is no way to the bolt now. */
  approach(signal: AbortSignal): Promise<Approach>;
}

const patience = 7_000;

/**
 * A bolt through zigbee2mqtt, which tells neither that a lock has taken a command nor that it has refused: only what the
 * lock says of its bolt afterwards counts.
 *
 * It is asked first. What zigbee2mqtt sends to a lock that is out of reach it repeats for some time, and nobody can take
 * that back: a lock that has just answered gets the command at once (Law 10). It does not wait for the turn of what is
 * done to the memory.
 */
export function boltOf(parts: BoltParts): Bolt {
  const { name, clock, closing } = parts;
  const approach = async (signal: AbortSignal): Promise<Approach> => {
    try {
      const found = await parts.approach(signal);
      if ((await found.ask()) !== undefined) return found;
    } catch (error) {
      if (error instanceof LinkError) throw new LinkError(error.message, { sent: false, hint: error.hint ?? unheard });
      unlessTooLate(signal);
      throw error;
    }
    throw new LinkError(`${name} does not answer`, { sent: false, hint: unheard });
  };
  const move = async (to: Place, given: AbortSignal, isOver: IsOver): Promise<ActOutcome> => {
    unlessTooLate(given, isOver);
    return untilAny([given, closing], async (signal) => {
      const { ask, send } = await approach(signal);
      unlessTooLate(signal, isOver);
      await send(to);
      return boltVerdict(undefined, await settledBolt(to, { clock, patience, tell: ask }, signal));
    });
  };
  return {
    unlock: (signal, isOver) => move("unlocked", signal, isOver),
    lock: (signal, isOver) => move("locked", signal, isOver),
  };
}

const unheard = "check the lock's batteries and its distance to a router";
