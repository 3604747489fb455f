import type { LyingLock } from "../../simulator/lying-lock.ts";
import { type ActOutcome, type Bolt, LinkError } from "../driver.ts";
import { boltVerdict, type IsOver, unlessTooLate } from "../shared/bolt-verdict.ts";
import type { Wire } from "./wire.ts";

type Place = "locked" | "unlocked";

/**
 * The bolt of a simulated lock, as a driver has it.
 *
 * @param moved it was moved: to be told.
 */
export function boltOf(lock: LyingLock, wire: Wire, moved: (to: Place) => void): Bolt {
  const move = async (to: Place, signal: AbortSignal, isOver: IsOver): Promise<ActOutcome> => {
    unlessTooLate(signal, isOver);
    const said = await orUndefined(
      wire.ask("bolt", signal, (fate) => {
        const was = lock.isLocked;
        const reply = lock.move(to, fate);
        if (lock.isLocked !== was) moved(to);
        return reply;
      }),
    );
    const place = await orUndefined(wire.ask("read", signal, (fate) => lock.tellBolt(fate)));
    return boltVerdict(said === "no" ? { no: undefined } : said, place === undefined ? undefined : place === to);
  };
  return {
    unlock: (signal, isOver) => move("unlocked", signal, isOver),
    lock: (signal, isOver) => move("locked", signal, isOver),
  };
}

/** After a command was sent, silence is an answer, too; being told to give up is one once it was. */
async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof LinkError) return undefined;
    throw error;
  }
}
