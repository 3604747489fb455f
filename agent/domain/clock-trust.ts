import { type Instant, instant, later, type Milliseconds } from "./instant.ts";

/** What is seen of the clock at one moment. */
export interface Sight {
  /** The time, as the system says. */
  readonly wall: Instant;
  /** Counts evenly from anywhere, also while the machine sleeps, and nobody can set it. */
  readonly monotonic: Milliseconds;
  /** The system says that its time comes from somewhere. */
  readonly synchronised: boolean;
}

/** What the time cannot be before. */
export interface Known {
  /** When this version was made. */
  readonly built: Instant;
  /** The last event that was committed while the clock was trusted. */
  readonly mark: Instant | undefined;
}

export const doubts = ["before_build", "stepped", "before_record", "not_synchronised"] as const;
/** Why the clock is not trusted. */
export type Doubt = (typeof doubts)[number];
/** Who else says that the clock is right. */
export type Witness = "server" | "operator";

/** The clock was set, and nobody but itself has said yet that it is right. */
interface Step {
  /** How far it is from where it would be otherwise: ahead where positive. */
  readonly by: Milliseconds;
  /** What it said when it was seen first. */
  readonly to: Instant;
}

/** Whether the clock may be trusted, and what that follows from. */
export interface ClockTrust {
  /** Undefined while it is trusted. */
  readonly doubt: Doubt | undefined;
  /** Since when it is trusted, or is not: where it was set, by the time that it would be otherwise. */
  readonly since: Instant;
  readonly step: Step | undefined;
  /** Who has said that it is right since it was set last. */
  readonly witness: Witness | undefined;
  readonly last: Moment;
  /** The last look at which it was trusted, since the process started. */
  readonly good: Moment | undefined;
  /** Since when the time has moved as it should, by the monotonic count. */
  readonly steadySince: Milliseconds;
}
type Moment = Pick<Sight, "wall" | "monotonic">;

/** What outlives the process. */
export type KeptTrust = Pick<ClockTrust, "doubt" | "since" | "step">;

/** So far apart may two clocks be that agree: between two looks, and between us and another. */
export const tolerance: Milliseconds = 60_000;
const steadyFor: Milliseconds = 10 * 60_000;
const smallStep: Milliseconds = 3600_000;

/** Before the first look of a process, which {@link looked} is to be called with next. */
export const beforeLooking = (sight: Sight, kept: KeptTrust | undefined): ClockTrust => ({
  doubt: kept?.doubt,
  since: kept?.since ?? sight.wall,
  step: kept?.step,
  witness: undefined,
  last: sight,
  good: undefined,
  steadySince: sight.monotonic,
});

/** After one more look at the clock. */
export function looked(before: ClockTrust, sight: Sight, known: Known): ClockTrust {
  const moved = drift(before.last, sight);
  const hasJumped = Math.abs(moved) > tolerance;
  const steadySince = hasJumped ? sight.monotonic : before.steadySince;
  const found = stepSeen(before, sight, known, hasJumped ? moved : 0);
  const isLivedDown =
    found !== undefined &&
    Math.abs(found.by) < smallStep &&
    sight.monotonic - steadySince >= steadyFor &&
    sight.synchronised;
  const step = isLivedDown ? undefined : found;
  // Whoever said that the clock was right said it of the time before.
  const witness = isLivedDown ? undefined : before.witness;
  const doubt = doubtOf({ step, witness }, sight, known);
  const isSame = (doubt === undefined) === (before.doubt === undefined);
  return {
    doubt,
    since: isSame ? before.since : doubt === undefined ? sight.wall : expected(before.good, sight),
    step,
    witness,
    last: moment(sight),
    good: doubt === undefined ? moment(sight) : before.good,
    steadySince,
  };
}

/**
 * After somebody else said that the clock is right. Whatever was recorded after this time was recorded by a wrong clock:
 * the caller forgets the mark. Undefined where nobody can be right who says so, as it is before the build.
 */
export function confirmed(before: ClockTrust, sight: Sight, witness: Witness, built: Instant): ClockTrust | undefined {
  if (sight.wall < built) return undefined;
  return {
    doubt: undefined,
    since: before.doubt === undefined ? before.since : sight.wall,
    step: undefined,
    witness,
    last: moment(sight),
    good: moment(sight),
    steadySince: before.steadySince,
  };
}

/** Whether it was set since it was looked at last: before the next look has said so. */
export const wasSet = ({ last }: ClockTrust, sight: Sight): boolean => Math.abs(drift(last, sight)) > tolerance;

/**
 * The time, as far as it is known where the clock is not trusted: counted on from when it was. Where it was not yet, as the
 * process began just now, it is at least not before what is known.
 *
 * @param began when the process began.
 */
export function supposed({ good }: ClockTrust, sight: Sight, { built, mark }: Known, began: Sight): Instant {
  if (good) return expected(good, sight);
  const ran = sight.monotonic - began.monotonic;
  return instant(Math.max(sight.wall, later(built, ran), later(mark ?? built, ran)));
}

/** How much further the time has moved than it should have. */
const drift = (from: Moment, to: Moment): Milliseconds => to.wall - from.wall - (to.monotonic - from.monotonic);
const moment = ({ wall, monotonic }: Moment): Moment => ({ wall, monotonic });
const expected = (good: Moment | undefined, sight: Sight): Instant =>
  good ? later(good.wall, sight.monotonic - good.monotonic) : sight.wall;

/** The step that the clock is off by, if any. Back where it would be otherwise, it has none. */
function stepSeen({ step, good }: ClockTrust, sight: Sight, known: Known, jump: Milliseconds): ClockTrust["step"] {
  // Until it was trusted once in this process, setting it is how it comes to be right.
  if (!good && (!step || isUndone(step, sight, known))) return undefined;
  const by = good ? drift(good, sight) : (step?.by ?? 0) + jump;
  if (Math.abs(by) <= tolerance) return undefined;
  return { by, to: step && jump === 0 ? step.to : sight.wall };
}

/**
 * Whether a clock that was ahead when the process ended was put right while nobody counted: by itself it could not say less
 * than it did. Of one that was behind, nobody can tell.
 */
const isUndone = ({ by, to }: Step, { wall }: Sight, { mark }: Known): boolean =>
  by > 0 && wall < to - tolerance && !isBefore(wall, mark);

/** A small step back is none. */
const isBefore = (wall: Instant, mark: Instant | undefined): boolean =>
  mark !== undefined && wall < instant(mark - tolerance);

function doubtOf(
  { step, witness }: Pick<ClockTrust, "step" | "witness">,
  { wall, synchronised }: Sight,
  { built, mark }: Known,
): Doubt | undefined {
  if (wall < built) return "before_build";
  if (step) return "stepped";
  if (isBefore(wall, mark)) return "before_record";
  return synchronised || witness ? undefined : "not_synchronised";
}
