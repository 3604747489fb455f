import type { Database, Statement } from "better-sqlite3";
import type { ReplyKey } from "../commands/reply-key.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { Secret } from "../domain/secret.ts";
import { StoreError } from "../errors.ts";
import type { Calendar } from "./calendar.ts";
import { EarlyReplies } from "./early-replies.ts";
import { HeldBack } from "./held-back.ts";
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
  /** Its codes are to be encrypted to this key before it may be sent. */
  readonly replyKey?: ReplyKey | undefined;
  /** MQTT 5 Correlation Data of the command. */
  readonly correlation?: Uint8Array | undefined;
  /** Of an event. */
  readonly number?: number;
}
/** A reply that is kept elsewhere, and has no row. */
type EarlyReply = Pick<Letter, "topic" | "payload" | "correlation">;
/** Where to look for letters: among those of a rank that came after one, or among those of a topic. All where left out. */
export type Stretch = { readonly rank: Letter["rank"]; readonly after: number } | { readonly topic: string };
/** A reply that holds codes as they are, and to whom they are to be encrypted. */
export interface Unencrypted {
  readonly id: number;
  readonly topic: string;
  readonly body: string;
  readonly replyKey: ReplyKey;
}
type Row = {
  readonly id: number;
  readonly rank: number;
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly sealed: number;
  readonly correlation: Uint8Array | null;
};

const repliesKeptFor: Milliseconds = 3600_000;
const ranks = { reply: 0, event: 1 } as const;
/** Of what is not ready to be sent. */
const unready = 2;

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
  readonly #unencrypted: Statement<[number], Row>;
  readonly #copy: Statement<[Buffer, number]>;
  readonly #reserve: Statement<[number], { last: number }>;
  readonly #early = new EarlyReplies<Row & { readonly payload: string }>();
  /** No letter of its rank that has a row comes after it. */
  readonly #last: Record<Letter["rank"], number>;
  #isHolding = false;
  readonly #held = { reply: new HeldBack(), event: new HeldBack() };
  #released: () => void = () => undefined;

  constructor(db: Database, vault: Vault, calendar: Calendar) {
    this.#vault = vault;
    this.#calendar = calendar;
    this.events = new WaitingEvents(db);
    this.#insert = db.prepare(
      "INSERT INTO outbox (id, rank, topic, payload, sealed, correlation, at, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    const select = "SELECT id, rank, topic, payload, sealed, correlation FROM outbox";
    this.#next = db.prepare(`${select} WHERE rank < ${unready} ORDER BY rank, id ${limited}`);
    this.#nextAfter = db.prepare(`${select} WHERE rank = ? AND id > ? ORDER BY id ${limited}`);
    this.#nextOf = db.prepare(`${select} WHERE topic = ? AND rank < ${unready} ORDER BY id ${limited}`);
    this.#unencrypted = db.prepare(`${select} WHERE rank = ${unready} ORDER BY id ${limited}`);
    // It comes behind all that was sent meanwhile: who sends does not look back.
    this.#copy = db.prepare(
      `INSERT INTO outbox (rank, topic, payload, sealed, correlation, at)
       SELECT ${ranks.reply}, topic, ?, sealed, correlation, at FROM outbox WHERE id = ? AND rank = ${unready}`,
    );
    this.#delete = db.prepare("DELETE FROM outbox WHERE id = ?");
    this.#count = db.prepare("SELECT count(*) AS count FROM outbox");
    this.#countOf = db.prepare("SELECT count(*) AS count FROM outbox WHERE topic IN (SELECT value FROM json_each(?))");
    const last = db.prepare<[number], { id: number | null }>("SELECT max(id) AS id FROM outbox WHERE rank = ?");
    this.#last = { reply: last.get(ranks.reply)?.id ?? 0, event: last.get(ranks.event)?.id ?? 0 };
    // The table's own count of the numbers that it gave: none of them is given again.
    this.#reserve = db.prepare("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'outbox' RETURNING seq AS last");
    this.#expire = db.prepare(
      "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE rank = 0 AND at < ? ORDER BY id LIMIT ?)",
    );
  }

  /** @param id the place of another that was removed; behind all others if left out. */
  put(letter: Letter, now: Instant, id?: number): void {
    const at = this.#write(letter, now, id);
    if (this.#isHolding) this.#held[letter.rank].hold(at);
  }

  #write(letter: Letter, now: Instant, id: number | undefined): number {
    const { rank, topic, payload, sealed, correlation, number, replyKey } = letter;
    const isSealed = sealed || replyKey !== undefined;
    const text = replyKey ? JSON.stringify({ replyKey, body: payload }) : payload;
    const stored = isSealed ? this.#seal(text, topic) : Buffer.from(text);
    const order = replyKey ? unready : ranks[rank];
    const date = this.#calendar.dateOf(now);
    const values = [order, topic, stored, Number(isSealed), correlation ?? null, date, number ?? null] as const;
    const at = Number(this.#insert.run(id ?? null, ...values).lastInsertRowid);
    this.#last[rank] = Math.max(this.#last[rank], at);
    return at;
  }

  /** Numbers for as many letters that are no rows: the first of them. */
  reserve(count: number): number {
    const reserved = this.#reserve.get(count);
    if (!reserved) throw new StoreError("The outbox does not count its letters", { hint: "restore the database" });
    return reserved.last - count + 1;
  }

  /** A reply that is kept elsewhere, to be handed out under a number that was reserved. */
  putEarly(id: number, { topic, payload, correlation }: EarlyReply): void {
    this.#early.put({ id, rank: ranks.reply, topic, payload, sealed: 0, correlation: correlation ?? null });
    if (this.#isHolding) this.#held.reply.hold(id);
  }

  /**
   * Such a reply is kept elsewhere no longer: where the broker has it not yet, it becomes a row. It does not wait for the disk,
   * which has it in the one place or in the other; and who sends does not look back to where it stands.
   */
  settleEarly(id: number, now: Instant): void {
    const reply = this.#early.take(id);
    if (!reply) return;
    const { topic, payload, correlation } = reply;
    this.#write({ rank: "reply", topic, payload, correlation: correlation ?? undefined }, now, id);
  }

  /** Such replies are handed out no more. */
  silence(): void {
    this.#early.clear();
  }

  /** An event that nobody can have read gets another place, and says something else. */
  replaceEvent(id: number, by: { readonly id: number; readonly payload: string }): void {
    this.events.replace(id, by);
    this.#last.event = Math.max(this.#last.event, by.id);
    if (this.#isHolding) this.#held.event.hold(by.id);
  }

  /** What `act` puts here is handed out when it is on disk. */
  holding<T>(act: () => T): T {
    this.#isHolding = true;
    try {
      return act();
    } finally {
      this.#isHolding = false;
    }
  }

  /** There are letters that wait for the disk. */
  get isHolding(): boolean {
    return !this.#held.reply.isEmpty || !this.#held.event.isEmpty;
  }

  /** What was put here until now is being brought to the disk. */
  syncing(): void {
    for (const held of [this.#held.reply, this.#held.event]) held.syncing();
  }

  /** It is there. */
  synced(): void {
    const isReply = this.#held.reply.synced();
    const isEvent = this.#held.event.synced();
    if (isReply || isEvent) this.#released();
  }

  /** @param released called when letters may be handed out that had to wait for the disk. */
  onReleased(released: () => void): void {
    this.#released = released;
  }

  #seal(text: string, topic: string): Buffer {
    return this.#vault.seal(new Secret(text), placeOf(topic));
  }

  #textOf({ payload, sealed, topic }: Pick<Row, "payload" | "sealed" | "topic">): string {
    if (typeof payload === "string") return payload;
    return sealed ? this.#vault.open(payload, placeOf(topic)).reveal() : payload.toString("utf8");
  }

  /** Replies that are not to be sent as they are, oldest first. */
  unencrypted(limit: number): readonly Unencrypted[] {
    return this.#unencrypted.all(limit).map((row) => {
      const { replyKey, body }: Pick<Unencrypted, "replyKey" | "body"> = JSON.parse(this.#textOf(row));
      return { id: row.id, topic: row.topic, replyKey, body };
    });
  }

  /** One of them may be sent now, with this body. */
  encrypted({ id, topic }: Pick<Unencrypted, "id" | "topic">, body: string): void {
    this.#last.reply = Number(this.#copy.run(this.#seal(body, topic), id).lastInsertRowid);
    this.#delete.run(id);
  }

  /** The first letters in order of sending that are not in flight: at most `limit`. */
  next(
    inFlight: ReadonlySet<number>,
    limit: number,
    of?: Stretch,
  ): readonly { id: number; topic: string; payload: string; correlation?: Uint8Array }[] {
    const after = of && "rank" in of ? of.after : 0;
    // Most of those in flight come before those that are asked for.
    const passed = [...inFlight].filter((id) => id > after).length;
    const rows = this.#onDisk(this.#rows(limit + passed, of))
      .filter(({ id }) => !inFlight.has(id))
      .slice(0, limit);
    this.events.handedOut(inFlight, rows, of && "rank" in of && of.rank === "event" ? of.after : undefined);
    return rows.map((row) => ({
      id: row.id,
      topic: row.topic,
      payload: this.#textOf(row),
      ...(row.correlation ? { correlation: row.correlation } : {}),
    }));
  }

  /** None behind one that is not: who sends does not look back. */
  #onDisk(rows: readonly Row[]): readonly Row[] {
    const held = rows.findIndex(({ id, rank }) => this.#held[rank === ranks.reply ? "reply" : "event"].has(id));
    return held < 0 ? rows : rows.slice(0, held);
  }

  #rows(limit: number, of: Stretch | undefined): readonly Row[] {
    const rows = this.#stored(limit, of);
    const early = this.#earlyOf(limit, of);
    if (early.length === 0 || rows.length === 0) return early.length === 0 ? rows : early;
    return [...rows, ...early].toSorted((a, b) => a.rank - b.rank || a.id - b.id).slice(0, limit);
  }

  #stored(limit: number, of: Stretch | undefined): readonly Row[] {
    if (!of) return this.#next.all(limit);
    if ("topic" in of) return this.#nextOf.all(of.topic, limit);
    if (of.after >= this.#last[of.rank]) return [];
    return this.#nextAfter.all(ranks[of.rank], of.after, limit);
  }

  #earlyOf(limit: number, of: Stretch | undefined): readonly Row[] {
    if (of && "topic" in of) return this.#early.on(of.topic, limit);
    return of?.rank === "event" ? [] : this.#early.after(of?.after ?? 0, limit);
  }

  /** The broker has these replies: forgets those that have no row. Says which have one. */
  deliveredEarly(ids: readonly number[]): readonly number[] {
    return ids.filter((id) => !this.#early.take(id));
  }

  /** It has these rows: removes them. The caller's transaction. */
  delivered(ids: readonly number[]): void {
    for (const id of ids) this.#delete.run(id);
    this.events.delivered(ids);
  }

  get waiting(): number {
    return (this.#count.get()?.count ?? 0) + this.#early.size;
  }

  waitingOn(topics: readonly string[]): number {
    return (this.#countOf.get(JSON.stringify(topics))?.count ?? 0) + this.#early.countOn(new Set(topics));
  }

  /** Removes at most `limit` replies that nobody came for: the sender has long repeated the command. Says how many. */
  prune(now: Instant, limit: number): number {
    return this.#expire.run(later(this.#calendar.today(now), -repliesKeptFor), limit).changes;
  }
}

const placeOf = (topic: string): string => `outbox/${topic}`;
