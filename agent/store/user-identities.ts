import type { Database, Statement } from "better-sqlite3";
import type { UniqueMember, UserIdentity } from "../commands/records.ts";
import { isPerson } from "../domain/access-code.ts";
import { type UserIdentityId, userIdentityId } from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";

const columns = "user_identity_id, user_identity_key, full_name, email_address, phone_number, created_at, deleted_at";
type Row = {
  user_identity_id: string;
  user_identity_key: string | null;
  full_name: string | null;
  email_address: string | null;
  phone_number: string | null;
  created_at: number;
  deleted_at: number | null;
};

/** Who there is: people that were made, and those that a grant has named. One that was deleted is there until its codes are gone. */
export class UserIdentities {
  readonly #put: Statement;
  readonly #erase: Statement<[number, string]>;
  readonly #get: Statement<[string], Row>;
  readonly #byKey: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;
  readonly #others: Readonly<Record<UniqueMember, Statement<[string | null, string]>>>;

  constructor(db: Database) {
    // What is left on a lock opens it, whoever was deleted.
    const isThere = `(deleted_at IS NULL OR EXISTS (SELECT 1 FROM placements INDEXED BY placements_of_identity
      WHERE valid_to IS NULL AND placements.user_identity_id = user_identities.user_identity_id))`;
    const select = `SELECT ${columns} FROM user_identities WHERE ${isThere}`;
    this.#put = db.prepare(
      `INSERT INTO user_identities (${columns}) VALUES (@id, @key, @fullName, @email, @phone, @createdAt, NULL)
       ON CONFLICT (user_identity_id) DO UPDATE SET user_identity_key = @key, full_name = @fullName, email_address = @email,
       phone_number = @phone`,
    );
    this.#erase = db.prepare(
      `UPDATE user_identities SET user_identity_key = NULL, full_name = NULL, email_address = NULL, phone_number = NULL,
       deleted_at = ? WHERE user_identity_id = ? AND deleted_at IS NULL`,
    );
    this.#get = db.prepare(`${select} AND user_identity_id = ?`);
    this.#byKey = db.prepare(`${select} AND user_identity_key = ?`);
    this.#all = db.prepare(select);
    const other = (member: UniqueMember): Statement<[string | null, string]> =>
      db.prepare(`SELECT 1 FROM user_identities WHERE ${member} = ? AND user_identity_id <> ?`);
    this.#others = {
      user_identity_key: other("user_identity_key"),
      email_address: other("email_address"),
      phone_number: other("phone_number"),
    };
  }

  get(by: { readonly id: UserIdentityId } | { readonly key: string }): UserIdentity | undefined {
    const row = "id" in by ? this.#get.get(by.id) : this.#byKey.get(by.key);
    const found = row && fromRow(row);
    return found && isPerson(found.id) ? found : undefined;
  }

  all(): readonly UserIdentity[] {
    return this.#all
      .all()
      .map(fromRow)
      .filter(({ id }) => isPerson(id));
  }

  /** What only one may have, and another has. */
  taken({ id, key, email, phone }: UserIdentity): readonly UniqueMember[] {
    const members = { user_identity_key: key, email_address: email, phone_number: phone } as const;
    const names = ["user_identity_key", "email_address", "phone_number"] as const;
    return names.filter((name) => this.#others[name].get(members[name] ?? null, id) !== undefined);
  }

  put({ id, key, fullName, email, phone, createdAt }: UserIdentity): void {
    this.#put.run({
      id,
      key: key ?? null,
      fullName: fullName ?? null,
      email: email ?? null,
      phone: phone ?? null,
      createdAt,
    });
  }

  /** Nothing is kept of the person but the id. */
  erase(id: UserIdentityId, now: Instant): void {
    this.#erase.run(now, id);
  }
}

const fromRow = (row: Row): UserIdentity => ({
  id: userIdentityId(row.user_identity_id),
  key: row.user_identity_key ?? undefined,
  fullName: row.full_name ?? undefined,
  email: row.email_address ?? undefined,
  phone: row.phone_number ?? undefined,
  createdAt: instant(row.created_at),
  deletedAt: row.deleted_at === null ? undefined : instant(row.deleted_at),
});
