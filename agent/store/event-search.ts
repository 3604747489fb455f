import type { Database, Statement } from "better-sqlite3";
import type { EventQuery, ToldEvent } from "../commands/records.ts";
import { limited } from "./limit.ts";

type Row = { body: string };
/** Later than any date in the journal. */
const never = 9e15;

/** Finds events in the journal: what was told, and may have been told a good while ago. */
export class EventSearch {
  readonly #byId: Statement<[string], Row>;
  readonly #byNumber: Statement<[object], Row>;
  readonly #byTime: Statement<[object], Row>;

  constructor(db: Database) {
    this.#byId = db.prepare(
      "SELECT body FROM journal WHERE json_extract(body, '$.event_id') = ? AND number IS NOT NULL",
    );
    const where = [
      "number > @after",
      isOneOf("type", "types"),
      isOneOf("device_id", "devices"),
      isOneOf("user_identity_id", "identities"),
      isOneOf("json_extract(body, '$.access_code_id')", "accessCodes"),
      isOneOf("json_extract(body, '$.access_grant_id')", "accessGrants"),
    ].join(" AND ");
    const last = `ORDER BY number ${limited.replace("?", "@limit")}`;
    this.#byNumber = db.prepare(`SELECT body FROM journal WHERE ${where} ${last}`);
    // By itself SQLite goes through all numbers, though only the last hour is asked for.
    this.#byTime = db.prepare(
      `SELECT body FROM journal INDEXED BY journal_by_time WHERE at BETWEEN @from AND @until AND ${where} ${last}`,
    );
  }

  one(id: string): ToldEvent | undefined {
    const row = this.#byId.get(id);
    return row && JSON.parse(row.body);
  }

  /** In the order of their numbers. */
  find({ after, limit, from, until, ...lists }: EventQuery): readonly ToldEvent[] {
    const { types, devices, identities, accessCodes, accessGrants } = lists;
    const named = {
      after,
      limit,
      types: asJson(types),
      devices: asJson(devices),
      identities: asJson(identities),
      accessCodes: asJson(accessCodes),
      accessGrants: asJson(accessGrants),
    };
    const rows =
      from === undefined && until === undefined
        ? this.#byNumber.all(named)
        : this.#byTime.all({ ...named, from: from ?? 0, until: until ?? never });
    return rows.map(({ body }): ToldEvent => JSON.parse(body));
  }
}

const isOneOf = (column: string, list: string): string =>
  `(@${list} IS NULL OR ${column} IN (SELECT value FROM json_each(@${list})))`;

const asJson = (list: readonly string[] | undefined): string | null =>
  list === undefined ? null : JSON.stringify(list);
