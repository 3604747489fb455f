import { type Branded, branded } from "./brand.ts";

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = Branded<number, "Instant">;
export type Milliseconds = number;

export const instant = (epochMs: number): Instant => branded<Instant>(epochMs);
export const later = (from: Instant, ms: Milliseconds): Instant => instant(from + ms);
/** ISO-8601 in UTC with milliseconds, the form of every timestamp on the wire. */
export const toIso = (at: Instant): string => new Date(at).toISOString();

export const earliest = (instants: Iterable<Instant | undefined>): Instant | undefined => {
  let first: Instant | undefined;
  for (const at of instants) if (at !== undefined && (first === undefined || at < first)) first = at;
  return first;
};
