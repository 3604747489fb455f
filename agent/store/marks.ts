import type { Database, Statement } from "better-sqlite3";
import type { AsOf, Mark } from "../domain/as-of.ts";
import { branded } from "../domain/brand.ts";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Calendar } from "./calendar.ts";

const keptAfterRevoke: Milliseconds = 90 * 24 * 3600_000;

/** How new the newest command was that a pair has seen: as long as it is granted, and for 90 days from its last revoke. */
export class Marks {
  readonly #calendar: Calendar;
  readonly #find: Statement<[string, string], { as_of: string; closed: number }>;
  readonly #keep: Statement;
  readonly #forget: Statement<[number, number]>;

  constructor(db: Database, calendar: Calendar) {
    this.#calendar = calendar;
    this.#find = db.prepare("SELECT as_of, closed FROM marks WHERE user_identity_id = ? AND device_id = ?");
    this.#keep = db.prepare(
      "INSERT OR REPLACE INTO marks (user_identity_id, device_id, as_of, closed, forget_at) VALUES (?, ?, ?, ?, ?)",
    );
    this.#forget = db.prepare(
      "DELETE FROM marks WHERE (user_identity_id, device_id) IN (SELECT user_identity_id, device_id FROM marks WHERE forget_at < ? ORDER BY forget_at LIMIT ?)",
    );
  }

  of(identity: UserIdentityId, device: DeviceId): Mark | undefined {
    const row = this.#find.get(identity, device);
    return row && { highest: branded<AsOf>(row.as_of), closed: row.closed === 1 };
  }

  keep(identity: UserIdentityId, device: DeviceId, { highest, closed }: Mark, granted: boolean, now: Instant): void {
    const until = granted ? null : later(this.#calendar.dateOf(now), keptAfterRevoke);
    this.#keep.run(identity, device, highest, closed ? 1 : 0, until);
  }

  /** Forgets at most `limit` tombstones that are past their time; says how many. */
  prune(now: Instant, limit: number): number {
    return this.#forget.run(this.#calendar.today(now), limit).changes;
  }
}
