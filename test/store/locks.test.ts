import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { type DeviceId, deviceId, userIdentityId } from "../../agent/domain/ids.ts";
import { instant } from "../../agent/domain/instant.ts";
import { observe } from "../../agent/domain/observe.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { intendClear, intendWrite, type Settlement, settleClear, settleWrite } from "../../agent/domain/settle.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { migrate } from "../../agent/store/open.ts";
import type { Store } from "../../agent/store/store.ts";
import { configured, doors, keypad, MemoryStore } from "../support/memory-store.ts";
import { migrations } from "../support/world.ts";

const [first = deviceId("door-1"), second = deviceId("door-2")] = doors;
const one = slotName("1");
const [x, y, z] = ["serial-x", "serial-y", "serial-z"].map((identity) => keypad({ identity }));
assert(x && y && z);

const types = (desk: MemoryStore): unknown[] => desk.events().map((event) => event["event_type"]);
const receipt = (desk: MemoryStore, device: DeviceId): unknown =>
  desk.ask("access/list", { device_id: device })["receipts"];

function grant(desk: MemoryStore, device: DeviceId, person = "ann"): void {
  const pair = { user_identity_id: person, device_id: device };
  expect(desk.ask("user_identities/grant_access_to_device", pair)).toEqual({ ok: true });
}
const revoke = (desk: MemoryStore, device: DeviceId): unknown =>
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ann", device_id: device });

function only(store: Store, device: DeviceId): Placement {
  const [placement, ...more] = store.rounds.placements(device);
  assert(placement && more.length === 0, `${more.length + 1} placements at ${device}`);
  return placement;
}

/** A round of a lock that does as it is told: what is wanted is written into the first slot, and read back. */
function write(desk: MemoryStore, device: DeviceId, { rounds }: Store = desk.store): void {
  const stored = { result: "stored", slot: one, proof: "read_back" } as const;
  rounds.choose(device);
  for (const { id, wanted, belief } of rounds.placements(device)) {
    if (!wanted || belief.at !== "nowhere") continue;
    rounds.change(device, id, (before) =>
      settleWrite(intendWrite(before, one, desk.now, undefined), before, stored, desk.now, undefined),
    );
  }
}

/** The lock at a device says what is in the first slot; what is not wanted there is cleared. */
function read(desk: MemoryStore, device: DeviceId, { rounds }: Store = desk.store): void {
  const stored = { result: "stored", slot: one, proof: "read_back" } as const;
  for (const { id, wanted, fingerprint } of rounds.placements(device)) {
    rounds.change(device, id, (now) => observe(now, one, { state: "known", fingerprint }, desk.now));
    if (!wanted) rounds.change(device, id, (now) => settleClear(intendClear(now, one), now, stored, desk.now));
  }
}

function live(device = first): MemoryStore {
  const desk = new MemoryStore();
  desk.store.rounds.learn(device, x ?? keypad());
  grant(desk, device);
  write(desk, device);
  expect(receipt(desk, device)).toMatchObject([{ state: "live" }]);
  return desk;
}

test("a lock that says of itself what it said before, in whatever order, has nobody's code chosen anew", () => {
  using desk = live();
  const { rounds, records } = desk.store;
  const { memory, ...rest } = x;
  assert(memory);
  rounds.learn(first, { ...rest, memory, bolt: { locks: true } });
  rounds.choose(first);
  const isDue = (): boolean => records.isChoiceDue(userIdentityId("ann"), first);
  expect(isDue()).toBe(false);
  rounds.learn(first, { bolt: { locks: true }, memory, ...rest });
  expect(isDue()).toBe(false);
  rounds.learn(first, { ...rest, memory });
  expect(isDue()).toBe(true);
});

test("after a start by the same configuration what has nothing to open with is looked for once, as its lock is met", () => {
  using desk = live();
  desk.opened.db.exec("UPDATE placements SET wanted = 0");
  const isDue = (store: Store): boolean => store.records.isChoiceDue(userIdentityId("ann"), first);
  const same = desk.reopened(doors);
  expect(isDue(same)).toBe(false);
  same.rounds.learn(first, x);
  expect(isDue(same)).toBe(true);
  desk.opened.db.exec("DELETE FROM choices");
  same.rounds.learn(first, x);
  expect(isDue(same)).toBe(false);
  // By another one it is looked for at once, also where no lock answers.
  expect(isDue(desk.reopened([configured(first, { name: "Another" }), configured(second)]))).toBe(true);
});

test("another lock at a device: what is on the first one is to be removed from that one, and is placed anew on the other", () => {
  using desk = live();
  const { rounds } = desk.store;
  const old = only(desk.store, first);
  rounds.learn(first, y);
  expect(rounds.isUnread(first)).toBe(true);
  expect(desk.events().slice(-2)).toMatchObject([
    { event_type: "device.replaced", device_id: first, was: "serial-x", is: "serial-y" },
    { event_type: "access.unconfirmed", user_identity_id: "ann", reason: "lock_replaced" },
  ]);
  write(desk, first);
  expect(only(desk.store, first)).toMatchObject({ lock: "serial-y", wanted: true });
  expect(receipt(desk, first)).toMatchObject([
    {
      state: "live",
      credentials: [
        { state: "removing", reason: "lock_replaced" },
        { state: "live", reason: null },
      ],
    },
  ]);
  expect(desk.store.records.orphans()).toMatchObject([
    { device: first, reason: "lock_replaced", lock: "serial-x", placements: 1, place: { address: first } },
  ]);
  // Nothing that is said at the device is said of the lock that is not there.
  expect(rounds.change(first, old.id, (now) => ({ ...now, belief: { at: "nowhere", proof: "read_back" } }))).toBe(
    undefined,
  );
  revoke(desk, first);
  read(desk, first);
  expect(rounds.placements(first)).toEqual([]);
  expect(types(desk)).not.toContain("access.gone");
  expect(receipt(desk, first)).toMatchObject([{ state: "removing" }]);
  expect(desk.store.records.debts()).toMatchObject([{ device: first, count: 1 }]);
});

test("the first lock comes back: its code is looked at, and then is live again", () => {
  using desk = live();
  const { rounds } = desk.store;
  rounds.learn(first, y);
  write(desk, first);
  rounds.learn(first, x);
  rounds.choose(first);
  expect(only(desk.store, first)).toMatchObject({ lock: "serial-x", wanted: true, belief: { at: "write", slot: one } });
  expect(receipt(desk, first)).toMatchObject([{ state: "unconfirmed" }]);
  read(desk, first);
  expect(receipt(desk, first)).toMatchObject([{ state: "live" }]);
  expect(desk.store.records.orphans()).toMatchObject([{ lock: "serial-y", placements: 1 }]);
});

test("what never was on the lock that is replaced is not in the debt", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, x);
  grant(desk, first);
  rounds.choose(first);
  rounds.learn(first, y);
  rounds.choose(first);
  expect(only(desk.store, first)).toMatchObject({ lock: "serial-y", wanted: true });
  expect(desk.store.records.debts()).toEqual([]);
  expect(types(desk)).toEqual(["access.accepted", "device.replaced"]);
});

test("two locks change places: each is cleared of the other's codes, where it is now", () => {
  using desk = live();
  const { rounds } = desk.store;
  rounds.learn(second, y);
  expect(rounds.learn(second, x)).toEqual([first]);
  expect(rounds.lockAt(first)).toBe(undefined);
  expect(rounds.placements(first)).toEqual([]);
  expect(rounds.choose(first)).toEqual({ due: new Set(), more: false });
  expect(only(desk.store, second)).toMatchObject({ device: first, wanted: false });
  rounds.learn(first, y);
  write(desk, first);
  expect(receipt(desk, first)).toMatchObject([{ state: "removing", credentials: [{ reason: "lock_away" }, {}] }]);
  rounds.heard(second, true);
  expect(receipt(desk, first)).toMatchObject([{ state: "removing", credentials: [{ reason: null }, {}] }]);
  expect(desk.store.records.orphans()).toEqual([]);
  read(desk, second);
  expect(rounds.placements(second)).toEqual([]);
  expect(receipt(desk, first)).toMatchObject([{ state: "live", credentials: [{ state: "live" }] }]);
});

test("a code that a lock brings along is kept where the same person may use its new door; for the old one it is gone", () => {
  using desk = live();
  const { rounds } = desk.store;
  rounds.learn(second, y);
  grant(desk, second);
  const { id } = only(desk.store, first);
  revoke(desk, first);
  rounds.learn(second, x);
  rounds.choose(second);
  expect(only(desk.store, second)).toMatchObject({ id, device: second, wanted: true, belief: { at: "write" } });
  expect(desk.events().at(-1)).toMatchObject({ event_type: "access.gone", device_id: first, user_identity_id: "ann" });
  expect(receipt(desk, first)).toEqual([]);
  read(desk, second);
  expect(receipt(desk, second)).toMatchObject([{ state: "live" }]);
});

test("one code is not given to two people on a lock, whatever door it came from", () => {
  using desk = live();
  const { rounds } = desk.store;
  const set = { user_identity_id: "ann", kind: "pin", value: "4071" };
  desk.ask("credentials/set", set);
  write(desk, first);
  rounds.learn(second, y);
  grant(desk, second, "ben");
  rounds.learn(second, x);
  expect(desk.ask("credentials/set", { ...set, user_identity_id: "ben" })).toMatchObject({
    error: { type: "duplicate_access_code" },
  });
});

test("a lock that comes under another name is known by its codes; what it does not say stays in the debt of the old name", () => {
  using desk = live();
  const { rounds } = desk.store;
  const { id, fingerprint } = only(desk.store, first);
  rounds.learn(first, y);
  rounds.choose(first);
  expect(rounds.recognise(first, slotName("2"), { state: "known", fingerprint })).toBe(false);
  expect(rounds.recognise(first, one, { state: "opaque" })).toBe(false);
  expect(desk.store.records.debts()).toMatchObject([{ count: 1 }]);
  expect(rounds.recognise(first, one, { state: "known", fingerprint })).toBe(true);
  expect(only(desk.store, first)).toMatchObject({ id, lock: "serial-y", wanted: true, belief: { at: "held" } });
  expect(receipt(desk, first)).toMatchObject([
    { state: "live", credentials: [{ state: "live", evidence: "read_back" }] },
  ]);
  expect(desk.store.records.debts()).toEqual([]);
});

test("a code is not known for that of a lock which was taken out earlier, or which is at another device", () => {
  using desk = live();
  const { rounds } = desk.store;
  const { fingerprint } = only(desk.store, first);
  rounds.learn(first, y);
  rounds.learn(first, z);
  expect(rounds.recognise(first, one, { state: "known", fingerprint })).toBe(false);
  rounds.learn(second, keypad({ identity: "serial-2" }));
  rounds.learn(first, x);
  rounds.learn(first, y);
  rounds.learn(second, x);
  expect(rounds.recognise(first, one, { state: "known", fingerprint })).toBe(false);
});

test("a code that two missing locks have in the same slot is ours wherever it turns up, and forgotten on neither", () => {
  using desk = live();
  const { rounds } = desk.store;
  rounds.learn(second, y);
  grant(desk, second);
  write(desk, second);
  const { fingerprint } = only(desk.store, second);
  expect(only(desk.store, first).fingerprint).toBe(fingerprint);

  rounds.learn(second, keypad({ identity: "serial-w" }));
  rounds.learn(first, z);
  rounds.choose(first);
  expect(rounds.recognise(first, one, { state: "known", fingerprint })).toBe(true);
  expect(receipt(desk, first)).toMatchObject([
    { state: "live", credentials: [{ state: "live" }, { state: "removing", reason: "lock_replaced" }] },
  ]);
});

test.each([
  ["to a slot of its choice is not looked for on a lock whose slots we choose", undefined, []],
  ["to a numbered slot is looked for on the other lock, too", one, [one]],
])("a write that was under way %s", (_, slot, looked) => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, x);
  grant(desk, first);
  rounds.choose(first);
  const sent = intendWrite(only(desk.store, first), slot, desk.now, undefined);
  rounds.learn(first, y, [sent]);
  expect(rounds.placements(first).flatMap(({ belief }) => (belief.at === "write" ? [belief.slot] : []))).toEqual(
    looked,
  );
});

test.each([
  ["was met since the start is not that lock's", true, ["serial-z"]],
  [
    "was not met since the start may be that lock's: what is on either stays in the debt",
    false,
    ["serial-x", "serial-z"],
  ],
])("a code in the same slot of a lock that %s", (_, isMet, owed) => {
  using desk = live();
  desk.store.rounds.learn(second, y);
  grant(desk, second);
  write(desk, second);
  const { rounds, records } = desk.reopened(doors);
  if (isMet) rounds.learn(second, y);
  const { fingerprint } = rounds.placements(second)[0] ?? only(desk.store, first);
  rounds.learn(first, z);
  expect(rounds.recognise(first, one, { state: "known", fingerprint })).toBe(true);
  const removing = records.placements({ device: first }).filter(({ placement }) => !placement.wanted);
  expect(removing.map(({ placement }) => placement.lock).toSorted()).toEqual(owed);
});

test("a survey that a kill interrupts is still to be done", () => {
  using desk = live();
  desk.store.rounds.learn(first, y);
  const after = desk.reopened(doors);
  after.rounds.learn(first, y);
  expect(after.rounds.isUnread(first)).toBe(true);
  after.rounds.read(first);
  expect(desk.reopened(doors).rounds.isUnread(first)).toBe(false);
});

test("a device that is configured no longer: named, a revoke is taken, its code stays in the debt, and all goes on when it is back", () => {
  using desk = live();
  const without = desk.reopened([second]);
  const call = (name: string): string => {
    const pair = { user_identity_id: "ann", device_id: first };
    return desk.perform(`user_identities/${name}_access_to_device`, JSON.stringify(pair), {}, true, without).reply.body;
  };
  expect(without.records.orphans()).toMatchObject([{ device: first, reason: "not_configured", placements: 1 }]);
  expect(types(desk).at(-1)).toBe("access.unconfirmed");
  expect(call("grant")).toContain("device_not_found");
  expect(call("revoke")).toBe('{"ok":true}');
  expect(call("revoke")).toContain("device_not_found");
  expect(without.records.debts()).toMatchObject([{ device: first, count: 1 }]);
  const back = desk.reopened(doors);
  expect(back.records.orphans()).toEqual([]);
  back.rounds.learn(first, x);
  expect(only(back, first)).toMatchObject({ wanted: false });
  read(desk, first, back);
  expect(types(desk).at(-1)).toBe("access.gone");
  expect(back.records.debts()).toEqual([]);
});

test("a device that is moved in the configuration: its codes are unconfirmed until the lock there has said that it is the same", () => {
  using desk = live();
  const moved = [configured(first, { place: { link: "wire", address: "elsewhere" } })];
  const after = desk.reopened(moved);
  expect(after.records.orphans()).toMatchObject([{ device: first, reason: "moved", place: { address: first } }]);
  expect(receipt(desk, first)).toMatchObject([{ state: "unconfirmed" }]);
  after.rounds.learn(first, x);
  expect(after.records.orphans()).toEqual([]);
  expect(only(after, first)).toMatchObject({ belief: { at: "write", slot: one } });
  read(desk, first, after);
  expect(receipt(desk, first)).toMatchObject([{ state: "live" }]);
  expect(desk.reopened(moved).records.orphans()).toEqual([]);
});

test("a device that has another name now keeps what it had, once, and its old name is taken off the broker", () => {
  using desk = live();
  const third = deviceId("door-3");
  const renamed = [configured(third, { place: { link: "wire", address: first }, was: [first] })];
  const after = desk.reopened(renamed);
  expect(desk.events().at(-1)).toMatchObject({ event_type: "device.renamed", device_id: third, was: first });
  expect(after.formerDevices()).toEqual([second, first]);
  expect(receipt(desk, third)).toMatchObject([{ state: "live" }]);
  expect(after.records.orphans()).toEqual([]);
  expect(after.records.grants({ device: first })).toEqual([]);
  expect(only(after, third)).toMatchObject({ device: third, lock: "serial-x" });
  desk.reopened(renamed);
  expect(types(desk).filter((type) => type === "device.renamed")).toHaveLength(1);
});

test("where both names were used, the older grant stays and nothing is on the lock twice", () => {
  using desk = live();
  grant(desk, second);
  grant(desk, second, "ben");
  desk.store.rounds.learn(second, y);
  write(desk, second);
  const after = desk.reopened([configured(second, { was: [first] })]);
  expect(after.records.grants({ device: second }).map(({ identity }) => identity)).toEqual(["ann", "ben"]);
  const rank = desk.opened.db.prepare("SELECT min(row) FROM grants WHERE valid_to IS NULL").pluck().get();
  expect(rank).toBe(1);
  expect(after.rounds.placements(second).map(({ lock, wanted }) => [lock, wanted])).toEqual([
    ["serial-y", true],
    ["serial-y", true],
  ]);
  expect(after.records.orphans()).toMatchObject([{ device: second, reason: "lock_replaced", lock: "serial-x" }]);
});

test("a grant that comes along from a former name is placed on the lock of the new one", () => {
  using desk = new MemoryStore();
  for (const [device, lock] of [
    [first, x],
    [second, y],
  ] as const) {
    desk.store.rounds.learn(device, lock);
  }
  grant(desk, first, "cyd");
  desk.store.rounds.choose(first);
  const after = desk.reopened([configured(second, { was: [first] })]);
  after.rounds.choose(second);
  const there = after.rounds.placements(second).filter(({ lock }) => lock === "serial-y");
  expect(there).toMatchObject([{ identity: "cyd", wanted: true }]);
});

test("a device that had two names takes over from the one that had a lock, whichever is named first", () => {
  const third = deviceId("door-3");
  for (const names of [
    ["never-met", first],
    [first, "never-met"],
  ]) {
    using desk = new MemoryStore();
    const { rounds } = desk.store;
    rounds.learn(first, keypad());
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: first });
    rounds.choose(first);
    desk.reopened([configured(first), configured(deviceId("never-met"))]);
    const after = desk.reopened([
      configured(third, { place: { link: "wire", address: first }, was: names.map(deviceId) }),
    ]);
    expect(after.rounds.lockAt(third)).toBe("serial-1");
    expect(after.rounds.placements(third)).toMatchObject([{ identity: "ann", wanted: true }]);
  }
});

test("a database of the first version learns from what locks have said where its codes are", () => {
  const db = new Database(":memory:");
  db.exec(readFileSync(join(migrations, "0001.sql"), "utf8"));
  db.pragma("user_version = 1");
  db.exec(`
    INSERT INTO devices (device_id, added_at, abilities, online) VALUES ('d', 0, '{"identity":"serial-x"}', 0), ('e', 0, NULL, 0);
    INSERT INTO placements (placement_id, device_id, user_identity_id, credential_id, kind, fingerprint, wanted, rank, belief,
      suspect, attempts, pauses, state, since, valid_from)
    VALUES ('p', 'd', 'ann', 'c', 'pin', 'f', 1, 1, 'nowhere', 0, 0, 0, 'waiting', 0, 0),
           ('q', 'e', 'ann', 'c', 'pin', 'f', 1, 1, 'nowhere', 0, 0, 0, 'waiting', 0, 0);
  `);
  migrate(db, migrations, "test");
  expect(db.prepare("SELECT lock FROM placements ORDER BY placement_id").pluck().all()).toEqual(["serial-x", ""]);
  expect(db.prepare("SELECT lock FROM devices ORDER BY device_id").pluck().all()).toEqual(["serial-x", null]);
  db.close();
});

test("what a lock refused for what was on it is tried again when all of that was deleted", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, x);
  grant(desk, first);
  rounds.choose(first);
  const { id } = only(desk.store, first);
  const refused = { result: "refused", reason: "forbidden" } as const;
  rounds.change(first, id, (before) =>
    settleWrite(intendWrite(before, one, desk.now, undefined), before, refused, desk.now, undefined),
  );
  expect(receipt(desk, first)).toMatchObject([{ state: "refused" }]);
  rounds.happened(first, { suspect: one, events: [] });
  expect(receipt(desk, first)).toMatchObject([{ state: "refused" }]);
  rounds.happened(first, { suspect: "all", events: [] });
  expect(receipt(desk, first)).toMatchObject([{ state: "waiting" }]);
});

test("what a lock refused is not tried again after all was deleted where somebody else has the same code there since", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, x);
  for (const person of ["ann", "ben"]) {
    desk.ask("credentials/set", { user_identity_id: person, kind: "pin", value: "1593" });
  }
  grant(desk, first, "ann");
  rounds.choose(first);
  const refused = { result: "refused", reason: "duplicate" } as const;
  rounds.change(first, only(desk.store, first).id, (before) =>
    settleWrite(intendWrite(before, one, desk.now, undefined), before, refused, desk.now, undefined),
  );
  grant(desk, first, "ben");
  rounds.choose(first);
  const toWrite = (): unknown =>
    rounds.placements(first).flatMap(({ identity, wanted, refusal }) => (wanted && !refusal ? [identity] : []));
  expect(toWrite()).toEqual(["ben"]);
  rounds.happened(first, { suspect: "all", events: [] });
  rounds.choose(first);
  expect(toWrite()).toEqual(["ben"]);
});

test.each([
  { readBack: "masked", at: "nowhere" },
  { readBack: "full", at: "write" },
] as const)(
  "what may as well be its owner's is a code of a person's only where the lock can say so: $readBack",
  ({ readBack, at }) => {
    using desk = new MemoryStore();
    const { rounds } = desk.store;
    const { memory } = x;
    rounds.learn(first, { ...x, ...(memory ? { memory: { ...memory, readBack } } : {}) });
    grant(desk, first);
    rounds.choose(first);
    const { id } = only(desk.store, first);
    rounds.change(first, id, (now) => ({
      ...now,
      belief: { at: "write", slot: one, wasEmpty: false, inFlight: false },
    }));
    desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ann", device_id: first });
    grant(desk, first);
    rounds.choose(first);
    const wanted = (): unknown[] =>
      rounds.placements(first).flatMap(({ wanted: isWanted, belief }) => (isWanted ? [belief.at] : []));
    expect(wanted()).toEqual([at]);
    desk.ask("access_grants/create", { user_identity_id: "ann", device_ids: [first] });
    rounds.choose(first);
    expect(wanted()).toEqual([at]);
  },
);

test("a step that was under way when its lock was taken out is in doubt, and waits for no answer", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, x);
  grant(desk, first);
  rounds.choose(first);
  const { id } = only(desk.store, first);
  rounds.change(first, id, (now) => intendWrite(now, one, instant(0), undefined));
  rounds.learn(first, y);
  expect(rounds.placement(id)).toMatchObject({ wanted: false, belief: { at: "write", slot: one, inFlight: false } });
});

test("a code that is known again on a lock with another name is not written there for somebody else who has the same", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  for (const person of ["ann", "ben"]) {
    desk.ask("credentials/set", { user_identity_id: person, kind: "pin", value: "1593" });
  }
  rounds.learn(first, x ?? keypad());
  grant(desk, first, "ben");
  write(desk, first);
  const { fingerprint } = only(desk.store, first);
  grant(desk, first, "ann");
  rounds.learn(first, y ?? keypad());
  rounds.choose(first);
  expect(rounds.recognise(first, one, { state: "known", fingerprint })).toBe(true);
  const states = rounds.placements(first).map(({ identity, wanted, belief, refusal }) => ({
    identity,
    wanted,
    at: belief.at,
    refused: refusal?.reason,
  }));
  expect(states.filter(({ wanted }) => wanted).toSorted((a, b) => (a.identity < b.identity ? -1 : 1))).toEqual([
    { identity: "ann", wanted: true, at: "nowhere", refused: "duplicate" },
    { identity: "ben", wanted: true, at: "held", refused: undefined },
  ]);
});

test("a code that is known again on a lock with another name is not called live where it opens at other times than it should", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  const windows = { dates: 1, together: true, base: "local" } as const;
  const keeping = ({ memory, ...lock }: typeof x): typeof x => ({
    ...lock,
    ...(memory ? { memory: { ...memory, windows } } : {}),
  });
  rounds.learn(first, keeping(x ?? keypad()));
  const until = new Date(desk.now + 3600_000).toISOString();
  desk.ask("access_grants/create", { user_identity_id: "ann", device_ids: [first], ends_at: until });
  write(desk, first);
  const { fingerprint, when } = only(desk.store, first);
  expect(when).not.toBe("always");
  rounds.learn(first, keeping(y ?? keypad()));
  grant(desk, first);
  rounds.choose(first);
  expect(rounds.recognise(first, one, { state: "known", fingerprint, when })).toBe(true);
  expect(rounds.placements(first).filter(({ wanted }) => wanted)).toMatchObject([
    { identity: "ann", when: "always", belief: { at: "held", slot: one, otherWindow: true } },
  ]);
});

test.each(["refused", "revoked"])(
  "who is let in where there is room again, and is %s then, leaves it to the next",
  (how) => {
    using desk = new MemoryStore();
    const { rounds } = desk.store;
    const { memory, ...lock } = keypad({ identity: "serial-x" });
    const pins = memory?.kinds.get("pin");
    assert(memory && pins);
    rounds.learn(first, {
      ...lock,
      memory: { ...memory, kinds: new Map([["pin", { ...pins, slots: { assigned: 1 } }]]) },
    });
    for (const person of ["ann", "ben", "cyd"]) grant(desk, first, person);
    rounds.choose(first);
    const of = (person: string): Placement => {
      const found = rounds.placements(first).find(({ identity }) => identity === person);
      assert(found);
      return found;
    };
    const settle = (person: string, outcome: Settlement): void =>
      void rounds.change(first, of(person).id, (before) =>
        settleWrite(intendWrite(before, undefined, desk.now, undefined), before, outcome, desk.now, undefined),
      );
    settle("ann", { result: "stored", slot: one, proof: "read_back" });
    for (const person of ["ben", "cyd"]) settle(person, { result: "refused", reason: "full" });
    rounds.happened(first, { suspect: one, events: [] });
    expect(of("ben").refusal).toBeUndefined();
    expect(of("cyd").refusal).toMatchObject({ reason: "full" });
    if (how === "refused") settle("ben", { result: "refused", reason: "forbidden" });
    else desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ben", device_id: first });
    expect(of("cyd").refusal).toBeUndefined();
  },
);
