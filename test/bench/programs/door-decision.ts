import { randomInt, randomUUID } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../../../agent/clock.ts";
import type { Credential } from "../../../agent/domain/credential.ts";
import { deviceId, userIdentityId } from "../../../agent/domain/ids.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import { packageRoot } from "../../../agent/package.ts";
import { Credentials } from "../../../agent/store/credentials.ts";
import { Grants } from "../../../agent/store/grants.ts";
import { openDatabase } from "../../../agent/store/open.ts";
import { storeOn } from "../../../agent/store/store.ts";
import { median, percentile } from "../statistics.ts";

/**
 * A door whose reader asks, and so many people who may use it, each with a card: how long it takes to decide on a card, and how
 * long a look-up by primary key takes in the same database. Each ask for a round brings one, of other cards.
 */
const [, , folder = "", people = "1", asks = "1"] = process.argv;
const now = systemClock.now();
const door = deviceId("lobby");
const opened = openDatabase(
  join(folder, "latchd.db"),
  join(folder, "key"),
  join(packageRoot(), "agent/store/migrations"),
  now,
);
const store = storeOn(opened, {
  dataDir: folder,
  devices: [
    {
      id: door,
      name: "Lobby",
      timeZone: "UTC",
      lead: 0,
      writesPerDay: 50,
      auditReads: 0,
      driver: "simulated",
      bolt: "with memory",
      place: { link: "readers", address: "lobby" },
      was: [],
      doorman: { rule: "pin_or_card", pinLength: undefined, lockOut: { count: 5, for: 60_000 } },
    },
  ],
  pins: { issue: false, length: 6 },
  events: { rows: 100, days: 1 },
  now: () => now,
});
const { db, vault } = opened;
const cardOf = (number: number): Credential => ({
  kind: "card",
  format: "wiegand26",
  bits: new Secret(number.toString(16).padStart(7, "0")),
});

// By commands they would be there in a minute; the store settles in one transaction what it settles then.
const credentials = new Credentials(db, vault);
const grants = new Grants(db);
const choose = db.prepare("INSERT INTO choices (device_id, user_identity_id) VALUES (?, ?)");
const atOnce = 1_000;
for (let from = 0; from < Number(people); from += atOnce) {
  store.transaction(() => {
    for (let number = from; number < Math.min(Number(people), from + atOnce); number++) {
      const identity = userIdentityId(`person-${number}`);
      grants.addDirect(identity, door, now);
      credentials.add(identity, cardOf(number), "own", 0, now);
      choose.run(door, identity);
    }
  });
}
db.exec("CREATE TABLE bare (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID");
const keys = Array.from({ length: Number(people) }, () => randomUUID());
const insert = db.prepare("INSERT INTO bare (key, value) VALUES (?, ?)");
db.transaction(() => {
  for (const key of keys) insert.run(key, key);
})();
const lookUp = db.prepare<[string], { value: string }>("SELECT key, value FROM bare WHERE key = ?");

/** Microseconds each, of so many. */
function timed(act: (number: number) => boolean): number[] {
  const took: number[] = [];
  for (let count = 0; count < Number(asks); count++) {
    const number = randomInt(Number(people));
    const before = process.hrtime.bigint();
    const isRight = act(number);
    took.push(Number(process.hrtime.bigint() - before) / 1_000);
    if (!isRight) throw new Error(`person ${number} is not known`);
  }
  return took;
}

// What is presented is a credential by then: to make one is the driver's part.
const cards = Array.from({ length: Number(people) }, (_, number) => [cardOf(number)]);
const decide = (number: number): boolean => store.doors.decide(door, cards[number] ?? [], now).decision === "admit";
const look = (number: number): boolean => lookUp.get(keys[number] ?? "") !== undefined;
timed(decide);
timed(look);
process.on("message", () => {
  const [decided, looked] = [timed(decide), timed(look)];
  process.send?.({
    decision: median(decided),
    p99: percentile(decided, 99),
    lookUp: median(looked),
    lookUpP99: percentile(looked, 99),
  });
});
process.send?.({ ready: true });
