import type { Database, Statement } from "better-sqlite3";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { Secret } from "../domain/secret.ts";
import type { Vault } from "./vault.ts";

/** Something to be published, once it has a row of its own. */
export interface Letter {
  readonly rank: "reply" | "event";
  /** Below `{prefix}/{agent_id}/`. */
  readonly topic: string;
  readonly payload: string;
  readonly sealed: boolean;
  /** MQTT 5 Correlation Data of the command. */
  readonly correlation: Uint8Array | undefined;
}
type Row = { id: number; topic: string; payload: Buffer; sealed: number; correlation: Buffer | null };

const repliesKeptFor: Milliseconds = 3600_000;
const ranks = { reply: 0, event: 1 } as const;

/** What is still to be told, replies first: a row leaves only when the broker has acknowledged it (Law 11). */
export class Outbox {
  readonly #vault: Vault;
  readonly #insert: Statement;
  readonly #next: Statement<[number], Row>;
  readonly #delete: Statement<[number]>;
  readonly #count: Statement<[], { count: number }>;
  readonly #expire: Statement<[number]>;

  constructor(db: Database, vault: Vault) {
    this.#vault = vault;
    this.#insert = db.prepare(
      "INSERT INTO outbox (rank, topic, payload, sealed, correlation, at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#next = db.prepare("SELECT id, topic, payload, sealed, correlation FROM outbox ORDER BY rank, id LIMIT ?");
    this.#delete = db.prepare("DELETE FROM outbox WHERE id = ?");
    this.#count = db.prepare("SELECT count(*) AS count FROM outbox");
    this.#expire = db.prepare("DELETE FROM outbox WHERE rank = 0 AND at < ?");
  }

  put({ rank, topic, payload, sealed, correlation }: Letter, now: Instant): void {
    const stored = sealed ? this.#vault.seal(new Secret(payload), placeOf(topic)) : Buffer.from(payload);
    this.#insert.run(ranks[rank], topic, stored, sealed ? 1 : 0, correlation ?? null, now);
  }

  /** The first letters in order of sending that are not in flight: at most `limit`. */
  next(
    inFlight: ReadonlySet<number>,
    limit: number,
  ): readonly { id: number; topic: string; payload: string; correlation?: Uint8Array }[] {
    return this.#next
      .all(limit + inFlight.size)
      .filter(({ id }) => !inFlight.has(id))
      .slice(0, limit)
      .map(({ id, topic, payload, sealed, correlation }) => ({
        id,
        topic,
        payload: sealed ? this.#vault.open(payload, placeOf(topic)).reveal() : payload.toString("utf8"),
        ...(correlation ? { correlation } : {}),
      }));
  }

  delivered(ids: readonly number[]): void {
    for (const id of ids) this.#delete.run(id);
  }

  get waiting(): number {
    return this.#count.get()?.count ?? 0;
  }

  /** Replies that nobody came for: the sender has long repeated the command. */
  prune(now: Instant): void {
    this.#expire.run(later(now, -repliesKeptFor));
  }
}

const placeOf = (topic: string): string => `outbox/${topic}`;
