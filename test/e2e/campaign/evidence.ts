import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Vault } from "../../../agent/store/vault.ts";
import type { Sight } from "../../../simulator/witness.ts";
import type { Passed } from "../../support/mqtt-proxy.ts";

/** A step that was intended and not settled, on the disk of a dead agent. */
interface Unsettled {
  readonly device_id: string;
  readonly belief: "write" | "clear";
  readonly slot: string | null;
  readonly valid_from: number;
}

/** What a dead agent has left. */
export interface Remains {
  readonly unsettled: readonly Unsettled[];
  /** Commands that are on its disk. */
  readonly committed: ReadonlySet<string>;
  /** Replies that wait there. */
  readonly unsaid: ReadonlySet<string>;
}

/** Opens the database of a dead agent: a copy of it, so that the next one finds it as it was left. */
export function remainsOf(dataDir: string): Remains {
  return withCopy(dataDir, (db) => ({
    unsettled: db
      .prepare<[], Unsettled>(
        "SELECT device_id, belief, slot, valid_from FROM placements WHERE valid_to IS NULL AND in_flight = 1",
      )
      .all(),
    committed: new Set(
      db
        .prepare<[], { request_id: string }>("SELECT request_id FROM requests")
        .all()
        .map((row) => row.request_id),
    ),
    unsaid: new Set(
      db
        .prepare<[], { topic: string }>("SELECT topic FROM outbox WHERE rank = 0")
        .all()
        .map(({ topic }) => topic.slice("reply/".length)),
    ),
  }));
}

/** Every PIN that the agent has ever had in its database, and whose it was. */
export function pinsOf(dataDir: string): ReadonlyMap<string, string> {
  const vault = new Vault(Buffer.from(readFileSync(join(dataDir, "key"), "utf8").trim(), "hex"));
  return withCopy(
    dataDir,
    (db) =>
      new Map(
        db
          .prepare<[], { credential_id: string; user_identity_id: string; sealed: Buffer }>(
            "SELECT credential_id, user_identity_id, sealed FROM credentials",
          )
          .all()
          .map((row) => [vault.open(row.sealed, `credential/${row.credential_id}`).reveal(), row.user_identity_id]),
      ),
  );
}

function withCopy<T>(dataDir: string, look: (db: Database.Database) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "latchd-remains-"));
  try {
    for (const name of ["latchd.db", "latchd.db-wal"]) {
      if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(folder, name));
    }
    const db = new Database(join(folder, "latchd.db"));
    try {
      return look(db);
    } finally {
      db.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One life of the agent: how it ended, and what was found. */
export interface Life {
  readonly aim: string;
  readonly startedAt: number;
  readonly killedAt: number;
  /** Connections to its broker up to then, in all lives. */
  readonly connections: number;
  readonly remains: Remains;
}

/** Where in its work an agent was killed: any number of these. */
export interface Moment {
  readonly aim: string;
  readonly betweenIntendAndSettle: boolean;
  readonly afterTheLockHadStored: boolean;
  readonly betweenCommitAndPuback: boolean;
  readonly betweenPubackAndReply: boolean;
}

/**
 * Where the kills have hit.
 *
 * @param passed what went between the agent and its broker, in all lives.
 * @param sights what was seen in the locks, in all lives; the name of a lock is that of its device.
 */
export function momentsOf(lives: readonly Life[], passed: readonly Passed[], sights: readonly Sight[]): Moment[] {
  return lives.map(({ aim, startedAt, killedAt, connections, remains }, index) => {
    const before = lives[index - 1];
    // One that was killed before it had looked at its books has left those of the one before it.
    const unsettled = remains.unsettled.filter((step) => step.valid_from >= startedAt);
    const words = wordsOf(passed.filter(({ connection: c }) => c > (before?.connections ?? 0) && c <= connections));
    const isNew = (id: string): boolean => remains.committed.has(id) && !before?.remains.committed.has(id);
    const fresh = [...remains.committed].filter(isNew);
    return {
      aim,
      betweenIntendAndSettle: unsettled.length > 0,
      afterTheLockHadStored: unsettled.some((step) => sights.some((sight) => hasDone(sight, step, killedAt))),
      betweenCommitAndPuback: fresh.some((id) => words.came.has(id) && !words.acknowledged.has(id)),
      betweenPubackAndReply: fresh.some(
        (id) => words.acknowledged.has(id) && !words.replied.has(id) && remains.unsaid.has(id),
      ),
    };
  });
}

const hasDone = (sight: Sight, { device_id: device, belief, slot, valid_from: intended }: Unsettled, by: number) =>
  sight.lock === device &&
  sight.slot === slot &&
  sight.happened === (belief === "write" ? "stored" : "cleared") &&
  sight.at >= intended &&
  sight.at <= by;

/** Request ids of the commands that came, were acknowledged, and were replied to. */
function wordsOf(passed: readonly Passed[]): Record<"came" | "acknowledged" | "replied", ReadonlySet<string>> {
  const [came, acknowledged, replied] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const ids = new Map<string, string>();
  for (const { from, packet, connection } of passed) {
    if (packet.cmd === "puback" && from === "agent") {
      const id = ids.get(`${connection} ${packet.messageId}`);
      if (id !== undefined) acknowledged.add(id);
    }
    if (packet.cmd !== "publish") continue;
    const [, kind, rest = ""] = /\/(command|reply)\/(.+)$/.exec(packet.topic) ?? [];
    if (from === "agent" && kind === "reply") replied.add(rest);
    if (from === "broker" && kind === "command") {
      const { request_id: id } = JSON.parse(packet.payload.toString()) as { request_id: string };
      came.add(id);
      ids.set(`${connection} ${packet.messageId}`, id);
    }
  }
  return { came, acknowledged, replied };
}
