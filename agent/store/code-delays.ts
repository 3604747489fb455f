import type { Database, Statement } from "better-sqlite3";
import { late } from "../domain/access-code-status.ts";
import { placementId } from "../domain/ids.ts";
import { type Instant, instant, later } from "../domain/instant.ts";
import type { CodeEvents } from "./code-events.ts";
import type { Placements } from "./placements.ts";

/** Told in one transaction: nothing else happens meanwhile. */
const atOnce = 100;

/** Tells when a PIN that is to be on its device now has not been for a while, each once until it is there. */
export class CodeDelays {
  readonly #placements: Placements;
  readonly #codeEvents: CodeEvents;
  readonly #transaction: (act: () => void) => void;
  readonly #late: Statement<[number, number], { placement_id: string }>;
  readonly #next: Statement<[], { since: number | null }>;

  constructor(
    db: Database,
    of: { placements: Placements; codeEvents: CodeEvents; transaction: (act: () => void) => void },
  ) {
    this.#placements = of.placements;
    this.#codeEvents = of.codeEvents;
    this.#transaction = of.transaction;
    const onTheWay = `FROM placements AS p INDEXED BY placements_on_the_way WHERE valid_to IS NULL AND kind = 'pin' AND wanted = 1 AND dormant = 0
      AND state IN ('waiting', 'writing', 'unconfirmed')`;
    const isAccessCode = "p.user_identity_id >= 'access_code:' AND p.user_identity_id < 'access_code;'";
    const untold = `NOT EXISTS (SELECT 1 FROM codes_told AS t WHERE t.is_late = 1 AND CASE WHEN ${isAccessCode}
      THEN t.code = substr(p.user_identity_id, 13) AND t.device_id = ''
      ELSE t.code = p.credential_id AND t.device_id = p.device_id END)`;
    this.#late = db.prepare(`SELECT placement_id ${onTheWay} AND since <= ? AND ${untold} ORDER BY since LIMIT ?`);
    this.#next = db.prepare(`SELECT min(since) AS since ${onTheWay} AND ${untold}`);
  }

  /** @returns when there will be something to tell, if nothing is set until then. */
  look(now: Instant): Instant | undefined {
    const found = this.#late.all(later(now, -late), atOnce);
    if (found.length > 0) {
      this.#transaction(() => {
        for (const { placement_id: id } of found) {
          const kept = this.#placements.get(placementId(id));
          if (kept) this.#codeEvents.delayed(kept.placement, kept.since, now);
        }
      });
    }
    const since = this.#next.get()?.since;
    return since == null ? undefined : later(instant(since), late);
  }
}
