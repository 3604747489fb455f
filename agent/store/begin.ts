import type { Database } from "better-sqlite3";
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

interface Parts {
  readonly devices: Devices;
  readonly locks: Locks;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly windows: Windows;
  readonly journal: Journal;
  readonly ledger: PlacementLedger;
}

/** Brings what is kept in line with the configuration, which may have changed while nobody ran. The caller's transaction. */
export function begin(db: Database, configured: readonly ConfiguredDevice[], parts: Parts, now: Instant): void {
  const { devices, locks, placements, choices, windows, journal, ledger } = parts;
  const renamed = configured.flatMap(({ id, was }) => was.map((old) => ({ id, old })));
  for (const { id, old } of renamed) {
    if (!renameDevice(db, old, id, now)) continue;
    journal.event("device.renamed", { device_id: id, was: old }, now);
    ledger.displace(id, locks.at(id), now);
    choices.dueOnDevice(id);
  }
  devices.begin(now);
  for (const id of locks.adrift()) {
    const lock = locks.at(id);
    if (lock === undefined) continue;
    // Nobody can ask it; or what stands there now has not said yet that it is the same lock.
    for (const { placement } of placements.onLock(lock)) {
      if (placement.belief.at === "held") ledger.keep(uncertain(placement), now);
    }
  }
  windows.begin(configured.map(({ id }) => id));
  choices.dueWhereUnmet();
}
