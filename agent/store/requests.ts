import type { Database, Statement } from "better-sqlite3";
import type { Replies, Reply } from "../commands/perform.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { Secret } from "../domain/secret.ts";
import type { Calendar } from "./calendar.ts";
import type { Vault } from "./vault.ts";

const keptFor: Milliseconds = 7 * 24 * 3600_000;
const keptAtLeast = 100_000;
type Row = { command: string; parameters: string; status: number; body: Buffer; sealed: number };

/** The replies to writes that named a `request_id`: kept for seven days, and the last 100,000 in any case. */
export class Requests implements Replies {
  readonly #vault: Vault;
  readonly #calendar: Calendar;
  readonly #now: () => Instant;
  readonly #find: Statement<[string], Row>;
  readonly #has: Statement<[string]>;
  readonly #insert: Statement;
  readonly #prune: Statement<[number, number, number]>;

  constructor(db: Database, vault: Vault, now: () => Instant, calendar: Calendar) {
    this.#vault = vault;
    this.#calendar = calendar;
    this.#now = now;
    this.#find = db.prepare("SELECT command, parameters, status, body, sealed FROM requests WHERE request_id = ?");
    this.#has = db.prepare("SELECT 1 FROM requests WHERE request_id = ?");
    this.#insert = db.prepare(
      "INSERT INTO requests (request_id, command, parameters, status, body, sealed, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#prune = db.prepare(
      `DELETE FROM requests WHERE request_id IN (
        SELECT request_id FROM requests
        WHERE at < ? AND at < (SELECT at FROM requests ORDER BY at DESC LIMIT 1 OFFSET ?)
        ORDER BY at LIMIT ?)`,
    );
  }

  find(requestId: string, name: string, parameters: string): Reply | "conflict" | undefined {
    const row = this.#find.get(requestId);
    if (!row) return undefined;
    if (row.command !== name || row.parameters !== this.#hash(parameters)) return "conflict";
    const body = row.sealed ? this.#vault.open(row.body, placeOf(requestId)).reveal() : row.body.toString("utf8");
    return { status: row.status, body };
  }

  has(requestId: string): boolean {
    return this.#has.get(requestId) !== undefined;
  }

  remember(requestId: string, name: string, parameters: string, { status, body }: Reply, sealed: boolean): void {
    const stored = sealed ? this.#vault.seal(new Secret(body), placeOf(requestId)) : Buffer.from(body);
    const date = this.#calendar.dateOf(this.#now());
    this.#insert.run(requestId, name, this.#hash(parameters), status, stored, sealed ? 1 : 0, date);
  }

  /** Removes at most `limit` that are past their time; says how many. */
  prune(now: Instant, limit: number): number {
    return this.#prune.run(later(this.#calendar.today(now), -keptFor), keptAtLeast, limit).changes;
  }

  /** Keyed, since the parameters may hold a PIN, and a plain hash of a PIN is as good as the PIN. */
  #hash(parameters: string): string {
    return this.#vault.mark(["request", parameters]);
  }
}

const placeOf = (requestId: string): string => `request/${requestId}`;
