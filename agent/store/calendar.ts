import type { Database, Statement } from "better-sqlite3";
import { type Instant, instant } from "../domain/instant.ts";
import type { ClockRecord } from "./clock-record.ts";

/** The last instant there is: the time of what was written while nobody knew the time. Migration 0003 names it, too. */
const undated = instant(8_640_000_000_000_000);
/** Nothing is old yet. */
const beginning = instant(0);

/** What is kept for some time, and what says from when on. */
const kept = [
  { table: "journal", key: "entry", at: "at" },
  { table: "outbox", key: "id", at: "at" },
  { table: "requests", key: "request_id", at: "at" },
  { table: "marks", key: "user_identity_id, device_id", at: "forget_at" },
] as const;

/**
 * The time by which what is kept grows old. While the clock is not trusted it stands still (Law 12): nothing is too old, and
 * what is written has no date; it gets one when the clock is trusted again.
 */
export class Calendar {
  readonly #record: ClockRecord;
  readonly #isTrusted: () => boolean;
  readonly #date: readonly Statement<[number, number]>[];

  constructor(db: Database, record: ClockRecord, isTrusted: () => boolean) {
    this.#record = record;
    this.#isTrusted = isTrusted;
    this.#date = kept.map(({ table, key, at }) =>
      db.prepare(
        `UPDATE ${table} SET ${at} = ${at} - ${undated} + ? WHERE (${key}) IN (
           SELECT ${key} FROM ${table} WHERE ${at} >= ${undated} LIMIT ?)`,
      ),
    );
  }

  /** The date of what is written now. */
  dateOf(now: Instant): Instant {
    return this.#isTrusted() ? now : undated;
  }

  /** As {@link dateOf}, of an event: the clock cannot be earlier any more. */
  dateOfEvent(now: Instant): Instant {
    const date = this.dateOf(now);
    if (date !== undated) this.#record.passed(now);
    return date;
  }

  /** What the age of things is to be told from. */
  today(now: Instant): Instant {
    return this.#isTrusted() ? now : beginning;
  }

  /** Dates at most `limit` of each kind that have no date, as of now, if that is known; says how many. */
  catchUp(now: Instant, limit: number): number {
    if (!this.#isTrusted()) return 0;
    return Math.max(...this.#date.map((statement) => statement.run(now, limit).changes));
  }
}
