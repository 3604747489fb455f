import type { Database, Statement } from "better-sqlite3";
import { type Instant, instant } from "../domain/instant.ts";

/** An event in the outbox that is not on its way. */
export interface WaitingEvent {
  readonly id: number;
  readonly number: number;
  readonly topic: string;
  readonly payload: string;
  readonly at: Instant;
}
type Row = { id: number; number: number; topic: string; payload: Buffer; at: number };

/** Where it is said which events left the outbox unsent. */
export const lossTopic = "event/events_lost";

/** The events of the outbox by their numbers, and which of them may be on their way. */
export class WaitingEvents {
  readonly #count: Statement<[], { waiting: number }>;
  readonly #first: Statement<[], { at: number }>;
  readonly #upTo: Statement<[number], Row>;
  readonly #numbered: Statement<[number], Row>;
  readonly #remove: Statement<[number]>;
  readonly #replace: Statement<[number, Buffer, number]>;
  #onTheirWay: ReadonlySet<number> = new Set();
  /** Rows of {@link lossTopic} that were handed out: somebody may have read them. */
  readonly #toldLosses = new Set<number>();
  #passed = 0;

  constructor(db: Database) {
    const select = "SELECT id, number, topic, payload, at FROM outbox";
    this.#count = db.prepare("SELECT waiting FROM outbox_events");
    this.#first = db.prepare("SELECT at FROM outbox WHERE number IS NOT NULL ORDER BY number LIMIT 1");
    this.#upTo = db.prepare(`${select} WHERE number <= ? ORDER BY number`);
    this.#numbered = db.prepare(`${select} WHERE number = ?`);
    this.#remove = db.prepare("DELETE FROM outbox WHERE id = ?");
    this.#replace = db.prepare("UPDATE outbox SET id = ?, payload = ? WHERE id = ?");
  }

  /** Rows were asked for, to be sent. @param after where in the order of events they begin, if it was asked for by that. */
  handedOut(inFlight: ReadonlySet<number>, rows: readonly { id: number; topic: string }[], after?: number): void {
    this.#onTheirWay = new Set([...inFlight, ...rows.map(({ id }) => id)]);
    for (const { id, topic } of rows) if (topic === lossTopic) this.#toldLosses.add(id);
    if (after !== undefined) this.#passed = Math.max(after, rows.at(-1)?.id ?? 0);
  }

  delivered(ids: readonly number[]): void {
    for (const id of ids) this.#toldLosses.delete(id);
  }

  /** Those on their way, too. */
  get count(): number {
    return this.#count.get()?.waiting ?? 0;
  }

  /** Since when the first of them waits, on its way or not; undefined where none does. */
  get since(): Instant | undefined {
    const at = this.#first.get()?.at;
    return at === undefined ? undefined : instant(at);
  }

  /** The one with the lowest number, up to `last`, that is not on its way. */
  oldest(last: number): WaitingEvent | undefined {
    for (const row of this.#upTo.iterate(last)) if (!this.#onTheirWay.has(row.id)) return eventOf(row);
    return undefined;
  }

  /** The event of that number, where nobody can have read it. */
  untold(number: number): WaitingEvent | undefined {
    const row = this.#numbered.get(number);
    return row && row.topic === lossTopic && !this.#toldLosses.has(row.id) ? eventOf(row) : undefined;
  }

  /** Whether what is put in this place would not be sent before the next connection. */
  isPassed(id: number): boolean {
    return id <= this.#passed;
  }

  remove(id: number): void {
    this.#remove.run(id);
  }

  replace(id: number, by: { readonly id: number; readonly payload: string }): void {
    this.#replace.run(by.id, Buffer.from(by.payload), id);
  }
}

const eventOf = ({ id, number, topic, payload, at }: Row): WaitingEvent => ({
  id,
  number,
  topic,
  payload: payload.toString("utf8"),
  at: instant(at),
});
