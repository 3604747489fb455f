import { type Branded, branded } from "./brand.ts";
import { type Instant, later, type Milliseconds, toIso } from "./instant.ts";

/**
 * How new a command is by its publisher's own count: a whole number, or an instant. Kept as text that sorts, within its
 * kind, as what it stands for: sixteen digits, or UTC to the nanosecond.
 */
export type AsOf = Branded<string, "AsOf">;

/** The newest command that a user identity and a device have seen (WIRE, "Stale commands"). */
export interface Mark {
  readonly highest: AsOf;
  /** A revoke was as new as that, or came later and did not say: only what is newer opens again. */
  readonly closed: boolean;
}

/** How a grant stands to what was seen. Numbers and instants say nothing of each other. */
export type Age = "newest" | "superseded" | "incomparable";

/** Undefined for what is no whole number from 0 to 2^53 - 1. */
export const asOfNumber = (value: number): AsOf | undefined =>
  Number.isSafeInteger(value) && value >= 0 ? branded(String(value).padStart(digitsOfNumber, "0")) : undefined;

/**
 * Undefined for what is finer than nanoseconds, or outside of the years 0 to 9999 in UTC.
 *
 * @param text ISO 8601 with an offset.
 */
export function asOfInstant(text: string): AsOf | undefined {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  const seconds = new Date(text.replace(/\.\d+/, "")).toISOString().slice(0, -".000Z".length);
  if (fraction.length > digitsOfSecond || seconds.length !== "2026-01-31T09:30:00".length) return undefined;
  return branded(`${seconds}.${fraction.padEnd(digitsOfSecond, "0")}Z`);
}

/** As a publisher may have written it. */
export const toWire = (asOf: AsOf): number | string => (isInstant(asOf) ? asOf.replace(/\.?0*Z$/, "Z") : Number(asOf));

export function ageOf(grant: AsOf, mark: Mark | undefined): Age {
  if (!mark) return "newest";
  if (isInstant(grant) !== isInstant(mark.highest)) return "incomparable";
  return grant > mark.highest || (grant === mark.highest && !mark.closed) ? "newest" : "superseded";
}

/**
 * The mark after a command was carried out: never lower than before. A revoke in the other kind begins anew, as it is
 * carried out whatever it says, and a publisher has to be able to change the kind.
 */
export function markAfter(
  command: "grant" | "revoke",
  asOf: AsOf | undefined,
  mark: Mark | undefined,
): Mark | undefined {
  const closes = command === "revoke";
  const isRaised = asOf !== undefined && (!mark || ageOf(asOf, { ...mark, closed: true }) !== "superseded");
  if (isRaised) return { highest: asOf, closed: closes };
  if (!mark || !closes || (asOf !== undefined && asOf !== mark.highest)) return mark;
  return { ...mark, closed: true };
}

/** Whether the instant is more than a day ahead of the clock. A clock that was plainly never set has no say. */
export const isFarAhead = (asOf: AsOf, now: Instant): boolean =>
  isInstant(asOf) && now >= neverSet && asOf > toIso(later(now, mostAhead));

const isInstant = (asOf: AsOf): boolean => asOf.includes("T");

const digitsOfNumber = 16;
const digitsOfSecond = 9;
const mostAhead: Milliseconds = 24 * 3600_000;
/** Before latchd was written. */
const neverSet = Date.UTC(2025, 0, 1);
