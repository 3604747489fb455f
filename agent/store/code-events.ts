import type { Database, Statement } from "better-sqlite3";
import { codeFields } from "../commands/access-code-events.ts";
import { codeOf, codeOfIdentity } from "../domain/access-code.ts";
import { codeStatus } from "../domain/access-code-status.ts";
import type { Instant } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import { credentialReceipt } from "../domain/receipt.ts";
import type { Journal } from "./journal.ts";
import type { Kept } from "./placement-row.ts";
import type { Placements } from "./placements.ts";

/** Tells what becomes of PINs in Seam's events, beside our own: each once, from being set on a device until it is removed from it. */
export class CodeEvents {
  readonly #journal: Journal;
  readonly #placements: Placements;
  readonly #get: Statement<[string, string], { is_set: number; has_failed: number }>;
  readonly #put: Statement<[string, string, number, number]>;
  readonly #delete: Statement<[string, string]>;

  constructor(db: Database, journal: Journal, placements: Placements) {
    this.#journal = journal;
    this.#placements = placements;
    this.#get = db.prepare("SELECT is_set, has_failed FROM codes_told WHERE code = ? AND device_id = ?");
    this.#put = db.prepare(
      "INSERT OR REPLACE INTO codes_told (code, device_id, is_set, has_failed) VALUES (?, ?, ?, ?)",
    );
    this.#delete = db.prepare("DELETE FROM codes_told WHERE code = ? AND device_id = ?");
  }

  /** Something has changed of a placement that is there. */
  changed({ placement, state, since }: Kept, now: Instant): void {
    const key = keyOf(placement);
    if (!key || (state !== "live" && state !== "refused")) return;
    const told = this.#get.get(...key);
    if (state === "live") {
      if (told?.is_set === 1 && told.has_failed === 0) return;
      this.#put.run(...key, 1, 0);
      if (told?.is_set !== 1) this.#tell("set_on_device", placement, now);
      return;
    }
    if (told?.has_failed === 1) return;
    this.#put.run(...key, told?.is_set ?? 0, 1);
    this.#tell("failed_to_set_on_device", placement, now, {
      access_code_errors: errorsOf(placement, since, now),
      ...noOtherTrouble,
    });
  }

  /** A placement is not there any more: its code has left the device, unless another placement of it is there. */
  left(placement: Placement, now: Instant): void {
    const key = keyOf(placement);
    if (!key || this.#isElsewhere(placement)) return;
    const told = this.#get.get(...key);
    if (!told) return;
    this.#delete.run(...key);
    if (told.is_set === 1) this.#tell("removed_from_device", placement, now);
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
function keyOf(placement: Placement): [code: string, device: string] | undefined {
  if (placement.kind !== "pin") return undefined;
  const own = codeOfIdentity(placement.identity);
  return own === undefined ? [placement.credential, placement.device] : [own, ""];
}

const errorsOf = (placement: Placement, since: Instant, now: Instant): readonly object[] =>
  codeStatus(credentialReceipt(placement, since, { reach: "here" }), { now, endsAt: undefined, isBreakerOpen: false })
    .errors;

/** What Seam's event has beside: nobody else is at fault. */
const noOtherTrouble = {
  access_code_warnings: [],
  device_errors: [],
  device_warnings: [],
  connected_account_errors: [],
  connected_account_warnings: [],
} as const;
