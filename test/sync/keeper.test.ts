import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { z } from "zod";
import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { stepTimeout } from "../../agent/sync/surroundings.ts";
import { House, stepCost } from "../support/house.ts";
import { openInMemory } from "../support/world.ts";

const minute = 60_000;
const people = ["ann", "ben", "cyd"];
const [first, second] = [deviceId("door-0"), deviceId("door-1")];

/** Every lock holds everybody's code. */
async function settled(count: number, atOnce: 1 | "unlimited"): Promise<House> {
  const house = new House(count, atOnce);
  for (const device of house.devices) for (const person of people) house.grant(person, device);
  await house.clock.run(30 * minute);
  expect(house.events("access.live").length).toBe(count * people.length);
  house.sent.length = 0;
  return house;
}

/** What was sent to a lock since, in minutes. */
const minutesOf = (house: House, device: DeviceId, since: number): number[] =>
  house.sent.flatMap(({ device: to, at }) => (to === device ? [(at - since) / 60] : []));

test.each(["deaf", "vague"] as const)(
  "one %s lock among ten on a wire: the others' revokes take what they cost, and one timeout",
  async (mood) => {
    using house = await settled(10, 1);
    const since = house.seconds;
    house.moods.set(first, mood);
    for (const device of house.devices) house.grant("dot", device);
    for (const device of house.devices) for (const person of people) house.revoke(person, device);
    await house.clock.run(10 * minute);

    const gone = house.events("access.gone").filter(({ at }) => at >= since);
    expect(gone.length).toBe(9 * people.length);
    const last = Math.max(...gone.map(({ at }) => at)) - since;
    const cost = (9 * people.length * stepCost) / 1000;
    const deafWork = house.sent.filter(({ device, at }) => device === first && at - since < last).length;
    process.stdout.write(`${mood}: ${gone.length} revokes on 9 locks in ${last} s, ${cost} s of them work\n`);
    expect(last).toBeLessThanOrEqual(cost + (mood === "deaf" ? stepTimeout : stepCost) / 1000 + stepCost / 1000);
    expect(deafWork).toBe(1);
    expect(house.events("access.live").filter(({ at }) => at >= since).length).toBe(9);
  },
);

test("a lock that is given much makes way for another's revoke on the same wire", async () => {
  using house = await settled(2, 1);
  const since = house.seconds;
  for (let person = 0; person < 15; person++) house.grant(`person-${person}`, first);
  await house.clock.run(5_000);
  house.revoke("ann", second);
  await house.clock.run(10 * minute);
  const [gone] = house.events("access.gone");
  expect((gone?.at ?? 0) - since).toBeLessThanOrEqual(5 + (3 * stepCost) / 1000);
  expect(house.events("access.live").filter(({ at }) => at > since).length).toBe(15);
});

test("a deaf lock that waits for its next try is passed by whoever answers", async () => {
  using house = await settled(3, 1);
  house.moods.set(first, "deaf");
  house.revoke("ann", first);
  await house.clock.run(stepTimeout + 500);
  for (let person = 0; person < 15; person++) house.grant(`person-${person}`, second);
  await house.clock.run(5_000);
  expect(house.sent.filter(({ device }) => device === first).length).toBe(1);
  const since = house.seconds;
  house.revoke("ann", deviceId("door-2"));
  await house.clock.run(10 * minute);
  expect((house.events("access.gone")[0]?.at ?? 0) - since).toBeLessThanOrEqual((3 * stepCost) / 1000);
});

test("a deaf lock is tried three times, after a minute, then ever less often, and half-hourly for ever", async () => {
  using house = await settled(1, "unlimited");
  house.moods.set(first, "deaf");
  const since = house.seconds;
  house.revoke("ann", first);
  await house.clock.run(8 * 60 * minute);
  const tries = minutesOf(house, first, since);
  const between = tries.slice(1).map((at, index) => Math.round(at - (tries[index] ?? 0)));
  // A try itself takes the minute after which its lock counts as silent.
  expect(between.slice(0, 9)).toEqual([1, 1, 2, 3, 5, 9, 17, 30, 30]);
  expect(new Set(between.slice(7))).toEqual(new Set([30]));
  expect(house.events("device.breaker_opened").length).toBe(1);

  house.moods.set(first, "good");
  await house.clock.run(31 * minute);
  expect(house.events("access.gone").length).toBe(1);
  expect(house.events("device.breaker_closed").length).toBe(1);
});

test("while it is open a grant waits, and a new revoke is tried at once, once", async () => {
  using house = await settled(1, "unlimited");
  house.moods.set(first, "deaf");
  house.revoke("ann", first);
  await house.clock.run(10 * minute);
  const trials = (): number => house.sent.length;
  const before = trials();

  house.grant("dot", first);
  await house.clock.run(1_000);
  expect(trials()).toBe(before);
  const { receipts } = house.ask("access/list", { user_identity_id: "dot" });
  const [breaker] = house.store.records.devices().map((device) => device.breaker);
  const next = new Date(breaker?.next ?? 0).toISOString();
  expect(receipts).toMatchObject([{ state: "waiting", credentials: [{ kind: "pin", reason: "lock_away", next }] }]);

  house.revoke("ben", first);
  await house.clock.run(1_000);
  expect(trials()).toBe(before + 1);
  house.grant("eve", first);
  await house.clock.run(2 * minute);
  expect(trials()).toBe(before + 1);
  expect(house.store.records.devices()[0]?.breaker).toEqual(breaker);

  house.grant("ben", first);
  await house.clock.run(1_000);
  house.revoke("ben", first);
  await house.clock.run(1_000);
  expect(trials()).toBe(before + 2);
});

test("while it is open, a lock that is heard of is tried at once", async () => {
  using house = await settled(1, "unlimited");
  house.moods.set(first, "deaf");
  house.revoke("ann", first);
  await house.clock.run(12 * minute);
  house.moods.set(first, "good");
  const since = house.seconds;
  house.report(first, "offline");
  await house.clock.run(1_000);
  expect(house.events("access.gone")).toEqual([]);
  house.report(first, "jammed");
  await house.clock.run(5_000);
  expect(house.events("access.gone")).toMatchObject([{ user_identity_id: "ann" }]);
  expect((house.events("device.breaker_closed")[0]?.at ?? 0) - since).toBeLessThan(6);
});

test("a restart tries an open one at once, and says nothing twice", async () => {
  using house = await settled(1, "unlimited");
  house.moods.set(first, "deaf");
  house.revoke("ann", first);
  await house.clock.run(40 * minute);
  house.sent.length = 0;
  await house.restart();
  await house.clock.run(1_000);
  expect(house.sent.length).toBe(1);
  await house.clock.run(20 * minute);
  expect(house.events("device.breaker_opened").length).toBe(1);
  house.moods.set(first, "good");
  await house.restart();
  await house.clock.run(minute);
  expect(house.events("device.breaker_closed").length).toBe(1);
  expect(house.store.records.devices()[0]?.breaker).toBeUndefined();
});

test("at a start, locks with revokes to do come first, and no more than ten in a second are asked what they are", async () => {
  using house = await settled(60, "unlimited");
  const last = deviceId("door-59");
  house.moods.set(last, "deaf");
  house.revoke("ann", last);
  await house.clock.run(minute);
  house.moods.set(last, "good");
  house.sent.length = 0;
  const since = house.seconds;
  await house.restart();
  await house.clock.run(minute);
  const asked = house.sent.filter(({ what }) => what === "abilities");
  expect(asked[0]?.device).toBe(last);
  expect(asked.length).toBe(60);
  expect(asked.filter(({ at }) => at - since <= 1).length).toBeLessThanOrEqual(8 + 10);
  expect(Math.max(...asked.map(({ at }) => at)) - since).toBeLessThan(6);
});

const commandsOf = (house: House): string[] =>
  house.sent.flatMap(({ what }) => (what === "write" || what === "clear" ? [what] : []));
const memoryOf = (house: House): string => JSON.stringify(house.locks.get(first)?.chip.entries);

test.each([
  ["tells its codes", {}],
  ["masks them", { readBack: "masked" }],
  ["cannot be asked", { readBack: "none", memory: "assigned" }],
] as const)(
  "a lock that holds what it should, and %s, is left alone for hours, and not written to at a start",
  async (_, of) => {
    using house = new House(1, "unlimited", { model: of });
    for (const person of people) house.grant(person, first);
    await house.clock.run(minute);
    expect(commandsOf(house)).toEqual(people.map(() => "write"));
    const before = memoryOf(house);
    house.sent.length = 0;
    for (let time = 0; time < 3; time++) {
      await house.restart();
      await house.clock.run(3 * 60 * minute);
    }
    expect(commandsOf(house)).toEqual([]);
    expect(memoryOf(house)).toBe(before);
    // To ask it every minute, or every quarter of an hour, would cost it its battery.
    expect(house.sent.length).toBeLessThan(9 * 4);
  },
);

test("a code that the lock refuses to one person keeps nobody else from theirs, and is not sent again", async () => {
  using house = new House(1, "unlimited");
  const [own, other] = ["260426", "159315"];
  const credential = { kind: "pin", digits: new Secret(own) } as const;
  house.locks.get(first)?.write({ credential, when: "always", label: "owner" }, slotName("20"));
  house.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: own });
  house.ask("credentials/set", { user_identity_id: "ben", kind: "pin", value: other });
  for (const person of people) house.grant(person, first);
  await house.clock.run(3 * 60 * minute);
  expect(commandsOf(house)).toEqual(people.map(() => "write"));
  expect(house.events("access.refused")).toMatchObject([{ user_identity_id: "ann", reason: "duplicate" }]);
  expect(house.opens(other, first)).toBe(true);
  expect(house.opens(house.codeOf("cyd", first), first)).toBe(true);
  expect(house.locks.get(first)?.chip.entries["20"]).toMatchObject({ label: "owner", value: own });
});

test("a code that the lock has lost is no longer called live when the lock tells of it, and is written again", async () => {
  using house = await settled(1, "unlimited");
  const code = house.codeOf("ann", first);
  const entries = Object.entries(house.locks.get(first)?.chip.entries ?? {});
  const [slot] = entries.flatMap(([name, { label }]) => (label === "ann" ? [slotName(name)] : []));
  if (slot === undefined) throw new Error("it is there");
  house.locks.get(first)?.clear(slot);
  const since = house.told.length;
  house.report(first, { changed: slot });
  await house.clock.run(minute);
  expect(house.told.slice(since)).toMatchObject([
    { type: "access.unconfirmed", user_identity_id: "ann", reason: "missing_on_lock" },
    { type: "access_code.deleted_external_to_seam", user_identity_id: "ann" },
    { type: "access.live", user_identity_id: "ann", evidence: "read_back" },
    { type: "access_code.set_on_device", user_identity_id: "ann" },
  ]);
  expect(house.opens(code, first)).toBe(true);
  expect(commandsOf(house)).toEqual(["write"]);
});

test("an agent that is restored from a backup, and knows less than its lock, writes over nothing that is there", async () => {
  const opened = openInMemory();
  const { vault, epoch, workspaceId } = opened;
  using house = new House(1, "unlimited", { opened });
  house.grant("ann", first);
  await house.clock.run(minute);
  const backup = opened.db.serialize();
  for (const person of ["ben", "cyd"]) house.grant(person, first);
  await house.clock.run(minute);
  const { chip } = house.locks.get(first) ?? {};
  expect(Object.keys(chip?.entries ?? {})).toHaveLength(3);

  using restored = new House(1, "unlimited", {
    opened: { db: new Database(backup), vault, epoch, workspaceId },
    ...(chip ? { chip } : {}),
  });
  for (const person of ["dot", "eve"]) restored.grant(person, first);
  await restored.clock.run(minute);
  expect(restored.locks.get(first)?.chip.entries).toMatchObject(chip?.entries ?? {});
  expect(restored.events("access.live").map(({ user_identity_id: who }) => who)).toEqual(["dot", "eve"]);
  expect(Object.keys(restored.locks.get(first)?.chip.entries ?? {})).toHaveLength(5);
});

test("while a wire does not open it is said that its locks are away, of what is granted and changed meanwhile, too", async () => {
  using house = await settled(1, 1);
  const { access_code: made } = house.ask("access_codes/create", { device_id: first, code: "493017" });
  const { access_code_id: id } = z.looseObject({ access_code_id: z.string() }).parse(made);
  await house.clock.run(minute);
  house.isWireOpen = false;
  await house.restart();
  house.ask("access_codes/update", { access_code_id: id, code: "602841" });
  house.grant("dot", first);
  await house.clock.run(11 * minute);
  const away = { status: "setting", errors: [{ error_code: "device_offline" }] };
  const late = [{ warning_code: "delay_in_setting_on_device" }];
  const { access_codes: codes } = house.ask("access_codes/list", { device_id: first });
  const shown = z.array(z.looseObject({ status: z.string() })).parse(codes);
  expect(shown.filter(({ status }) => status !== "set")).toMatchObject([
    { ...away, access_code_id: id, warnings: late },
    { ...away, properties: { latchd: { user_identity_id: "dot" } }, warnings: late },
  ]);
});
