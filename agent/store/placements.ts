import type { Database, Statement } from "better-sqlite3";
import type { Pair } from "../commands/records.ts";
import { branded } from "../domain/brand.ts";
import type { CredentialId, Fingerprint } from "../domain/credential.ts";
import { hereOf } from "../domain/decided-here.ts";
import {
  type DeviceId,
  deviceId,
  type LockId,
  lockId,
  type PlacementId,
  type UserIdentityId,
  userIdentityId,
} from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";
import type { Placement, Refusal } from "../domain/placement.ts";
import { type ReceiptState, standing } from "../domain/receipt.ts";
import { type SlotName, slotName } from "../domain/slot.ts";
import { type AtWork, type Auditable, atRest, atWork, LastLocks, working } from "./last-locks.ts";
import { columns, fromRow, type Kept, type Row, toRow } from "./placement-row.ts";

/** Whose credential is presented, and whether they have the direct grant, which has no window. */
interface AtDoor extends Pick<Placement, "identity" | "credential"> {
  readonly isForAlways: boolean;
}

type AuditableRow = Pick<Row, "placement_id" | "rank"> & { readonly slot: string };

/** What is where on the locks, as rows: each change closes one and adds one. */
export class Placements {
  readonly #insert: Statement;
  readonly #close: Statement<[number, string]>;
  readonly #get: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;
  readonly #ofIdentity: Statement<[string], Row>;
  readonly #ofDevice: Statement<[string], Row>;
  readonly #ofPair: Statement<[string, string], Row>;
  readonly #onLock: Statement<[string], Row>;
  readonly #inSlot: Statement<[{ lock: string; slot: string }], Row>;
  readonly #atWork: Statement<[string], Row>;
  readonly #atRest: Statement<[string], AuditableRow>;
  readonly #auditable: Statement<[{ lock: string; rank: number; id: string }], AuditableRow>;
  readonly #ofPersonOnLock: Statement<[string, string], Row>;
  readonly #ofCredential: Statement<[string], Row>;
  readonly #withFingerprint: Statement<[string], Row>;
  readonly #atDoor: Statement<[string, string, string], readonly [string, string, number]>;
  readonly #last: Statement<[string, string], Pick<Row, "refusal">>;
  readonly #oldestWithoutRoom: Statement<[string], Row>;
  readonly #debts: Statement<[], { device_id: string; count: number; oldest: number }>;
  readonly #owes: Statement<[string]>;
  readonly #oldestDebt: Statement<[], { oldest: number | null }>;
  readonly #leaving: Statement<[], { device_id: string; lock: string; count: number }>;
  readonly #ofFormer: Statement<[string], { device_id: string; lock: string; count: number }>;
  readonly #inFlight: Statement<[], Row>;

  readonly #tally: Statement<[string], { state: ReceiptState; count: number; oldest: number }>;

  /** What {@link owes} said of each lock since something of that was last kept: it is asked at every turn of every lock. */
  readonly #owing = new Map<LockId, boolean>();
  /** The same of {@link tally}: a list of devices is a list of these. */
  readonly #tallies = new Map<DeviceId, ReturnType<Placements["tally"]>>();
  readonly #lastAtWork = new LastLocks(atWork);
  readonly #lastAtRest = new LastLocks(atRest);

  constructor(db: Database) {
    const open = `SELECT ${columns.join(", ")} FROM placements WHERE valid_to IS NULL`;
    this.#insert = db.prepare(
      `INSERT INTO placements (${columns.join(", ")}, valid_from) VALUES (${columns.map((name) => `@${name}`).join(", ")}, @valid_from)`,
    );
    this.#close = db.prepare("UPDATE placements SET valid_to = ? WHERE placement_id = ? AND valid_to IS NULL");
    this.#get = db.prepare(`${open} AND placement_id = ?`);
    this.#all = db.prepare(`${open} ORDER BY rank, row`);
    this.#ofIdentity = db.prepare(`${open} AND user_identity_id = ? ORDER BY rank, row`);
    this.#ofDevice = db.prepare(`${open} AND device_id = ? ORDER BY rank, row`);
    // By itself SQLite takes an index that begins with the device, and reads all that is on it.
    const byPair = open.replace("FROM placements", "FROM placements INDEXED BY placements_of_identity");
    this.#ofPair = db.prepare(`${byPair} AND user_identity_id = ? AND device_id = ? ORDER BY rank, row`);
    this.#onLock = db.prepare(`${open} AND lock = ? ORDER BY rank, row`);
    this.#inSlot = db.prepare(`${open} AND lock = @lock AND (slot = @slot OR late_slot = @slot) ORDER BY rank, row`);
    this.#atWork = db.prepare(`${open} AND at_rest = 0 AND lock = ? ORDER BY rank, row`);
    const held =
      "SELECT placement_id, slot, rank FROM placements WHERE valid_to IS NULL AND belief = 'held' AND lock =";
    this.#atRest = db.prepare(`${held} ? AND at_rest = 1 ORDER BY rank, row`);
    this.#auditable = db.prepare(
      `${held} @lock AND suspect = 0 AND (rank, placement_id) > (@rank, @id) ORDER BY rank, placement_id LIMIT 1`,
    );
    this.#ofPersonOnLock = db.prepare(`${byPair} AND user_identity_id = ? AND lock = ? ORDER BY rank, row`);
    this.#ofCredential = db.prepare(`${open} AND credential_id = ? ORDER BY rank, row`);
    this.#last = db.prepare(
      "SELECT refusal FROM placements WHERE credential_id = ? AND lock = ? ORDER BY row DESC LIMIT 1",
    );
    this.#withFingerprint = db.prepare(`${open} AND fingerprint = ? ORDER BY rank, row`);
    // Who stands at the door waits for one statement, as to begin and end one costs more than a look-up in it; and no more
    // than the indexes hold, so that no row has to be found and read as well.
    this.#atDoor = db
      .prepare<[string, string, string], readonly [string, string, number]>(
        `SELECT user_identity_id, credential_id, EXISTS (
           SELECT 1 FROM grants INDEXED BY grants_of_identity
           WHERE grants.user_identity_id = placements.user_identity_id AND grants.device_id = ?
             AND grants.access_grant_id IS NULL AND grants.valid_to IS NULL
         )
         FROM placements INDEXED BY placements_at_doors
         WHERE valid_to IS NULL AND belief = 'held' AND proof = 'decided_here' AND fingerprint = ? AND lock = ? LIMIT 1`,
      )
      .raw();
    this.#oldestWithoutRoom = db.prepare(
      `${open} AND refusal = 'full' AND lock = ? AND wanted = 1 AND (dormant = 0 OR window IS NOT NULL)
       ORDER BY rank, row LIMIT 1`,
    );
    this.#tally = db.prepare(
      "SELECT state, count(*) AS count, min(since) AS oldest FROM placements WHERE valid_to IS NULL AND device_id = ? GROUP BY state",
    );
    // Asked for after each commit. By itself SQLite takes an index that is in the order of devices, and reads all that is there.
    this.#debts = db.prepare(
      `SELECT device_id, count(*) AS count, min(since) AS oldest FROM placements INDEXED BY placements_owed
       WHERE valid_to IS NULL AND state = 'removing' GROUP BY device_id`,
    );
    this.#owes = db.prepare(
      "SELECT 1 FROM placements WHERE valid_to IS NULL AND state = 'removing' AND lock = ? LIMIT 1",
    );
    this.#oldestDebt = db.prepare(
      "SELECT min(since) AS oldest FROM placements WHERE valid_to IS NULL AND state = 'removing'",
    );
    const counted = "SELECT device_id, lock, count(*) AS count FROM placements WHERE valid_to IS NULL";
    this.#leaving = db.prepare(`${counted} AND state = 'removing' GROUP BY device_id, lock`);
    this.#ofFormer = db.prepare(`${counted} AND device_id = ? GROUP BY lock`);
    this.#inFlight = db.prepare(`${open} AND in_flight = 1`);
  }

  /** Closes what stood before, and where something is left keeps what stands now. Returns both. */
  keep(placement: Placement, rank: number, now: Instant): { before: Kept | undefined; after: Kept } {
    const before = this.get(placement.id);
    for (const { lock, device } of before ? [placement, before.placement] : [placement]) {
      this.#owing.delete(lock);
      this.#tallies.delete(device);
    }
    const { state } = standing(placement);
    const since = before?.state === state ? before.since : now;
    const after: Kept = { placement, state, since, rank: before?.rank ?? rank };
    const row = state === "gone" ? undefined : toRow(after);
    this.#close.run(now, placement.id);
    if (row) this.#insert.run({ ...row, valid_from: now });
    const kept = row && fromRow(row);
    this.#lastAtWork.changed(before, kept);
    this.#lastAtRest.changed(before, kept);
    return { before, after };
  }

  get(id: PlacementId): Kept | undefined {
    const row = this.#get.get(id);
    return row && fromRow(row);
  }

  of({ identity, device }: Pair): readonly Kept[] {
    return this.#rows(identity, device).map(fromRow);
  }

  /** Whatever device they were made for. */
  onLock(lock: LockId): readonly Kept[] {
    return this.#onLock.all(lock).map(fromRow);
  }

  /** Those that are, or may be, or may come to be in one slot of it. */
  inSlot(lock: LockId, slot: SlotName): readonly Kept[] {
    return this.#inSlot.all({ lock, slot }).map(fromRow);
  }

  /** As {@link onLock}, without those at rest. */
  atWork(lock: LockId): readonly Placement[] {
    const load = (): readonly AtWork[] => this.#atWork.all(lock).map((row) => working(fromRow(row)));
    return this.#lastAtWork.of(lock, load).map(({ placement }) => placement);
  }

  /** The slots of those at rest. */
  slotsAtRest(lock: LockId): ReadonlySet<SlotName> {
    const entries = this.#lastAtRest.of(lock, () => this.#atRest.all(lock).map(auditable));
    return new Set(entries.map(({ slot }) => slot));
  }

  /** Of what is on it and in no doubt, what comes after that by the age of its grant; after the last, the first. */
  auditable(lock: LockId, after: Auditable = first): Auditable | undefined {
    const next = ({ rank, id }: Auditable): AuditableRow | undefined => this.#auditable.get({ lock, rank, id });
    const row = next(after) ?? next(first);
    return row && auditable(row);
  }

  ofPersonOnLock(identity: UserIdentityId, lock: LockId): readonly Kept[] {
    return this.#ofPersonOnLock.all(identity, lock).map(fromRow);
  }

  ofCredential(id: CredentialId): readonly Kept[] {
    return this.#ofCredential.all(id).map(fromRow);
  }

  /** What a lock said to a credential last, also where there is nothing left of that. */
  lastRefusal(id: CredentialId, lock: LockId): Refusal | undefined {
    return this.#last.get(id, lock)?.refusal ?? undefined;
  }

  /** Whom this lets in where we decide. */
  atDoor(fingerprint: Fingerprint, device: DeviceId): AtDoor | undefined {
    const row = this.#atDoor.get(device, fingerprint, hereOf(device));
    if (!row) return undefined;
    const [identity, credential, always] = row;
    return {
      identity: userIdentityId(identity),
      credential: branded<CredentialId>(credential),
      isForAlways: always === 1,
    };
  }

  withFingerprint(fingerprint: Fingerprint): readonly Kept[] {
    return this.#withFingerprint.all(fingerprint).map(fromRow);
  }

  /** Of those for which the lock was full, and that are to be on it now: whose grant is the oldest. */
  oldestWithoutRoom(lock: LockId): Kept | undefined {
    const row = this.#oldestWithoutRoom.get(lock);
    return row && fromRow(row);
  }

  tally(device: DeviceId): ReadonlyMap<ReceiptState, { count: number; oldest: Instant }> {
    const known = this.#tallies.get(device);
    if (known) return known;
    const rows = this.#tally.all(device);
    const tally = new Map(rows.map(({ state, count, oldest }) => [state, { count, oldest: instant(oldest) }]));
    this.#tallies.set(device, tally);
    return tally;
  }

  /** What is not yet proven gone, by device. */
  debts(): readonly { device: DeviceId; count: number; oldest: Instant }[] {
    return this.#debts
      .all()
      .map(({ device_id: id, count, oldest }) => ({ device: deviceId(id), count, oldest: instant(oldest) }));
  }

  /** Whether anything on a lock is to be taken away. A look-up. */
  owes(lock: LockId): boolean {
    const known = this.#owing.get(lock);
    if (known !== undefined) return known;
    const owes = this.#owes.get(lock) !== undefined;
    this.#owing.set(lock, owes);
    return owes;
  }

  /** The rows may be others than they were. */
  reread(): void {
    this.#owing.clear();
    this.#tallies.clear();
    this.#lastAtWork.clear();
    this.#lastAtRest.clear();
  }

  oldestDebt(): Instant | undefined {
    const oldest = this.#oldestDebt.get()?.oldest;
    return oldest == null ? undefined : instant(oldest);
  }

  /** How many are leaving, or of one device how many there are at all, by lock. */
  counts(of: "leaving" | DeviceId): readonly { device: DeviceId; lock: LockId; count: number }[] {
    const rows = of === "leaving" ? this.#leaving.all() : this.#ofFormer.all(of);
    return rows.map(({ device_id: id, lock, count }) => ({ device: deviceId(id), lock: lockId(lock), count }));
  }

  /** Those whose answer can no longer come, since the process that waited for it has ended. */
  inFlight(): readonly Kept[] {
    return this.#inFlight.all().map(fromRow);
  }

  #rows(identity: UserIdentityId | undefined, device: DeviceId | undefined): Row[] {
    if (identity === undefined) return device === undefined ? this.#all.all() : this.#ofDevice.all(device);
    return device === undefined ? this.#ofIdentity.all(identity) : this.#ofPair.all(identity, device);
  }
}

const first: Auditable = { id: branded<PlacementId>(""), slot: branded<SlotName>(""), rank: Number.NEGATIVE_INFINITY };
const auditable = ({ placement_id: id, slot, rank }: AuditableRow): Auditable => ({
  id: branded<PlacementId>(id),
  slot: slotName(slot),
  rank,
});
