import type { Database, Statement } from "better-sqlite3";
import { revocationDebt } from "../commands/agent.ts";
import { type Instant, instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Journal } from "./journal.ts";
import type { Placements } from "./placements.ts";

const key = "debt_overdue_before";

/** Tells when what is to be taken away has stayed on locks for too long, and when that is over: each once (Law 5). */
export class Debt {
  readonly #placements: Placements;
  readonly #journal: Journal;
  readonly #transaction: (act: () => void) => void;
  readonly #get: Statement<[], { value: string }>;
  readonly #set: Statement<[string]>;
  readonly #delete: Statement<[]>;

  constructor(db: Database, of: { placements: Placements; journal: Journal; transaction: (act: () => void) => void }) {
    this.#placements = of.placements;
    this.#journal = of.journal;
    this.#transaction = of.transaction;
    this.#get = db.prepare(`SELECT value FROM meta WHERE key = '${key}'`);
    this.#set = db.prepare(`INSERT INTO meta (key, value) VALUES ('${key}', ?)`);
    this.#delete = db.prepare(`DELETE FROM meta WHERE key = '${key}'`);
  }

  /**
   * Two look-ups, where nothing is to be told.
   *
   * @param after how long it may take.
   * @returns when the oldest of it will have taken that long; undefined where there is none, or it has.
   */
  look(after: Milliseconds, now: Instant): Instant | undefined {
    const told = this.#get.get();
    const oldest = this.#placements.oldestDebt();
    // What was called overdue stays so where the clock is set back.
    const before = instant(Math.max(later(now, -after), Number(told?.value ?? 0)));
    const isOverdue = oldest !== undefined && oldest <= before;
    if (isOverdue !== (told !== undefined)) this.#transaction(() => this.#tell(isOverdue, before, now));
    return oldest === undefined || isOverdue ? undefined : later(oldest, after);
  }

  #tell(isOverdue: boolean, before: Instant, now: Instant): void {
    if (isOverdue) this.#set.run(String(before));
    else this.#delete.run();
    const debt = revocationDebt(this.#placements.debts());
    this.#journal.event(isOverdue ? "revocation.overdue" : "revocation.cleared", debt, now);
  }
}
