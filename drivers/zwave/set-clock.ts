import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { TimeZone } from "../../agent/domain/time-zone.ts";
import { type Ask, answered } from "./conversation.ts";
import type { LockTime } from "./lock-time.ts";

/** A lock's clock, as a node lets us at it. All times are those on the wall of its door, as if they were UTC. */
export interface ClockVerbs {
  readonly knows: "date" | "week";
  /** How far off a clock that is right may seem, for what it does not say and for the way to it. */
  readonly tolerance: Milliseconds;
  /** By how much it is off: undefined where it does not answer. */
  readonly off: (wall: Milliseconds) => Promise<Milliseconds | undefined>;
  readonly set: (wall: Milliseconds) => Promise<unknown>;
  /** What it adds to its time before it compares that with a window, in minutes. It is to add nothing. */
  readonly offset?: {
    readonly get: () => Promise<{ readonly standardOffset: number; readonly dstOffset: number } | undefined>;
    readonly clear: () => Promise<unknown>;
  };
}

/**
 * Sets a lock's clock to the time on the wall of its door, where it is off. Not every lock knows of summer time, and of
 * those that do one cannot see what they make of it: so all get the time as it is now, and again when the clocks change.
 *
 * @returns false where it will not be set.
 * @throws LinkError where the lock does not answer. Nothing that is about a code was sent.
 */
export async function setClock(
  who: string,
  { off, set, offset, tolerance }: ClockVerbs,
  time: LockTime,
  zone: TimeZone,
  ask: Ask,
): Promise<boolean> {
  const addsNothing = async (): Promise<boolean> => {
    if (!offset) return true;
    const { standardOffset, dstOffset } = await answered(who, ask(offset.get));
    return standardOffset === 0 && dstOffset === 0;
  };
  const isRight = async (): Promise<boolean> =>
    Math.abs(
      await answered(
        who,
        ask(() => off(time.wall(zone))),
      ),
    ) <= tolerance;
  const sent = (command: () => Promise<unknown>): Promise<true> =>
    answered(
      who,
      ask(command).then(() => true),
    );
  time.try();
  if (!(await addsNothing())) {
    await sent(async () => offset?.clear());
    if (!(await addsNothing())) return false;
  }
  if (!(await isRight())) {
    await sent(() => set(time.wall(zone)));
    if (!(await isRight())) return false;
  }
  time.check();
  return true;
}
