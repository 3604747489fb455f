import type { Database, Statement } from "better-sqlite3";
import { revocationDebt } from "../commands/agent.ts";
import { placementId } from "../domain/ids.ts";
import { earliest, type Instant, instant, later, type Milliseconds, toIso } from "../domain/instant.ts";
import type { CodeEvents } from "./code-events.ts";
import type { Journal } from "./journal.ts";
import type { Placements } from "./placements.ts";

const key = "debt_overdue_before";
/** How long the removal of one credential may take (WIRE, "Receipts and events"). */
const inTime: Milliseconds = 5 * 60_000;
/** Told in one transaction: nothing else happens meanwhile. */
const atOnce = 100;

type Late = { placement_id: string; user_identity_id: string; device_id: string; kind: string; since: number };

/**
 * Tells when what is to be taken away has stayed on locks for too long, and when that is over: of each credential, and of all
 * of them together, each once (Law 5).
 */
export class Debt {
  readonly #placements: Placements;
  readonly #journal: Journal;
  readonly #codeEvents: CodeEvents;
  readonly #transaction: (act: () => void) => void;
  readonly #get: Statement<[], { value: string }>;
  readonly #set: Statement<[string]>;
  readonly #delete: Statement<[]>;
  readonly #late: Statement<[number, number], Late>;
  readonly #nextLate: Statement<[], { since: number | null }>;
  readonly #noteLate: Statement<[string, number]>;
  readonly #forgetLate: Statement<[]>;

  constructor(
    db: Database,
    of: { placements: Placements; journal: Journal; codeEvents: CodeEvents; transaction: (act: () => void) => void },
  ) {
    this.#codeEvents = of.codeEvents;
    this.#placements = of.placements;
    this.#journal = of.journal;
    this.#transaction = of.transaction;
    this.#get = db.prepare(`SELECT value FROM meta WHERE key = '${key}'`);
    this.#set = db.prepare(`INSERT INTO meta (key, value) VALUES ('${key}', ?)`);
    this.#delete = db.prepare(`DELETE FROM meta WHERE key = '${key}'`);
    const leaving = "FROM placements AS p WHERE valid_to IS NULL AND state = 'removing'";
    const untold =
      "NOT EXISTS (SELECT 1 FROM overdue AS o WHERE o.placement_id = p.placement_id AND o.since = p.since)";
    this.#late = db.prepare(
      `SELECT placement_id, user_identity_id, device_id, kind, since ${leaving} AND since <= ? AND ${untold} ORDER BY since LIMIT ?`,
    );
    this.#nextLate = db.prepare(`SELECT min(since) AS since ${leaving} AND ${untold}`);
    this.#noteLate = db.prepare("INSERT OR REPLACE INTO overdue (placement_id, since) VALUES (?, ?)");
    this.#forgetLate = db.prepare(`DELETE FROM overdue WHERE placement_id NOT IN (SELECT placement_id ${leaving})`);
  }

  /**
   * A few look-ups, where nothing is to be told.
   *
   * @param after how long all of it together may take.
   * @returns when there will be something to tell, if nothing is removed until then.
   */
  look(after: Milliseconds, now: Instant): Instant | undefined {
    return earliest([this.#lookAtEach(now), this.#lookAtAll(after, now)]);
  }

  #lookAtEach(now: Instant): Instant | undefined {
    const late = this.#late.all(later(now, -inTime), atOnce);
    if (late.length > 0) this.#transaction(() => this.#tellLate(late, now));
    const since = this.#nextLate.get()?.since;
    return since == null ? undefined : later(instant(since), inTime);
  }

  #tellLate(late: readonly Late[], now: Instant): void {
    this.#forgetLate.run();
    for (const { placement_id: id, user_identity_id: identity, device_id: device, kind, since } of late) {
      this.#noteLate.run(id, since);
      const of = { user_identity_id: identity, device_id: device, credential_kind: kind, evidence: null };
      this.#journal.event("access.overdue", { ...of, reason: "not_removed", since: toIso(instant(since)) }, now);
      const kept = this.#placements.get(placementId(id));
      if (kept) this.#codeEvents.overdue(kept.placement, kept.since, now);
    }
  }

  #lookAtAll(after: Milliseconds, now: Instant): Instant | undefined {
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
