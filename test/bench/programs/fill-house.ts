import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../agent/clock.ts";
import { loadConfig } from "../../../agent/config.ts";
import { deviceId, userIdentityId } from "../../../agent/domain/ids.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import { Credentials } from "../../../agent/store/credentials.ts";
import { Grants } from "../../../agent/store/grants.ts";
import { openDatabase } from "../../../agent/store/open.ts";
import { storeOn } from "../../../agent/store/store.ts";
import { storeOptions } from "../../../agent/store-options.ts";
import { drivers } from "../../../drivers/index.ts";
import { readChip, writeKept } from "../../../drivers/simulated/chip.ts";
import simulated from "../../../drivers/simulated/index.ts";
import { bareHost } from "../bare-host.ts";
import { doorOf, lockOf, upTo } from "../house.ts";

/**
 * The data directory of an agent that has run for years: as many people with a code of their own on every lock, all of them
 * live, and the locks hold them. What one writes with commands in an hour is written here with the store's own parts.
 */
const [, , file = "", locks = "1", codes = "1"] = process.argv;
const now = systemClock.now();
const config = await loadConfig(file, { drivers, commands: [] });
const options = storeOptions(config, () => now);
const database = join(config.dataDir, "latchd.db");
if (existsSync(database)) throw new Error(`${database} is there already`);
const opened = openDatabase(database, config.keyFile, options.migrations, now);
const store = storeOn(opened, options);
const { db, vault } = opened;
const directory = join(config.dataDir, "links", "simulated");
const link = await simulated.open(simulated.options.parse(config.links.get("simulated")?.options), bareHost(directory));
const doors = upTo(Number(locks));
const { signal } = new AbortController();
for (const door of doors)
  store.rounds.learn(deviceId(doorOf(door)), await link.lock(lockOf(door)).abilities(signal), []);

const people = upTo(Number(codes)).map((number) => ({
  identity: userIdentityId(`resident-${number}`),
  digits: String(100_000 + 7 * number),
  slot: String(number),
}));
const grants = new Grants(db);
const credentials = new Credentials(db, vault);
const placement = db.prepare(
  `INSERT INTO placements (placement_id, device_id, lock, user_identity_id, credential_id, kind, fingerprint, wanted, rank,
     belief, slot, proof, suspect, attempts, pauses, at_rest, state, since, valid_from)
   VALUES (?, ?, ?, ?, ?, 'pin', ?, 1, ?, 'held', ?, 'read_back', 0, 1, 0, 1, 'live', ?, ?)`,
);
db.pragma("synchronous = OFF");
db.transaction(() => {
  const held = people.map(({ identity, digits, slot }) => {
    grants.nameIdentity(identity, now);
    const pin = { kind: "pin", digits: new Secret(digits) } as const;
    return { identity, slot, id: credentials.add(identity, pin, "own", 0, now), print: vault.fingerprint(pin) };
  });
  let rank = 0;
  for (const door of doors) {
    const lock = store.rounds.lockAt(deviceId(doorOf(door)));
    for (const { identity, slot, id, print } of held) {
      grants.addDirect(identity, deviceId(doorOf(door)), now);
      placement.run(`${doorOf(door)} ${identity}`, doorOf(door), lock, identity, id, print, ++rank, slot, now, now);
    }
  }
})();
db.pragma("wal_checkpoint(TRUNCATE)");
store.close();
for (const door of doors) {
  const chip = join(directory, `${lockOf(door)}.json`);
  const held = people.map(({ identity, digits, slot }) => [
    slot,
    { kind: "pin" as const, value: digits, label: identity },
  ]);
  writeKept(chip, { ...readChip(chip), entries: Object.fromEntries(held) });
}
await link[Symbol.asyncDispose]();
process.send?.({ ready: true });
process.disconnect();
