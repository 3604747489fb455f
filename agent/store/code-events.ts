import type { Database, Statement } from "better-sqlite3";
import { codeFields, troublesOf } from "../commands/access-code-events.ts";
import { codeOf, codeOfIdentity } from "../domain/access-code.ts";
import { type CodeStatus, codeStatus } from "../domain/access-code-status.ts";
import type { Instant } from "../domain/instant.ts";
import { isShut, type Placement } from "../domain/placement.ts";
import { credentialReceipt } from "../domain/receipt.ts";
import type { Proof } from "../domain/slot.ts";
import type { Journal } from "./journal.ts";
import type { Kept } from "./placement-row.ts";
import type { Placements } from "./placements.ts";

/** What was told of a code, and not yet taken back. */
type Told = {
  readonly is_set: number;
  readonly has_failed: number;
  readonly is_scheduled: number;
  readonly is_late: number;
};
const nothing: Told = { is_set: 0, has_failed: 0, is_scheduled: 0, is_late: 0 };
type Key = [code: string, device: string];

/**
 * Tells what becomes of PINs in Seam's events, beside our own: each once, from being put on a device until it leaves it. Only
 * what was told to be there is told to leave.
 */
export class CodeEvents {
  readonly #journal: Journal;
  readonly #placements: Placements;
  readonly #get: Statement<Key, Told>;
  readonly #put: Statement<[...Key, number, number, number, number]>;
  readonly #delete: Statement<Key>;

  constructor(db: Database, journal: Journal, placements: Placements) {
    this.#journal = journal;
    this.#placements = placements;
    this.#get = db.prepare(
      "SELECT is_set, has_failed, is_scheduled, is_late FROM codes_told WHERE code = ? AND device_id = ?",
    );
    this.#put = db.prepare(
      `INSERT OR REPLACE INTO codes_told (code, device_id, is_set, has_failed, is_scheduled, is_late)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = db.prepare("DELETE FROM codes_told WHERE code = ? AND device_id = ?");
  }

  /** Something has changed of a placement that is there. */
  changed(before: Kept | undefined, after: Kept, now: Instant): void {
    const { placement, state } = after;
    const key = placement.wanted ? keyOf(placement) : undefined;
    if (!key) return;
    const away = before && takenAway(before, after);
    if (away) this.#tookAway(key, away, placement, now);
    if (state === "live") this.#isSet(key, placement, now);
    else if (state === "refused" && placement.refusal?.reason !== "changed_on_lock") this.#hasFailed(key, after, now);
    else if (isAhead(after)) this.#isScheduled(key, placement, now);
  }

  #isSet(key: Key, placement: Placement, now: Instant): void {
    const told = this.#get.get(...key) ?? nothing;
    if (told.is_set === 1 && told.has_failed === 0 && told.is_late === 0) return;
    this.#keep(key, { ...nothing, is_set: 1 });
    if (told.is_set === 0) this.#tell("set_on_device", placement, now);
  }

  /** It is there ahead of its time, and the lock keeps it shut. */
  #isScheduled(key: Key, placement: Placement, now: Instant): void {
    const told = this.#get.get(...key) ?? nothing;
    if (told.is_set === 1 || told.is_scheduled === 1) return;
    this.#keep(key, { ...nothing, is_scheduled: 1 });
    this.#tell("scheduled_on_device", placement, now);
  }

  #hasFailed(key: Key, { placement, since }: Kept, now: Instant): void {
    const told = this.#get.get(...key) ?? nothing;
    if (told.has_failed === 1) return;
    this.#keep(key, { ...told, has_failed: 1 });
    this.#tell("failed_to_set_on_device", placement, now, troublesOf(statusOf(placement, since, now)));
  }

  /** By somebody at the lock, or by the lock: not by us. */
  #tookAway(key: Key, how: "deleted" | "modified", placement: Placement, now: Instant): void {
    const told = this.#get.get(...key) ?? nothing;
    if (told.is_set === 0 && told.is_scheduled === 0) return;
    this.#keep(key, { ...told, is_set: 0, is_scheduled: 0 });
    this.#tell(`${how}_external_to_seam`, placement, now);
  }

  /** It is not on the device after a while. Says whether that is news. */
  delayed(placement: Placement, since: Instant, now: Instant): boolean {
    const key = keyOf(placement);
    const told = (key && this.#get.get(...key)) ?? nothing;
    if (!key || told.is_late === 1) return false;
    this.#keep(key, { ...told, is_late: 1 });
    // That it left meanwhile, and is on its way back, is no delay in setting what was told to be set.
    if (told.is_set === 1) return false;
    this.#tell("delay_in_setting_on_device", placement, now, troublesOf(statusOf(placement, since, now)));
    return true;
  }

  /** It is still on the device, or may be, though it is to leave. The caller tells it once. */
  overdue(placement: Placement, since: Instant, now: Instant): void {
    const told = placement.wanted ? undefined : this.#toldOf(placement);
    if (!told || (told.is_set === 0 && told.is_scheduled === 0)) return;
    this.#tell("failed_to_remove_from_device", placement, now, troublesOf(statusOf(placement, since, now)));
  }

  /** A placement is not there any more: its code has left the device, unless another placement of it is there. */
  left(placement: Placement, now: Instant): void {
    const key = keyOf(placement);
    if (!key || this.#isElsewhere(placement)) return;
    const told = this.#get.get(...key);
    if (!told) return;
    this.#delete.run(...key);
    if (told.is_set === 1 || told.is_scheduled === 1) this.#tell("removed_from_device", placement, now);
  }

  #toldOf(placement: Placement): Told | undefined {
    const key = keyOf(placement);
    return key && this.#get.get(...key);
  }

  #keep(key: Key, { is_set: isSet, has_failed: hasFailed, is_scheduled: isScheduled, is_late: isLate }: Told): void {
    this.#put.run(...key, isSet, hasFailed, isScheduled, isLate);
  }

  #isElsewhere({ identity, device, credential }: Placement): boolean {
    if (codeOfIdentity(identity) !== undefined) return this.#placements.of({ identity }).length > 0;
    return this.#placements.of({ identity, device }).some((other) => other.placement.credential === credential);
  }

  #tell(what: string, placement: Placement, now: Instant, more: object = {}): void {
    const id = codeOf(placement);
    if (id === undefined) return;
    const fields = codeFields(id, placement.identity, placement.device);
    this.#journal.event(`access_code.${what}`, { ...fields, ...more }, now);
  }
}

/** By what it is known what was told of a code; undefined of what is no PIN. */
function keyOf(placement: Placement): Key | undefined {
  if (placement.kind !== "pin") return undefined;
  const own = codeOfIdentity(placement.identity);
  return own === undefined ? [placement.credential, placement.device] : [own, ""];
}

const isAhead = ({ placement, state }: Kept): boolean =>
  state === "waiting" &&
  placement.dormant &&
  isShut(placement) &&
  placement.belief.at === "held" &&
  placement.when !== "always";

/** It was proven to be there, and now not to be, with nothing sent in between. */
function takenAway({ placement: before }: Kept, { placement: after }: Kept): "deleted" | "modified" | undefined {
  const wasProven = before.belief.at === "held" && isOfLock(before.belief.proof);
  if (!wasProven || after.belief.at !== "nowhere") return undefined;
  return after.belief.proof === "read_back" ? "deleted" : "modified";
}

/** What a lock has shown, and not what was only said of it, or is decided by us. */
const isOfLock = (proof: Proof): boolean => proof === "read_back" || proof === "read_back_masked";

const statusOf = (placement: Placement, since: Instant, now: Instant): CodeStatus =>
  codeStatus(credentialReceipt(placement, since, { reach: "here" }), { now, endsAt: undefined, isBreakerOpen: false });
