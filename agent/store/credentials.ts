import type { Database, Statement } from "better-sqlite3";
import { branded } from "../domain/brand.ts";
import {
  type Credential,
  type CredentialId,
  type CredentialKind,
  type Fingerprint,
  secretOf,
} from "../domain/credential.ts";
import { type DeviceId, type LockId, type UserIdentityId, userIdentityId } from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";
import { StoreError } from "../errors.ts";
import { limited } from "./limit.ts";
import { orderedId } from "./ordered-id.ts";
import type { Vault } from "./vault.ts";

/** A credential without its secret. */
export interface CredentialRow {
  readonly id: CredentialId;
  readonly identity: UserIdentityId;
  readonly kind: CredentialKind;
  readonly origin: "own" | "issued";
  readonly fingerprint: Fingerprint;
  readonly known: boolean;
  readonly reissues: number;
  readonly createdAt: Instant;
}
type Row = {
  credential_id: string;
  user_identity_id: string;
  kind: CredentialKind;
  format: string | null;
  origin: "own" | "issued";
  sealed: Buffer;
  fingerprint: string;
  known: number;
  reissues: number;
  created_at: number;
};

/** What people present. A row is closed when it is no longer theirs; its secret stays openable while a lock may hold it. */
export class Credentials {
  readonly #vault: Vault;
  readonly #insert: Statement;
  readonly #close: Statement<[number, string]>;
  readonly #know: Statement<[number, string]>;
  readonly #newest: Statement<[string], Row>;
  readonly #ofIdentity: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;
  readonly #isGranted: Statement<[string, string, string], { found: number }>;
  readonly #grantedHolders: Statement<[string, string, number], { user_identity_id: string }>;
  readonly #inUse: Statement<[string, string, string], { found: number }>;

  constructor(db: Database, vault: Vault) {
    this.#vault = vault;
    this.#insert = db.prepare(
      `INSERT INTO credentials (credential_id, user_identity_id, kind, format, origin, sealed, fingerprint, known, reissues,
       created_at, valid_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#close = db.prepare("UPDATE credentials SET valid_to = ? WHERE credential_id = ? AND valid_to IS NULL");
    this.#know = db.prepare(
      `INSERT INTO credentials (credential_id, user_identity_id, kind, format, origin, sealed, fingerprint, known, reissues,
       created_at, valid_from)
       SELECT credential_id, user_identity_id, kind, format, origin, sealed, fingerprint, 1, reissues, created_at, ?
       FROM credentials WHERE credential_id = ? ORDER BY row DESC LIMIT 1`,
    );
    this.#newest = db.prepare("SELECT * FROM credentials WHERE credential_id = ? ORDER BY row DESC LIMIT 1");
    this.#ofIdentity = db.prepare(
      "SELECT * FROM credentials WHERE user_identity_id = ? AND valid_to IS NULL ORDER BY created_at, row",
    );
    this.#all = db.prepare("SELECT * FROM credentials WHERE valid_to IS NULL ORDER BY created_at, row");
    this.#isGranted = db.prepare(
      `SELECT EXISTS (
         SELECT 1 FROM credentials INDEXED BY credentials_by_fingerprint, grants INDEXED BY grants_of_identity
         WHERE credentials.fingerprint = ? AND credentials.valid_to IS NULL AND credentials.user_identity_id <> ?
           AND grants.user_identity_id = credentials.user_identity_id AND grants.device_id = ? AND grants.valid_to IS NULL
       ) AS found`,
    );
    this.#grantedHolders = db.prepare(
      `SELECT DISTINCT credentials.user_identity_id
       FROM credentials INDEXED BY credentials_by_fingerprint, grants INDEXED BY grants_of_identity
       WHERE credentials.fingerprint = ? AND credentials.valid_to IS NULL
         AND grants.user_identity_id = credentials.user_identity_id AND grants.device_id = ? AND grants.valid_to IS NULL
       ORDER BY grants.row ${limited}`,
    );
    this.#inUse = db.prepare(
      `SELECT EXISTS (
         SELECT 1 FROM placements INDEXED BY placements_by_fingerprint
         WHERE fingerprint = ? AND lock = ? AND user_identity_id <> ? AND valid_to IS NULL
           AND NOT (wanted = 1 AND belief = 'nowhere' AND late_until IS NULL
             AND refusal IS NOT NULL AND refusal NOT IN ('full', 'not_kept'))
       ) AS found`,
    );
  }

  add(
    identity: UserIdentityId,
    credential: Credential,
    origin: "own" | "issued",
    reissues: number,
    now: Instant,
  ): CredentialId {
    const id = branded<CredentialId>(orderedId(now));
    const format = credential.kind === "card" ? credential.format : null;
    const sealed = this.#vault.seal(secretOf(credential), placeOf(id));
    const fingerprint = this.#vault.fingerprint(credential);
    const known = origin === "own" ? 1 : 0;
    this.#insert.run(id, identity, credential.kind, format, origin, sealed, fingerprint, known, reissues, now, now);
    return id;
  }

  close(id: CredentialId, now: Instant): void {
    this.#close.run(now, id);
  }

  /** A person may know it from now on, so that it is never changed by us. */
  know(id: CredentialId, now: Instant): void {
    const row = this.#newest.get(id);
    if (!row || row.known === 1) return;
    if (this.#close.run(now, id).changes > 0) this.#know.run(now, id);
  }

  of(identity: UserIdentityId): readonly CredentialRow[] {
    return this.#ofIdentity.all(identity).map(fromRow);
  }

  all(): readonly CredentialRow[] {
    return this.#all.all().map(fromRow);
  }

  /** Without opening it. */
  is(id: CredentialId, credential: Credential): boolean {
    return this.#newest.get(id)?.fingerprint === this.#vault.fingerprint(credential);
  }

  open(id: CredentialId): Credential {
    const row = this.#newest.get(id);
    if (!row) throw new StoreError(`The credential ${id} is not in the database`);
    const secret = this.#vault.open(row.sealed, placeOf(id));
    return row.kind === "pin"
      ? { kind: "pin", digits: secret }
      : { kind: "card", format: row.format ?? "", bits: secret };
  }

  /** When it was made; undefined of one that never was. */
  madeAt(id: CredentialId): Instant | undefined {
    const row = this.#newest.get(id);
    return row && instant(row.created_at);
  }

  /** Whether somebody else has the same, and a grant on a device. */
  isGranted(fingerprint: Fingerprint, device: DeviceId, otherThan: UserIdentityId): boolean {
    return this.#isGranted.get(fingerprint, otherThan, device)?.found === 1;
  }

  /** Who has it, and a grant on a device, in force or not: some of them, oldest grant first. */
  grantedHolders(fingerprint: Fingerprint, device: DeviceId, limit: number): readonly UserIdentityId[] {
    return this.#grantedHolders.all(fingerprint, device, limit).map((row) => userIdentityId(row.user_identity_id));
  }

  /** Whether somebody else has the same on a lock, or on its way there. Of a lock that nobody knows, nobody has. */
  isInUse(fingerprint: Fingerprint, lock: LockId | undefined, otherThan: UserIdentityId): boolean {
    return lock !== undefined && this.#inUse.get(fingerprint, lock, otherThan)?.found === 1;
  }
}

const placeOf = (id: CredentialId): string => `credential/${id}`;

const fromRow = (row: Row): CredentialRow => ({
  id: branded<CredentialId>(row.credential_id),
  identity: userIdentityId(row.user_identity_id),
  kind: row.kind,
  origin: row.origin,
  fingerprint: branded<Fingerprint>(row.fingerprint),
  known: row.known === 1,
  reissues: row.reissues,
  createdAt: instant(row.created_at),
});
