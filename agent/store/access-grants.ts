import type { Database, Statement } from "better-sqlite3";
import type { AccessGrant, AccessMode } from "../commands/records.ts";
import { type AccessGrantId, accessGrantId, type UserIdentityId, userIdentityId } from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";
import type { WeeklyWindow } from "../domain/weekly.ts";

export const columns =
  "access_grant_id, user_identity_id, access_grant_key, name, starts_at, ends_at, weekly, external, modes, created_at, common_code_key";
export type Row = {
  access_grant_id: string;
  user_identity_id: string;
  access_grant_key: string | null;
  name: string | null;
  starts_at: number | null;
  ends_at: number | null;
  weekly: string | null;
  external: number;
  modes: string;
  created_at: number;
  common_code_key: string | null;
};

/** What was granted for a time, as rows: each change closes one and adds one. */
export class AccessGrants {
  readonly #insert: Statement;
  readonly #close: Statement<[number, string]>;
  readonly #get: Statement<[string], Row>;
  readonly #byKey: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;
  readonly #ofIdentity: Statement<[string], Row>;
  readonly #at: Statement<[string, number, number], Row>;

  constructor(db: Database) {
    const open = `SELECT ${columns} FROM access_grants WHERE valid_to IS NULL`;
    this.#insert = db.prepare(
      `INSERT INTO access_grants (${columns}, valid_from)
       VALUES (@id, @identity, @key, @name, @startsAt, @endsAt, @weekly, @external, @modes, @createdAt, @commonCodeKey, @now)`,
    );
    this.#close = db.prepare("UPDATE access_grants SET valid_to = ? WHERE access_grant_id = ? AND valid_to IS NULL");
    this.#get = db.prepare(`${open} AND access_grant_id = ?`);
    this.#byKey = db.prepare(`${open} AND access_grant_key = ?`);
    this.#all = db.prepare(`${open} ORDER BY created_at, row`);
    this.#ofIdentity = db.prepare(`${open} AND user_identity_id = ? ORDER BY created_at, row`);
    this.#at = db.prepare(
      `SELECT ${columns} FROM access_grants
       WHERE access_grant_id = ? AND valid_from <= ? AND ifnull(valid_to, 9e15) > ? ORDER BY row DESC LIMIT 1`,
    );
  }

  put(grant: AccessGrant, now: Instant): void {
    this.close(grant.id, now);
    const { startsAt, endsAt, weekly } = grant.window;
    this.#insert.run({
      id: grant.id,
      identity: grant.identity,
      key: grant.key ?? null,
      name: grant.name ?? null,
      startsAt: startsAt ?? null,
      endsAt: endsAt ?? null,
      weekly: weekly === undefined ? null : JSON.stringify(weekly),
      external: grant.allowsExternalChanges ? 1 : 0,
      modes: JSON.stringify(grant.modes),
      createdAt: grant.createdAt,
      commonCodeKey: grant.commonCodeKey ?? null,
      now,
    });
  }

  close(id: AccessGrantId, now: Instant): void {
    this.#close.run(now, id);
  }

  get(id: AccessGrantId): AccessGrant | undefined {
    const row = this.#get.get(id);
    return row && fromRow(row);
  }

  byKey(key: string): AccessGrant | undefined {
    const row = this.#byKey.get(key);
    return row && fromRow(row);
  }

  /** Oldest first. */
  of(identity: UserIdentityId | undefined): readonly AccessGrant[] {
    return (identity === undefined ? this.#all.all() : this.#ofIdentity.all(identity)).map(fromRow);
  }

  /** As it was at a time. */
  at(id: AccessGrantId, at: Instant): AccessGrant | undefined {
    const row = this.#at.get(id, at, at);
    return row && fromRow(row);
  }
}

export function fromRow(row: Row): AccessGrant {
  const weekly: readonly WeeklyWindow[] | undefined = row.weekly === null ? undefined : JSON.parse(row.weekly);
  const modes: readonly AccessMode[] = JSON.parse(row.modes);
  return {
    id: accessGrantId(row.access_grant_id),
    identity: userIdentityId(row.user_identity_id),
    key: row.access_grant_key ?? undefined,
    name: row.name ?? undefined,
    window: {
      startsAt: row.starts_at === null ? undefined : instant(row.starts_at),
      endsAt: row.ends_at === null ? undefined : instant(row.ends_at),
      weekly,
    },
    allowsExternalChanges: row.external === 1,
    modes,
    createdAt: instant(row.created_at),
    ...(row.common_code_key === null ? {} : { commonCodeKey: row.common_code_key }),
  };
}
