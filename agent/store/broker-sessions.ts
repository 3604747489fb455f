import type { Database, Statement } from "better-sqlite3";
import { type Instant, instant, later, type Milliseconds } from "../domain/instant.ts";

/** A session that the broker kept for us: where, and under which name. */
export interface SessionName {
  /** `host:port` */
  readonly broker: string;
  readonly clientId: string;
}

/** As long as a broker keeps a session, and a repeated command is known by its id. */
const toldFor: Milliseconds = 7 * 24 * 3600_000;

/** What a broker has sent may have waited for so long to be read, and the broker be gone by then. */
const unreadFor: Milliseconds = 1_000;

/** Where we had sessions, until when we were surely connected there, and which of them were lost. */
export class BrokerSessions {
  readonly #known: Statement<[string, string], { connected_at: number }>;
  readonly #connected: Statement<[string, string, number]>;
  readonly #heard: Statement<[number, string, string]>;
  readonly #lose: Statement<[number, number, string, string]>;
  readonly #lost: Statement<[string, string, number], { offline_since: number; lost_at: number }>;

  constructor(db: Database) {
    this.#known = db.prepare("SELECT connected_at FROM broker_sessions WHERE broker = ? AND client_id = ?");
    this.#connected = db.prepare(
      "INSERT INTO broker_sessions (broker, client_id, connected_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET connected_at = excluded.connected_at",
    );
    this.#heard = db.prepare("UPDATE broker_sessions SET connected_at = ? WHERE broker = ? AND client_id = ?");
    this.#lose = db.prepare(
      "UPDATE broker_sessions SET offline_since = ?, lost_at = ? WHERE broker = ? AND client_id = ?",
    );
    this.#lost = db.prepare(
      "SELECT offline_since, lost_at FROM broker_sessions WHERE broker = ? AND client_id = ? AND lost_at > ?",
    );
  }

  /** Connected, where the broker remembers us or not: says since when we were away, if it has forgotten us. */
  connected({ broker, clientId }: SessionName, remembered: boolean, at: Instant): Instant | undefined {
    const before = this.#known.get(broker, clientId);
    this.#connected.run(broker, clientId, at);
    if (remembered || !before) return undefined;
    const since = later(instant(before.connected_at), -unreadFor);
    this.#lose.run(since, at, broker, clientId);
    return since;
  }

  heard({ broker, clientId }: SessionName, at: Instant): void {
    this.#heard.run(at, broker, clientId);
  }

  /** The last session that was lost there, if that was less than seven days ago. */
  lost(
    { broker, clientId }: SessionName,
    now: Instant,
  ): { readonly offlineSince: Instant; readonly at: Instant } | undefined {
    const row = this.#lost.get(broker, clientId, later(now, -toldFor));
    return row && { offlineSince: instant(row.offline_since), at: instant(row.lost_at) };
  }
}
