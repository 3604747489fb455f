import type { AccessGrantId } from "./ids.ts";
import type { Instant } from "./instant.ts";
import { isOpen, nextChange, type Window } from "./schedule.ts";
import type { TimeZone } from "./time-zone.ts";

/** A grant of a person on a device, as it stood at some time. */
export interface KnownGrant {
  /** Undefined for the direct grant. */
  readonly accessGrantId: AccessGrantId | undefined;
  readonly name: string | undefined;
  /** Undefined: always. */
  readonly window: Window | undefined;
}

/** Whether a person may open a device at a time, by which grant, and until when that is so. */
export interface Access {
  readonly decision: "admit" | "deny";
  readonly reason: "always" | "in_window" | "not_begun" | "outside_schedule" | "ended" | "no_grant";
  /** What admits; where nothing does, what comes nearest to it. */
  readonly grant: KnownGrant | undefined;
  /** When a window opens or closes next; undefined where the decision stands for good. */
  readonly until: Instant | undefined;
}

/** The decision at one moment; a grant without a window comes first, then the one that admits for longest. */
export function accessOf(grants: readonly KnownGrant[], zone: TimeZone, at: Instant): Access {
  const always = grants.find(({ window }) => window === undefined);
  if (always) return { decision: "admit", reason: "always", grant: always, until: undefined };
  const looked = grants.flatMap((grant) => (grant.window ? [look({ ...grant, window: grant.window }, zone, at)] : []));
  const admitting = looked.filter(({ decision }) => decision === "admit");
  const [best] = (admitting.length > 0 ? admitting : looked).toSorted(
    admitting.length > 0 ? (a, b) => end(b) - end(a) : (a, b) => end(a) - end(b),
  );
  return best ?? { decision: "deny", reason: "no_grant", grant: undefined, until: undefined };
}

/**
 * The decision while the time is not known: as it was when it last was (Law 12).
 *
 * @param grants with whether each was open then.
 */
export function accessAsItWas(grants: readonly (KnownGrant & { readonly wasOpen: boolean })[]): Access {
  const always = grants.find(({ window }) => window === undefined);
  if (always) return { decision: "admit", reason: "always", grant: always, until: undefined };
  const open = grants.find(({ wasOpen }) => wasOpen);
  if (open) return { decision: "admit", reason: "in_window", grant: open, until: undefined };
  const [first] = grants;
  return { decision: "deny", reason: first ? "outside_schedule" : "no_grant", grant: first, until: undefined };
}

const end = ({ until }: Access): number => until ?? Number.POSITIVE_INFINITY;

function look(grant: KnownGrant & { readonly window: Window }, zone: TimeZone, at: Instant): Access {
  const { window } = grant;
  const until = nextChange(window, zone, at);
  if (isOpen(window, zone, at)) return { decision: "admit", reason: "in_window", grant, until };
  if (window.endsAt !== undefined && window.endsAt <= at) return { decision: "deny", reason: "ended", grant, until };
  const hasBegun = window.startsAt === undefined || window.startsAt <= at;
  return { decision: "deny", reason: hasBegun ? "outside_schedule" : "not_begun", grant, until };
}
