import { type Branded, branded } from "./brand.ts";
import type { Presenter } from "./door-decision.ts";
import type { DeviceId } from "./ids.ts";
import { earliest, type Instant, later, type Milliseconds } from "./instant.ts";

export type ActionAttemptId = Branded<string, "ActionAttemptId">;
export const actionAttemptId = (id: string): ActionAttemptId => branded<ActionAttemptId>(id);

/** What somebody wants of a bolt. */
export type BoltAct = "lock" | "unlock";

/** Somebody wants a door locked or unlocked, now. */
export interface ActionAttempt {
  readonly id: ActionAttemptId;
  readonly device: DeviceId;
  readonly act: BoltAct;
  readonly createdAt: Instant;
  /** Nothing is sent any more from then on (Law 10). */
  readonly deadline: Instant;
  /** Who stands at the door, where it is the doorman who wants it. */
  readonly presenter?: Presenter;
}

/** `interrupted`: latchd ended, and whether the command was sent is not known. */
export type AttemptFailure =
  | "device_offline"
  | "command_too_late"
  | "lock_refused"
  | "outcome_unknown"
  | "interrupted"
  | "not_supported";

/** What came of it. `confirmed`: the lock itself has said where its bolt is. */
export type AttemptEnd =
  | { readonly result: "done"; readonly confirmed: boolean }
  | { readonly result: "failed"; readonly reason: AttemptFailure; readonly detail: string | undefined };

export const failedFor = (reason: AttemptFailure, detail?: string): AttemptEnd => ({
  result: "failed",
  reason,
  detail,
});

/** Clocks of publishers may be that much ahead of ours. */
const aheadAtMost: Milliseconds = 5_000;

/**
 * Until when a command to a bolt may be sent: it is good for so long after it was said, however long it was under way
 * (WIRE, "Unlock"). Undefined: it comes too late, or from a clock that is far ahead.
 *
 * @param expiresAt may only shorten it.
 */
export function deadlineOf(
  said: { readonly issuedAt: Instant; readonly expiresAt: Instant | undefined },
  goodFor: Milliseconds,
  now: Instant,
): Instant | undefined {
  if (said.issuedAt > later(now, aheadAtMost)) return undefined;
  const issuedAt = earliest([said.issuedAt, now]) ?? now;
  const deadline = earliest([later(issuedAt, goodFor), said.expiresAt]);
  return deadline !== undefined && deadline > now ? deadline : undefined;
}
