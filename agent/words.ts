import type { Log } from "../drivers/driver.ts";
import type { OrphanRecord } from "./commands/records.ts";
import { orphanHint } from "./domain/receipt.ts";

/** Events in plain words: one line per thing that happens. */
const words: Readonly<Record<string, string>> = {
  agent_id_in_use: "the cloud will be told of the other agent",
  "agent.session_lost": "the broker has forgotten us: commands sent meanwhile may be lost",
  "access.accepted": "grant accepted",
  "access.live": "code is on the lock",
  "access.unconfirmed": "not known whether the code is on the lock",
  "access.refused": "code is not on the lock",
  "access.paused": "access is paused: no code of theirs is on the lock until its next window",
  "access.overdue": "the code has not been taken away in five minutes",
  "access.kept": "another grant still admits",
  "access.gone": "access is gone from the lock",
  "clock.untrusted": "the clock is not believed: windows neither open nor close",
  "clock.trusted": "the clock is believed again",
  "command.refused": "command refused",
  events_lost: "events were forced out of the outbox unsent",
  "lock.unlocked": "unlocked",
  "lock.locked": "locked",
  "lock.access_denied": "denied",
  "lock.code_used": "code used",
  "lock.jammed": "the bolt is jammed",
  "lock.all_deleted": "all codes were deleted at the lock",
  "lock.reset": "the lock was reset",
  "device.tampered": "tamper alarm",
  "device.alarm": "somebody on the wire does not keep its rules",
  "device.connected": "the lock is connected",
  "device.disconnected": "the lock is not connected any more",
  "device.low_battery": "the battery is low",
  "device.battery_status_changed": "the battery has changed its status",
  "device.breaker_opened":
    "the lock does not answer; it is left alone until its next try, but for what is to be taken away",
  "device.breaker_closed": "the lock answers again",
  "revocation.overdue": "codes are still to be taken away, and their locks do not confirm it",
  "revocation.cleared": "what was overdue is taken away",
  "device.replaced": "another lock is at this device now: all of it is read before anything is written",
  "device.renamed": "the device has another name now, and all that was its own",
};

/** Writes events that are committed to the log. */
export function tellEvents(
  events: readonly { readonly type: string; readonly fields: Readonly<Record<string, unknown>> }[],
  devices: readonly { readonly deviceId: string; readonly name: string }[],
  log: Log,
): void {
  for (const { type, fields } of events) {
    // In the log `error` is a fault of our own; this is what somebody else has said.
    const { device_id: id, user_identity_id: identity, error: problem, ...rest } = fields;
    const door = devices.find(({ deviceId }) => deviceId === id)?.name;
    const told = { door, user_identity_id: identity, problem, ...rest };
    log.info(Object.fromEntries(Object.entries(told).filter(([, value]) => value != null)), words[type] ?? type);
  }
}

/** At start: one line for what nobody can look after as the configuration is. */
export function tellOrphans(orphans: readonly OrphanRecord[], log: Log): void {
  for (const { device, reason, lock, placements, place } of orphans) {
    const where = { device, ...place, lock, placements };
    log.warn({ ...where, reason, hint: orphanHint(reason) }, "codes are on a lock that nobody can look after");
  }
}

/** Where a large database could not be looked through for damage: the agent goes on with it. */
export function tellUnchecked(problem: string, log: Log): void {
  const hint = "mend what the problem says and start latchd again: the database is looked through at each start";
  log.warn({ problem, hint }, "nobody knows whether the database is whole: it could not be looked through");
}
