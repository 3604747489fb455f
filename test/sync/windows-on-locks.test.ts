import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { instant, later, toIso } from "../../agent/domain/instant.ts";
import type { WindowAbility } from "../../agent/domain/lock-window.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { House } from "../support/house.ts";

const minute = 60_000;
const hour = 60 * minute;
const door = deviceId("door-0");
const one = slotName("1");
const keeps: WindowAbility = {
  dates: minute,
  weekly: { perEntry: 7, of: "days", resolution: 1 },
  together: true,
  base: "local",
};

/** One door, and an agent that looks at its clock. */
async function houseOf(of: ConstructorParameters<typeof House>[2]): Promise<House> {
  const house = new House(1, 1, of);
  await house.keepTime();
  return house;
}

/** The virtual clock begins on a sunday, 2025-06-15, at 15:06:40 UTC. */
const noon = (daysLater: number): string => toIso(instant(Date.UTC(2025, 5, 15 + daysLater, 12)));

function create(house: House, of: object): string {
  const answer = house.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], ...of });
  return JSON.parse(JSON.stringify(answer))["access_grant"]["access_grant_id"];
}
const pin = { credential: { kind: "pin", digits: new Secret("918273") }, when: "always", label: "owner" } as const;
const receipt = (house: House): Record<string, unknown> => {
  const answer = house.ask("access/get", { user_identity_id: "ann", device_id: door });
  return JSON.parse(JSON.stringify(answer))["receipt"];
};
const line = (house: House): unknown => JSON.parse(JSON.stringify(receipt(house)["credentials"]))[0];
const sent = (house: House): string[] => house.sent.splice(0).map(({ what }) => what);
const told = (house: House): string[] =>
  house.told.splice(0).flatMap(({ type }) => (type.startsWith("access.") ? [type] : []));
/** Whether the person's code opens now, by the lock itself. */
function opens(house: House): boolean {
  const entries = Object.values(house.lock(door).chip.entries).filter(({ label }) => label === "ann");
  return entries.some(
    ({ value }) =>
      house.lock(door).present({ kind: "pin", digits: new Secret(value) }, house.clock.now()) !== undefined,
  );
}

test("a lock that keeps windows gets the code with its window a day ahead, and opens and closes by itself", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  create(house, { starts_at: noon(3), ends_at: noon(5) });
  await house.clock.run(24 * hour);
  expect(sent(house)).toEqual(["abilities"]);
  expect(receipt(house)).toMatchObject({ state: "waiting" });

  await house.clock.run(24 * hour);
  expect(sent(house)).toEqual(["read", "write"]);
  expect(told(house)).toEqual(["access.accepted", "access.paused"]);
  expect(receipt(house)).toMatchObject({ state: "waiting" });
  expect(line(house)).toMatchObject({
    state: "waiting",
    reason: "outside_window",
    evidence: "read_back",
    enforced_by: "lock",
    next: noon(3),
  });
  expect(opens(house)).toBe(false);

  await house.clock.run(24 * hour);
  expect(opens(house)).toBe(true);
  expect(line(house)).toMatchObject({ state: "live", evidence: "read_back", enforced_by: "lock" });
  expect(told(house)).toEqual(["access.live"]);

  await house.clock.run(48 * hour);
  expect(opens(house)).toBe(false);
  expect(told(house)).toEqual(["access.gone"]);
  // Only to make room: it had not opened any more.
  expect(sent(house)).toEqual(["clear"]);
});

test("between the windows of a week such a lock is left alone, and what opens is told all the same", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  create(house, { schedule: [{ days: ["mon", "wed"], from: "09:00", to: "17:00" }] });
  await house.clock.run(minute);
  expect(sent(house)).toEqual(["abilities", "read", "write"]);
  await house.clock.run(7 * 24 * hour);
  expect(sent(house)).toEqual([]);
  expect(told(house)).toEqual([
    "access.accepted",
    "access.paused",
    "access.live",
    "access.paused",
    "access.live",
    "access.paused",
  ]);
});

test("a window that is changed is written anew; the old one is in the debt until it is off the lock", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  const grant = create(house, { ends_at: noon(5) });
  await house.clock.run(minute);
  expect(line(house)).toMatchObject({ state: "live", enforced_by: "lock" });
  sent(house);
  house.moods.set(door, "deaf");
  house.ask("access_grants/update", { access_grant_id: grant, ends_at: noon(2) });
  await house.clock.run(minute / 2);
  expect(receipt(house)).toMatchObject({ state: "removing" });
  house.moods.set(door, "good");
  await house.clock.run(5 * minute);
  expect(receipt(house)).toMatchObject({ state: "live" });
  expect(house.lock(door).read(one)).toMatchObject({ when: { endsAt: Date.parse(noon(2)) } });
  expect(Object.keys(house.lock(door).chip.entries)).toEqual(["1"]);
});

test("a direct grant beside it makes it a code for always, and its end gives the window back", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  create(house, { starts_at: noon(1), ends_at: noon(3) });
  await house.clock.run(2 * hour);
  expect(opens(house)).toBe(false);
  house.grant("ann", door);
  await house.clock.run(minute);
  expect(opens(house)).toBe(true);
  expect(house.lock(door).read(one)).toMatchObject({ when: "always" });
  house.revoke("ann", door);
  await house.clock.run(minute);
  expect(opens(house)).toBe(false);
  expect(house.lock(door).read(one)).toMatchObject({ when: { endsAt: Date.parse(noon(3)) } });
  expect(receipt(house)).toMatchObject({ state: "waiting" });
});

test("hours that begin while nobody looks are not taken for codes that end", async () => {
  using house = new House(1, 1, { model: { windows: keeps } });
  const people = ["ann", ...Array.from({ length: 11 }, (_, at) => `guest-${at}`)];
  const schedule = [{ days: ["mon"], from: "09:00", to: "17:00" }];
  for (const person of people) create(house, { user_identity_id: person, schedule });
  await house.clock.run(minute);
  house.store.turn(false);
  await house.clock.run(18 * hour);
  await house.keepTime();
  await house.clock.run(minute);
  expect(house.events("clock.untrusted")).toEqual([]);
  expect(opens(house)).toBe(true);
  expect(receipt(house)).toMatchObject({ state: "live" });
});

test("a window that the lock cannot keep exactly is seen to by the agent", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  create(house, { ends_at: toIso(later(house.clock.now(), hour + 1)) });
  await house.clock.run(minute);
  expect(line(house)).toMatchObject({ state: "live", enforced_by: "agent" });
  expect(house.lock(door).read(one)).toMatchObject({ when: "always" });
  await house.clock.run(hour);
  expect(told(house).at(-1)).toBe("access.gone");
  expect(opens(house)).toBe(false);
});

test("a code that has lost its window on the lock is taken away and written anew", async () => {
  using house = await houseOf({ model: { windows: keeps }, configured: { auditReads: 24 } });
  create(house, { starts_at: noon(1), ends_at: noon(20) });
  await house.clock.run(2 * hour);
  const [entry] = Object.values(house.lock(door).chip.entries);
  const digits = new Secret(entry?.value ?? "");
  house.lock(door).write({ ...pin, credential: { kind: "pin", digits }, label: "ann" }, one);
  expect(opens(house)).toBe(true);
  await house.clock.run(2 * hour);
  expect(opens(house)).toBe(false);
  expect(house.lock(door).read(one)).toMatchObject({ when: { endsAt: Date.parse(noon(20)) } });
});

test("a lock that suspends keeps the code between windows, and it does not open", async () => {
  using house = await houseOf({ model: { suspends: true } });
  create(house, { schedule: [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }] });
  await house.clock.run(24 * hour);
  expect(sent(house)).toEqual(["abilities", "read", "write"]);
  expect(opens(house)).toBe(true);
  expect(line(house)).toMatchObject({ state: "live", enforced_by: "agent" });
  await house.clock.run(4 * hour);
  expect(sent(house)).toEqual(["disable"]);
  expect(opens(house)).toBe(false);
  expect(line(house)).toMatchObject({ state: "waiting", reason: "outside_window", evidence: "read_back" });
  expect(told(house)).toEqual(["access.accepted", "access.live", "access.paused"]);
  await house.clock.run(20 * hour);
  expect(sent(house)).toEqual(["enable"]);
  expect(opens(house)).toBe(true);
  expect(told(house)).toEqual(["access.live"]);
});

test("what a lock does not suspend is taken off it, and written again when a window opens", async () => {
  using house = await houseOf({ model: { suspends: true } });
  const lock = house.lock(door);
  lock.enable = () => ({ result: "refused", reason: "forbidden" });
  create(house, { schedule: [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }] });
  await house.clock.run(28 * hour);
  expect(sent(house)).toEqual(["abilities", "read", "write", "disable", "clear"]);
  expect(opens(house)).toBe(false);
  await house.clock.run(20 * hour);
  expect(sent(house)).toEqual(["read", "write"]);
  expect(opens(house)).toBe(true);
});

test("a suspension that is not answered is asked for, and stays in the debt until the lock has said it", async () => {
  using house = await houseOf({ model: { suspends: true } });
  create(house, { schedule: [{ days: ["mon"], from: "09:00", to: "17:00" }] });
  await house.clock.run(25 * hour);
  house.moods.set(door, "vague");
  await house.clock.run(hour);
  expect(receipt(house)).toMatchObject({ state: "removing" });
  expect(told(house).at(-1)).not.toBe("access.paused");
  house.moods.set(door, "good");
  await house.clock.run(hour);
  expect(opens(house)).toBe(false);
  expect(receipt(house)).toMatchObject({ state: "waiting" });
  expect(told(house).at(-1)).toBe("access.paused");
});

test("what a lock calls suspended, and a look finds open, is taken off it", async () => {
  using house = await houseOf({ model: { suspends: true }, configured: { auditReads: 240 } });
  house.lock(door).enable = (slot) => ({ result: "stored", slot, proof: "acknowledged" });
  create(house, { schedule: [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }] });
  await house.clock.run(25 * hour);
  sent(house);
  await house.clock.run(2 * hour);
  const commands = sent(house).filter((what) => what === "disable" || what === "clear");
  expect(commands).toEqual(["disable", "disable", "disable", "clear"]);
  expect(opens(house)).toBe(false);
  expect(receipt(house)).toMatchObject({ state: "waiting" });
});

test("a lock that says yes to a window and spoils it each time is not written to at each look", async () => {
  using house = await houseOf({ model: { windows: keeps }, configured: { auditReads: 1_440 } });
  const lock = house.lock(door);
  const write = lock.write.bind(lock);
  lock.write = (entry, slot) => write({ ...entry, when: "always" }, slot);
  create(house, { ends_at: noon(5) });
  await house.clock.run(2 * hour);
  expect(sent(house).filter((what) => what === "write").length).toBeLessThanOrEqual(16);
});

test("what we have suspended is let open again though that was lost once, also where the owner may change things", async () => {
  using house = await houseOf({ model: { suspends: true } });
  create(house, {
    allow_external_modification: true,
    schedule: [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }],
  });
  await house.clock.run(40 * hour);
  expect(opens(house)).toBe(false);
  const lock = house.lock(door);
  const enable = lock.enable.bind(lock);
  lock.enable = () => {
    lock.enable = enable;
    return { result: "unconfirmed" };
  };
  await house.clock.run(2 * hour);
  expect(sent(house).filter((what) => what === "enable")).toHaveLength(2);
  expect(opens(house)).toBe(true);
  expect(receipt(house)).toMatchObject({ state: "live" });
});

test("what somebody takes out at the lock is written again, or stands where the grant says so", async () => {
  for (const allow_external_modification of [false, true]) {
    using house = await houseOf({ configured: { auditReads: 24 } });
    create(house, { allow_external_modification });
    await house.clock.run(minute);
    expect(opens(house)).toBe(true);
    house.lock(door).clear(one);
    await house.clock.run(2 * hour);
    expect(opens(house)).toBe(!allow_external_modification);
    expect(line(house)).toMatchObject(
      allow_external_modification ? { state: "refused", reason: "changed_on_lock" } : { state: "live" },
    );
    // A direct grant beside it says nothing of the kind.
    house.grant("ann", door);
    await house.clock.run(minute);
    expect(opens(house)).toBe(true);
  }
});

test("a lock is looked at as often as it bears, a slot at a time, and that is shown", async () => {
  using house = await houseOf({ configured: { auditReads: 12 } });
  for (const person of ["ann", "ben", "cyd"]) house.grant(person, door);
  await house.clock.run(minute);
  sent(house);
  await house.clock.run(24 * hour - minute);
  const reads = sent(house);
  expect(reads.length).toBeGreaterThanOrEqual(11);
  expect(reads.length).toBeLessThanOrEqual(12);
  expect(new Set(reads)).toEqual(new Set(["read"]));
  const [device] = JSON.parse(JSON.stringify(house.ask("devices/list", {})))["devices"];
  expect(device.properties.latchd.audit).toMatchObject({ reads_per_day: 12 });
  expect(device.properties.latchd.audit.reads).toBeGreaterThan(5);
});

test("a code changed where there is no spare slot is changed in its place, and the receipt says so", async () => {
  using house = await houseOf({ model: { slots: 1 } });
  house.grant("ann", door);
  await house.clock.run(minute);
  house.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "275318" });
  await house.clock.run(minute);
  expect(line(house)).toMatchObject({ state: "live", reason: "changed_in_place" });
  expect(opens(house)).toBe(true);
  using roomy = await houseOf({ model: { slots: 2 } });
  roomy.grant("ann", door);
  await roomy.clock.run(minute);
  roomy.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "275318" });
  sent(roomy);
  await roomy.clock.run(minute);
  expect(sent(roomy)).toEqual(["read", "write", "clear"]);
  expect(line(roomy)).toMatchObject({ state: "live", reason: null });
});

test("a lock that has no room though its slots are empty is not asked again and again, but when a slot is freed", async () => {
  using house = await houseOf({ model: { slots: 3 } });
  house.grant("ann", door);
  await house.clock.run(minute);
  const lock = house.lock(door);
  const write = lock.write.bind(lock);
  lock.write = () => ({ result: "refused", reason: "full" });
  house.grant("ben", door);
  sent(house);
  await house.clock.run(20 * minute);
  expect(sent(house)).toEqual(["read", "write"]);
  lock.write = write;
  house.revoke("ann", door);
  await house.clock.run(minute);
  expect(sent(house)).toEqual(["clear", "read", "write"]);
  expect(house.events("access.live").map(({ user_identity_id: who }) => who)).toEqual(["ann", "ben"]);
});

test("a window that has opened for good, and is given hours later, is not called shut while the lock still opens", async () => {
  using house = await houseOf({ model: { windows: keeps, suspends: true } });
  const grant = create(house, { starts_at: noon(1) });
  await house.clock.run(22 * hour);
  expect(receipt(house)).toMatchObject({ state: "live" });
  create(house, { starts_at: noon(4), ends_at: noon(5) });
  const schedule = [{ days: ["mon", "tue", "wed"], from: "12:00", to: "18:00" }];
  house.ask("access_grants/update", { access_grant_id: grant, schedule });
  await house.clock.run(8 * hour);
  expect(opens(house)).toBe(false);
  expect(receipt(house)).toMatchObject({ state: "waiting" });
});

test("where one window of a person opens as another closes, nothing is told, and nothing is sent", async () => {
  using house = await houseOf({});
  for (const [from, to] of [
    [1, 2],
    [2, 3],
  ] as const) {
    create(house, { starts_at: noon(from), ends_at: noon(to) });
  }
  await house.clock.run(22 * hour);
  expect(receipt(house)).toMatchObject({ state: "live" });
  expect(told(house)).toContain("access.live");
  expect(sent(house)).toContain("write");
  await house.clock.run(24 * hour);
  expect([sent(house).filter((what) => what !== "read"), told(house)]).toEqual([[], []]);
  await house.clock.run(24 * hour);
  expect([sent(house).filter((what) => what !== "read"), told(house)]).toEqual([["clear"], ["access.gone"]]);
});

test("who waits for room until a window opens is passed over by who may open now, and asks when it does", async () => {
  using house = await houseOf({ model: { memory: "assigned", slots: 1, suspends: true } });
  house.grant("cyd", door);
  await house.clock.run(minute);
  create(house, { schedule: [{ days: ["mon"], from: "09:00", to: "17:00" }] });
  house.grant("ben", door);
  await house.clock.run(20 * hour);
  expect(receipt(house)).toMatchObject({ state: "refused" });
  await house.clock.run(7 * hour);
  house.revoke("cyd", door);
  await house.clock.run(minute);
  expect(house.events("access.live").map(({ user_identity_id: who }) => who)).toEqual(["cyd", "ben"]);
  house.revoke("ben", door);
  await house.clock.run(6 * 24 * hour + 18 * hour);
  expect(receipt(house)).toMatchObject({ state: "live" });
});

test("a window that closes just after something happened to its code is not called closed before the lock was asked", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  create(house, { schedule: [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }] });
  await house.clock.run(20 * hour);
  expect(receipt(house)).toMatchObject({ state: "live" });
  const lock = house.lock(door);
  const [[slot, { value }] = ["", { value: "" }]] = Object.entries(lock.chip.entries);
  told(house);
  // Its owner has let it open at all times.
  lock.write({ credential: { kind: "pin", digits: new Secret(value) }, when: "always", label: "ann" }, slotName(slot));
  house.moods.set(door, "deaf");
  house.report(door, { changed: slotName(slot) });
  await house.clock.run(8 * hour);
  expect(opens(house)).toBe(true);
  expect(told(house)).not.toContain("access.paused");
  house.moods.set(door, "good");
  await house.clock.run(hour);
  expect(opens(house)).toBe(false);
  expect(told(house).at(-1)).toBe("access.paused");
});

test("while the time is not known no code is written with a window, and it is written when the time is known", async () => {
  using house = await houseOf({ model: { windows: keeps } });
  house.moods.set(door, "deaf");
  create(house, { schedule: [{ days: ["mon", "tue"], from: "09:00", to: "17:00" }] });
  await house.clock.run(hour);
  house.ahead = 24 * hour;
  house.moods.set(door, "good");
  sent(house);
  await house.clock.run(hour);
  expect(sent(house)).not.toContain("write");
  house.ahead = 0;
  await house.clock.run(hour);
  await house.clock.run(5 * minute);
  expect(sent(house)).toContain("write");
  expect(receipt(house)).toMatchObject({ state: "waiting", credentials: [{ reason: "outside_window" }] });
});
