import type { Database } from "better-sqlite3";
import { hereOf, isHere } from "../domain/decided-here.ts";
import { uncertain } from "../domain/displaced.ts";
import type { Instant } from "../domain/instant.ts";
import type { Choices } from "./choices.ts";
import type { ConfiguredDevice, Devices } from "./devices.ts";
import type { Journal } from "./journal.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Locks } from "./locks.ts";
import type { Placements } from "./placements.ts";
import { renameDevice } from "./rename.ts";
import type { Windows } from "./windows.ts";

/** A device whose reader asks has no lock that could say so: it is there as soon as it is configured, and as configured. */
function beginDoor(db: Database, { id, doorman }: ConfiguredDevice, parts: Parts, now: Instant): void {
  const { locks, ledger, choices } = parts;
  const lock = locks.at(id);
  const key = `doorman:${id}`;
  const known = metaOf(db, key);
  if (!doorman) {
    if (lock !== undefined && isHere(lock)) {
      ledger.displace(id, undefined, now);
      locks.vacate(id);
    }
    if (known !== undefined) db.prepare("DELETE FROM meta WHERE key = ?").run(key);
    return;
  }
  const here = hereOf(id);
  locks.put(id, here, undefined);
  const rule = JSON.stringify([doorman.rule, doorman.pinLength]);
  if (lock === here && known === rule) return;
  if (lock !== here) ledger.displace(id, here, now);
  setMeta(db, key, rule);
  choices.dueOnDevice(id);
}

interface Parts {
  readonly devices: Devices;
  readonly locks: Locks;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly windows: Windows;
  readonly journal: Journal;
  readonly ledger: PlacementLedger;
  /** Tells whether something else is to be chosen by than at the last start: the configuration, or another latchd. */
  readonly chosenBy: string;
}

/** Brings what is kept in line with the configuration, which may have changed while nobody ran. The caller's transaction. */
export function begin(db: Database, configured: readonly ConfiguredDevice[], parts: Parts, now: Instant): void {
  const { devices, locks, placements, choices, windows, journal, ledger } = parts;
  const renamed = configured.flatMap(({ id, was }) => was.map((old) => ({ id, old })));
  for (const { id, old } of renamed) {
    if (!renameDevice(db, old, id, now)) continue;
    for (const kept of [devices, locks, placements]) kept.reread();
    journal.event("device.renamed", { device_id: id, was: old }, now);
    ledger.displace(id, locks.at(id), now);
    choices.dueOnDevice(id);
  }
  devices.begin(now);
  for (const id of locks.adrift()) {
    const lock = locks.at(id);
    if (lock === undefined) continue;
    if (isHere(lock)) {
      // Nobody answers the reader any more: nothing opens there.
      ledger.displace(id, undefined, now);
      locks.vacate(id);
      continue;
    }
    // Nobody can ask it; or what stands there now has not said yet that it is the same lock.
    for (const { placement } of placements.onLock(lock)) {
      if (placement.belief.at === "held") ledger.keep(uncertain(placement), now);
    }
  }
  for (const door of configured) beginDoor(db, door, parts, now);
  // By the same configuration the zones are the same; and what has nothing to open with is looked for lock by lock, as each
  // is met.
  if (metaOf(db, "chosen_by") === parts.chosenBy) return;
  windows.begin(configured.map(({ id }) => id));
  choices.dueWhereUnmet();
  setMeta(db, "chosen_by", parts.chosenBy);
}

const metaOf = (db: Database, key: string): string | undefined =>
  db.prepare<[string], { value: string }>("SELECT value FROM meta WHERE key = ?").get(key)?.value;

const setMeta = (db: Database, key: string, value: string): void =>
  void db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)").run(key, value);
