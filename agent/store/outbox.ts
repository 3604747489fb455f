import type { Database, Statement } from "better-sqlite3";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { Secret } from "../domain/secret.ts";
import type { Calendar } from "./calendar.ts";
import { limited } from "./limit.ts";
import type { Vault } from "./vault.ts";
import { WaitingEvents } from "./waiting-events.ts";

/** Something to be published, once it has a row of its own. */
export interface Letter {
  readonly rank: "reply" | "event";
  /** Below `{prefix}/{agent_id}/`. */
  readonly topic: string;
  readonly payload: string;
  readonly sealed?: boolean;
  /** MQTT 5 Correlation Data of the command. */
  readonly correlation?: Uint8Array | undefined;
  /** Of an event. */
  readonly number?: number;
}
/** Where to look for letters: among those of a rank that came after one, or among those of a topic. All where left out. */
export type Stretch = { readonly rank: Letter["rank"]; readonly after: number } | { readonly topic: string };
type Row = { id: number; topic: string; payload: Buffer; sealed: number; correlation: Buffer | null };

const repliesKeptFor: Milliseconds = 3600_000;
const ranks = { reply: 0, event: 1 } as const;

/** What is still to be told, replies first: a row leaves only when the broker has acknowledged it (Law 11). */
export class Outbox {
  readonly events: WaitingEvents;
  readonly #vault: Vault;
  readonly #calendar: Calendar;
  readonly #insert: Statement;
  readonly #next: Statement<[number], Row>;
  readonly #nextAfter: Statement<[number, number, number], Row>;
  readonly #nextOf: Statement<[string, number], Row>;
  readonly #delete: Statement<[number]>;
  readonly #count: Statement<[], { count: number }>;
  readonly #countOf: Statement<[string], { count: number }>;
  readonly #expire: Statement<[number, number]>;

  constructor(db: Database, vault: Vault, calendar: Calendar) {
    this.#vault = vault;
    this.#calendar = calendar;
    this.events = new WaitingEvents(db);
    this.#insert = db.prepare(
      "INSERT INTO outbox (id, rank, topic, payload, sealed, correlation, at, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    const select = "SELECT id, topic, payload, sealed, correlation FROM outbox";
    this.#next = db.prepare(`${select} ORDER BY rank, id ${limited}`);
    this.#nextAfter = db.prepare(`${select} WHERE rank = ? AND id > ? ORDER BY id ${limited}`);
    this.#nextOf = db.prepare(`${select} WHERE topic = ? ORDER BY id ${limited}`);
    this.#delete = db.prepare("DELETE FROM outbox WHERE id = ?");
    this.#count = db.prepare("SELECT count(*) AS count FROM outbox");
    this.#countOf = db.prepare("SELECT count(*) AS count FROM outbox WHERE topic IN (SELECT value FROM json_each(?))");
    this.#expire = db.prepare(
      "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE rank = 0 AND at < ? ORDER BY id LIMIT ?)",
    );
  }

  /** @param id the place of another that was removed; behind all others if left out. */
  put({ rank, topic, payload, sealed, correlation, number }: Letter, now: Instant, id?: number): void {
    const stored = sealed ? this.#vault.seal(new Secret(payload), placeOf(topic)) : Buffer.from(payload);
    const isSealed = sealed ? 1 : 0;
    const date = this.#calendar.dateOf(now);
    this.#insert.run(id ?? null, ranks[rank], topic, stored, isSealed, correlation ?? null, date, number ?? null);
  }

  /** The first letters in order of sending that are not in flight: at most `limit`. */
  next(
    inFlight: ReadonlySet<number>,
    limit: number,
    of?: Stretch,
  ): readonly { id: number; topic: string; payload: string; correlation?: Uint8Array }[] {
    const rows = this.#rows(limit + inFlight.size, of)
      .filter(({ id }) => !inFlight.has(id))
      .slice(0, limit);
    this.events.handedOut(inFlight, rows, of && "rank" in of && of.rank === "event" ? of.after : undefined);
    return rows.map(({ id, topic, payload, sealed, correlation }) => ({
      id,
      topic,
      payload: sealed ? this.#vault.open(payload, placeOf(topic)).reveal() : payload.toString("utf8"),
      ...(correlation ? { correlation } : {}),
    }));
  }

  #rows(limit: number, of: Stretch | undefined): Row[] {
    if (!of) return this.#next.all(limit);
    return "topic" in of ? this.#nextOf.all(of.topic, limit) : this.#nextAfter.all(ranks[of.rank], of.after, limit);
  }

  delivered(ids: readonly number[]): void {
    for (const id of ids) this.#delete.run(id);
    this.events.delivered(ids);
  }

  get waiting(): number {
    return this.#count.get()?.count ?? 0;
  }

  waitingOn(topics: readonly string[]): number {
    return this.#countOf.get(JSON.stringify(topics))?.count ?? 0;
  }

  /** Removes at most `limit` replies that nobody came for: the sender has long repeated the command. Says how many. */
  prune(now: Instant, limit: number): number {
    return this.#expire.run(later(this.#calendar.today(now), -repliesKeptFor), limit).changes;
  }
}

const placeOf = (topic: string): string => `outbox/${topic}`;
