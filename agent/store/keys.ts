import { randomBytes, randomInt, type ScryptOptions, scrypt, scryptSync, timingSafeEqual } from "node:crypto";
import type { Database, Statement } from "better-sqlite3";
import type { KeyBook, KeyKind, KeyRecord } from "../commands/key-book.ts";
import { deviceId } from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";
import { newKey } from "../domain/key-text.ts";
import type { Secret } from "../domain/secret.ts";
import type { Journal } from "./journal.ts";
import type { Vault } from "./vault.ts";

const saltBytes = 16;
const hashBytes = 32;
/** 16 MiB and some fifty milliseconds a try. */
const cost: ScryptOptions = { N: 16_384, r: 8, p: 1 };

type Row = {
  key_id: string;
  kind: KeyKind;
  name: string | null;
  mark: string;
  salt: Buffer;
  hash: Buffer;
  commands: string;
  devices: string | null;
  codes: number;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
};

/** A key that may be the one which was shown: still to be proven. */
export interface FoundKey {
  readonly record: KeyRecord;
  /** Stands for the key in memory. */
  readonly mark: string;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** The keys of the HTTP door: found by a keyed hash, proven by scrypt, and kept nowhere. Rows are never deleted. */
export class Keys implements KeyBook {
  readonly #vault: Vault;
  readonly #journal: Pick<Journal, "note">;
  readonly #now: () => Instant;
  readonly #insert: Statement;
  readonly #find: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;
  readonly #revoke: Statement<[number, string]>;
  readonly #isThere: Statement<[string], { found: number }>;
  readonly #usable: Statement<[number], { found: number }>;

  constructor(db: Database, vault: Vault, journal: Pick<Journal, "note">, now: () => Instant) {
    this.#vault = vault;
    this.#journal = journal;
    this.#now = now;
    this.#insert = db.prepare(
      `INSERT INTO keys (key_id, kind, name, mark, salt, hash, commands, devices, codes, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#find = db.prepare("SELECT * FROM keys WHERE mark = ?");
    this.#all = db.prepare("SELECT * FROM keys ORDER BY created_at DESC, key_id");
    this.#revoke = db.prepare("UPDATE keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL");
    this.#isThere = db.prepare("SELECT count(*) AS found FROM keys WHERE key_id = ?");
    this.#usable = db.prepare(
      "SELECT count(*) AS found FROM keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
    );
  }

  create({ kind, name, scope, expiresAt }: Parameters<KeyBook["create"]>[0]): ReturnType<KeyBook["create"]> {
    const { id, key } = newKey(kind, randomInt);
    const salt = randomBytes(saltBytes);
    // Keys are made at the local door only, one now and then: that may take a moment.
    const hash = scryptSync(key.reveal(), salt, hashBytes, cost);
    const devices = scope.devices ? JSON.stringify(scope.devices) : null;
    const what = [JSON.stringify(scope.commands), devices, scope.codes ? 1 : 0];
    const now = this.#now();
    this.#insert.run(id, kind, name ?? null, this.#markOf(key), salt, hash, ...what, now, expiresAt ?? null);
    this.#journal.note("key.created", { key_id: id, kind }, now);
    return { id, key };
  }

  all(): readonly KeyRecord[] {
    return this.#all.all().map(recordOf);
  }

  revoke(id: string): boolean {
    if (this.#isThere.get(id)?.found === 0) return false;
    const { changes } = this.#revoke.run(this.#now(), id);
    if (changes > 0) this.#journal.note("key.revoked", { key_id: id }, this.#now());
    return true;
  }

  /** Whether anybody can get in at all. */
  get hasUsable(): boolean {
    return (this.#usable.get(this.#now())?.found ?? 0) > 0;
  }

  find(key: Secret): FoundKey | undefined {
    const row = this.#find.get(this.#markOf(key));
    return row && { record: recordOf(row), mark: row.mark, salt: row.salt, hash: row.hash };
  }

  /** Somebody was turned away. Only an operator reads that, and nothing of what was shown is in it. */
  noteRefusal(of: { readonly remote: string; readonly reason: string; readonly key_id?: string }): void {
    this.#journal.note("key.refused", of, this.#now());
  }

  #markOf(key: Secret): string {
    return this.#vault.mark(["key", key.reveal()]);
  }
}

/** Whether a key is the one that was found, in a thread of its own. Takes as long whether it is or not. */
export function proves(key: Secret, { salt, hash }: FoundKey): Promise<boolean> {
  return new Promise((done, fail) => {
    scrypt(key.reveal(), salt, hashBytes, cost, (error, made) => {
      if (error) fail(error);
      else done(timingSafeEqual(made, hash));
    });
  });
}

function recordOf({ key_id: id, kind, name, commands, devices, codes, ...row }: Row): KeyRecord {
  const ids: readonly string[] | null = devices === null ? null : JSON.parse(devices);
  return {
    id,
    kind,
    name: name ?? undefined,
    scope: { commands: JSON.parse(commands), devices: ids?.map(deviceId), codes: codes === 1 },
    createdAt: instant(row.created_at),
    expiresAt: row.expires_at === null ? undefined : instant(row.expires_at),
    revokedAt: row.revoked_at === null ? undefined : instant(row.revoked_at),
  };
}
