import { z } from "zod";
import { type Access, accessOf, type KnownGrant } from "../domain/access.ts";
import type { UserIdentityId } from "../domain/ids.ts";
import { type Instant, later, type Milliseconds, toIso } from "../domain/instant.ts";
import type { TimeZone } from "../domain/time-zone.ts";
import { windowWords } from "../domain/window-words.ts";
import { receiptOf } from "./access.ts";
import { type Body, command } from "./command.ts";
import { device, moment, userIdentity } from "./parameters.ts";
import type { DeviceRecord, Records } from "./records.ts";
import { deviceNotFound } from "./refusal.ts";
import { scheduleToWire } from "./schedule.ts";
import { explanationShape } from "./shapes/explanation.ts";

const before: Milliseconds = 3600_000;
const after: Milliseconds = 600_000;
const mostEntries = 50;

interface Question {
  readonly identity: UserIdentityId;
  readonly door: DeviceRecord;
  readonly at: Instant;
  readonly now: Instant;
}

export const explain = [
  command({
    name: "access/explain",
    parameters: z.object({ user_identity_id: userIdentity, device_id: device, at: moment.nullish() }),
    returns: { explanation: explanationShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: id, at }, { now }) {
      const door = records.device(id);
      if (!door) throw deviceNotFound(id);
      return { explanation: explanation(records, { identity, door, at: at ?? now, now }) };
    },
  }),
];

function explanation(records: Records, question: Question): Body {
  const { identity, door, at, now } = question;
  const head = { user_identity_id: identity, device_id: door.id, at: toIso(at), time_zone: door.timeZone };
  const isPast = at < now;
  const since = records.journalSince();
  if (isPast && (since === undefined || at < since)) {
    // What was written down while nobody knew the time has none yet.
    const begins = since === undefined || since > now ? "now" : `at ${toIso(since)}`;
    const text = `What was granted then is not known: the record begins ${begins}`;
    return { decision: "unknown", reason: "unknown", text, ...head, grant: null, until: null };
  }
  // What stands now does so whatever the clock said when it was granted.
  const known = records.grantsAt(identity, door.id, isPast ? at : undefined);
  const zone = records.zone(door.timeZone);
  const decided = at === now ? records.decidedHere(identity, door.id) : undefined;
  const access = decided ?? accessOf(known, zone, at);
  const reason = access.reason === "no_grant" ? whyNone(records, question) : access.reason;
  return {
    decision: access.decision,
    reason,
    text: textOf(question, zone, access, reason),
    ...head,
    grant: access.grant ? grantShown(access.grant, zone) : null,
    until: access.until === undefined ? null : toIso(access.until),
    ...(isPast ? { journal: records.journalOf(door.id, later(at, -before), later(at, after), mostEntries) } : {}),
    // What is on a lock is known of this moment only.
    ...(at === now ? { receipt: receiptOf(records, identity, door.id) } : {}),
  };
}

/** A grant that was made later does not reach back, and one that was taken away is not one that never was. */
function whyNone(records: Records, { identity, door, at, now }: Question): "no_grant" | "no_grant_then" {
  return at < now && records.wasGranted(identity, door.id) ? "no_grant_then" : "no_grant";
}

const grantShown = ({ accessGrantId, name, window }: KnownGrant, zone: TimeZone): Body => ({
  access_grant_id: accessGrantId ?? null,
  name: name ?? null,
  window: window ? windowWords(window, zone) : "always",
  starts_at: window?.startsAt === undefined ? null : toIso(window.startsAt),
  ends_at: window?.endsAt === undefined ? null : toIso(window.endsAt),
  schedule: window?.weekly === undefined ? null : scheduleToWire(window.weekly),
});

function textOf(
  { identity, door, at, now }: Question,
  zone: TimeZone,
  { decision, grant, until }: Access,
  reason: string,
): string {
  const when = at === now ? "now" : `at ${toIso(at)}`;
  const verb = at < now ? (decision === "admit" ? "could" : "could not") : decision === "admit" ? "may" : "may not";
  const named =
    grant &&
    (grant.accessGrantId === undefined ? "the direct grant" : `the access grant ${grant.name ?? grant.accessGrantId}`);
  const says = grant?.window ? `${named}, ${windowWords(grant.window, zone)}` : named;
  const why: Readonly<Record<string, string>> = {
    always: `${says} admits at any time`,
    in_window: `${says}, is open`,
    not_begun: `${says}, has not begun`,
    outside_schedule: `${says}, is not open`,
    ended: `${says}, has ended`,
    no_grant: "no grant names them on it",
    no_grant_then: "no grant named them on it then; one did at another time",
  };
  const next = until === undefined ? "" : `; that changes at ${toIso(until)}`;
  return `${identity} ${verb} open ${door.name} ${when}: ${why[reason] ?? reason}${next}`;
}
