import type { Database, Statement } from "better-sqlite3";
import { doubts, type KeptTrust } from "../domain/clock-trust.ts";
import { type Instant, instant } from "../domain/instant.ts";

interface Row {
  readonly mark: number | null;
  readonly doubt: string | null;
  readonly since: number | null;
  readonly step_by: number | null;
  readonly step_to: number | null;
  readonly turned_at: number | null;
}

/** What is kept of the clock: whether it was trusted last, and up to when. */
export class ClockRecord {
  readonly #db: Database;
  readonly #mark: Statement;
  readonly #keep: Statement;
  readonly #turn: Statement;
  #latest: Instant | undefined;

  constructor(db: Database) {
    this.#db = db;
    this.#mark = db.prepare("UPDATE clock SET mark = ?");
    this.#keep = db.prepare("UPDATE clock SET doubt = ?, since = ?, step_by = ?, step_to = ?");
    this.#turn = db.prepare("UPDATE clock SET turned_at = ?");
    const mark = this.#row?.mark;
    this.#latest = mark == null ? undefined : instant(mark);
  }

  /** The last event that was committed while the clock was trusted. */
  get mark(): Instant | undefined {
    return this.#latest;
  }

  /** An event is written, and the clock is trusted. */
  passed(now: Instant): void {
    if (this.#latest === undefined || now > this.#latest) this.restart(now);
  }

  /** The clock is right by somebody's word: what was recorded later than this was recorded by a wrong one. */
  restart(now: Instant): void {
    this.#mark.run(now);
    this.#latest = now;
  }

  /** When windows were last opened and closed, up to some minutes. */
  get turned(): Instant | undefined {
    const at = this.#row?.turned_at;
    return at == null ? undefined : instant(at);
  }

  turn(now: Instant): void {
    this.#turn.run(now);
  }

  /** Undefined where no process has looked at it before. */
  get kept(): KeptTrust | undefined {
    const row = this.#row;
    if (row?.since == null) return undefined;
    return {
      doubt: doubts.find((doubt) => doubt === row.doubt),
      since: instant(row.since),
      step: row.step_by === null || row.step_to === null ? undefined : { by: row.step_by, to: instant(row.step_to) },
    };
  }

  keep({ doubt, since, step }: KeptTrust): void {
    this.#keep.run(doubt ?? null, since, step?.by ?? null, step?.to ?? null);
  }

  get #row(): Row | undefined {
    return this.#db.prepare<[], Row>("SELECT mark, doubt, since, step_by, step_to, turned_at FROM clock").get();
  }
}
