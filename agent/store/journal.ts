import type { Database, Statement } from "better-sqlite3";
import type { EventFields } from "../commands/records.ts";
import type { DeviceId } from "../domain/ids.ts";
import { type Instant, instant, later, type Milliseconds, toIso } from "../domain/instant.ts";
import type { Calendar } from "./calendar.ts";
import { type Budget, EventBudget } from "./event-budget.ts";
import { limited } from "./limit.ts";
import { orderedId } from "./ordered-id.ts";
import type { Outbox } from "./outbox.ts";

const keptFor: Milliseconds = 30 * 24 * 3600_000;
const keptRows = 1_000_000;
/** A budget that was made smaller is kept little by little, so that no event has to wait for it. */
const forcedOutAtOnce = 250;

export interface FreshEvent {
  readonly type: string;
  readonly fields: EventFields;
}

/** What happened: events, numbered without a gap and told to the cloud, and entries that only an operator reads. */
export class Journal {
  readonly #names: { readonly epoch: string; readonly workspaceId: string };
  readonly #outbox: Outbox;
  readonly #calendar: Calendar;
  readonly #budget: EventBudget;
  readonly #insert: Statement;
  readonly #rewrite: Statement<[string, number]>;
  readonly #since: Statement<[], { at: number | null }>;
  readonly #ofDevice: Statement<[number, number, string, number], { body: string }>;
  readonly #last: Statement<[], { number: number | null }>;
  readonly #pruneOld: Statement<[number, number]>;
  readonly #pruneMany: Statement<[number, number]>;
  readonly #fresh: FreshEvent[] = [];
  /** Events of the transaction that is open. */
  #uncounted = 0;
  /** The newest that was given; undefined where it is to be read. */
  #number: number | undefined;

  constructor(
    db: Database,
    names: { readonly epoch: string; readonly workspaceId: string },
    {
      outbox,
      budget,
      now,
      calendar,
    }: {
      readonly outbox: Outbox;
      readonly budget: Budget;
      readonly now: () => Instant;
      readonly calendar: Calendar;
    },
  ) {
    this.#names = names;
    this.#outbox = outbox;
    this.#calendar = calendar;
    const book = {
      last: () => this.#lastNumber,
      write: (loss: object) => this.#write("events_lost", { ...loss }, now(), now()),
      rewrite: (number: number, body: string) => void this.#rewrite.run(body, number),
    };
    this.#budget = new EventBudget(outbox, budget, book, calendar);
    this.#insert = db.prepare(
      "INSERT INTO journal (number, at, type, device_id, user_identity_id, body) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#rewrite = db.prepare("UPDATE journal SET body = ? WHERE number = ?");
    this.#since = db.prepare("SELECT min(at) AS at FROM journal");
    this.#ofDevice = db.prepare(
      `SELECT body FROM journal WHERE at BETWEEN ? AND ? AND device_id = ? ORDER BY at DESC, entry DESC ${limited}`,
    );
    this.#last = db.prepare("SELECT max(number) AS number FROM journal");
    // The newest event stays, whatever its age: the next number is told from it.
    const prune = (past: string): Statement<[number, number]> =>
      db.prepare(
        `DELETE FROM journal WHERE entry IN (SELECT entry FROM journal WHERE ${past} LIMIT ?) AND number IS NOT (SELECT max(number) FROM journal)`,
      );
    this.#pruneOld = prune("at < ? ORDER BY at");
    this.#pruneMany = prune("entry <= (SELECT max(entry) FROM journal) - ? ORDER BY entry");
  }

  /** Events since this was last asked: for the log, once they are committed. */
  takeFresh(): readonly FreshEvent[] {
    return this.#fresh.splice(0);
  }

  /** What was written since `mark` was undone. */
  rollBack(mark: number): void {
    this.#fresh.splice(mark);
    this.#number = undefined;
  }

  get mark(): number {
    return this.#fresh.length;
  }

  /** Something that the cloud is to know. `occurredAt`: where it happened earlier than we heard of it. */
  event(type: string, fields: EventFields, now: Instant, occurredAt: Instant = now): void {
    const { number, body } = this.#write(type, fields, now, occurredAt);
    this.#outbox.put({ rank: "event", topic: `event/${type}`, payload: body, number }, now);
    this.#uncounted += 1;
  }

  /** At the end of a transaction, in it: of the events that wait no more are kept than may be. */
  keepBudget(now: Instant): void {
    if (this.#uncounted === 0) return;
    this.#budget.enforce(now, Math.max(this.#uncounted, forcedOutAtOnce));
    this.#uncounted = 0;
  }

  #write(type: string, fields: EventFields, now: Instant, occurredAt: Instant): { number: number; body: string } {
    const number = this.#lastNumber + 1;
    const created = toIso(now);
    const body = JSON.stringify({
      event_id: orderedId(now),
      epoch: this.#names.epoch,
      number,
      event_type: type,
      occurred_at: occurredAt === now ? created : toIso(occurredAt),
      created_at: created,
      workspace_id: this.#names.workspaceId,
      ...fields,
      code: null,
    });
    const date = this.#calendar.dateOfEvent(now);
    this.#insert.run(number, date, type, fields.device_id ?? null, fields.user_identity_id ?? null, body);
    this.#number = number;
    this.#fresh.push({ type, fields });
    return { number, body };
  }

  get #lastNumber(): number {
    this.#number ??= this.#last.get()?.number ?? 0;
    return this.#number;
  }

  /** Something that only the journal is to know. */
  note(type: string, fields: EventFields, now: Instant): void {
    const body = JSON.stringify({ type, at: toIso(now), ...fields });
    this.#insert.run(
      null,
      this.#calendar.dateOf(now),
      type,
      fields.device_id ?? null,
      fields.user_identity_id ?? null,
      body,
    );
  }

  /** How far back it goes; undefined where it is empty. */
  since(): Instant | undefined {
    const at = this.#since.get()?.at;
    return at == null ? undefined : instant(at);
  }

  /** What happened at a device, oldest first: where there is more than `limit`, the last of it. */
  of(device: DeviceId, from: Instant, to: Instant, limit: number): readonly Readonly<Record<string, unknown>>[] {
    return this.#ofDevice
      .all(from, to, device, limit)
      .map(({ body }): Readonly<Record<string, unknown>> => JSON.parse(body))
      .toReversed();
  }

  /** Forces out at most `limit` events that have waited for too long, or are too many; says how many. */
  makeRoom(now: Instant, limit: number): number {
    return this.#budget.enforce(now, limit);
  }

  /** Removes at most `limit` entries that are past their time; says how many. */
  prune(now: Instant, limit: number): number {
    const old = this.#pruneOld.run(later(this.#calendar.today(now), -keptFor), limit).changes;
    return old + this.#pruneMany.run(keptRows, limit - old).changes;
  }
}
