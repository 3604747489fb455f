import { expect, test } from "vitest";
import { deviceId } from "../agent/domain/ids.ts";
import { later, type Milliseconds, toIso } from "../agent/domain/instant.ts";
import { House, stepCost } from "./support/house.ts";
import type { Answer } from "./support/memory-store.ts";

const minute = 60_000;
const hour = 60 * minute;
const year = 365 * 24 * hour;
const door = deviceId("door-0");

/** The whole agent but its wires: what happens on a lock while the clock of the machine says what it likes. */
async function houseByTheClock(settles?: Milliseconds): Promise<House> {
  const house = new House(1, "unlimited", { settles });
  await house.keepTime();
  await house.clock.run(minute);
  return house;
}

/** By the true time. */
const at = (house: House, ms: Milliseconds): string => toIso(later(house.clock.now(), ms));
const stay = (house: House, person: string, of: object): Answer =>
  house.ask("access_grants/create", { user_identity_id: person, device_ids: [door], ...of });
const state = (house: House, person: string): unknown =>
  JSON.parse(JSON.stringify(house.ask("access/get", { user_identity_id: person, device_id: door })))["receipt"].state;
const commandsSince = (house: House, since: number): string[] =>
  house.sent.flatMap(({ what, at: when }) => (when >= since && (what === "write" || what === "clear") ? [what] : []));

test("thirteen years ahead for an hour: no code leaves the lock and none comes by the time; then all is made up for", async () => {
  using house = await houseByTheClock();
  house.grant("ann", door);
  stay(house, "ben", { ends_at: at(house, 3 * hour) });
  stay(house, "cyd", { ends_at: at(house, 30 * minute) });
  stay(house, "dot", { starts_at: at(house, 40 * minute), ends_at: at(house, 2 * hour) });
  await house.clock.run(10 * minute);
  const codes = new Map(["ann", "ben", "cyd"].map((person) => [person, house.codeOf(person, door)]));
  const open = (): string[] => [...codes].flatMap(([person, code]) => (house.opens(code, door) ? [person] : []));
  expect(open()).toEqual(["ann", "ben", "cyd"]);

  const since = house.seconds;
  house.ahead = 13 * year;
  await house.clock.run(hour);
  expect(house.clockFacts).toMatchObject({ trusted: false, reason: "stepped" });
  expect(open()).toEqual(["ann", "ben", "cyd"]);
  expect(commandsSince(house, since)).toEqual([]);
  expect(state(house, "dot")).toBe("waiting");

  house.ahead = 0;
  await house.clock.run(5 * minute);
  expect(house.clockFacts).toMatchObject({ trusted: true });
  expect(open()).toEqual(["ann", "ben"]);
  expect([state(house, "cyd"), state(house, "dot")]).toEqual(["gone", "live"]);
  await house.clock.run(3 * hour);
  expect(open()).toEqual(["ann"]);
  expect(house.told.filter(({ type }) => type.startsWith("clock.")).map(({ type }) => type)).toEqual([
    "clock.untrusted",
    "clock.trusted",
  ]);
});

test("thirteen years ahead, at a lock that keeps the windows itself: nothing is sent to it, and its windows are its own", async () => {
  const weekly = { perEntry: 7, of: "days", resolution: 1 } as const;
  const windows = { dates: minute, weekly, together: true, base: "local" } as const;
  using house = new House(1, "unlimited", { model: { windows }, configured: { auditReads: 0 } });
  await house.keepTime();
  // To the minute, as the lock keeps them. It is 15:06:40.
  const [opens, ends] = [hour - 400_000, 3 * hour - 400_000];
  stay(house, "ann", { starts_at: at(house, opens), ends_at: at(house, ends) });
  await house.clock.run(30 * minute);
  const ann = house.codeOf("ann", door);
  expect(house.opens(ann, door)).toBe(false);
  const since = house.seconds;
  house.ahead = 13 * year;
  await house.clock.run(hour);
  expect(house.opens(ann, door)).toBe(true);
  expect(commandsSince(house, since)).toEqual([]);
  house.ahead = 0;
  await house.clock.run(5 * minute);
  expect(state(house, "ann")).toBe("live");
  expect(commandsSince(house, since)).toEqual([]);
  await house.clock.run(2 * hour);
  expect(house.opens(ann, door)).toBe(false);
  expect(house.events("access.gone").length).toBe(1);
});

test("while the clock is thirteen years ahead, revokes and direct grants reach the lock, and no wrong time is written down", async () => {
  using house = await houseByTheClock();
  house.grant("ann", door);
  stay(house, "ben", { ends_at: at(house, 3 * hour), access_grant_key: "ben" });
  await house.clock.run(10 * minute);
  const ann = house.codeOf("ann", door);

  // Nobody has looked at the clock since it was set.
  house.ahead = 13 * year;
  const made = stay(house, "cyd", { ends_at: at(house, 5 * hour) });
  expect(made).toMatchObject({ ok: true, access_grant: { ends_at: at(house, 5 * hour) } });
  expect(house.ask("access_grants/update", { access_grant_key: "ben", name: "Ben" }).ok).toBe(true);
  house.revoke("ann", door);
  house.grant("dot", door);
  await house.clock.run(hour);
  expect(house.opens(ann, door)).toBe(false);
  expect(["ann", "ben", "cyd", "dot"].map((person) => state(house, person))).toEqual([
    "gone",
    "live",
    "waiting",
    "live",
  ]);

  house.ahead = 0;
  await house.clock.run(5 * minute);
  expect(["ben", "cyd", "dot"].map((person) => state(house, person))).toEqual(["live", "live", "live"]);
  const explained = ["ann", "cyd", "dot"].map(
    (person) => house.ask("access/explain", { user_identity_id: person, device_id: door })["explanation"],
  );
  expect(explained).toMatchObject([{ reason: "no_grant" }, { reason: "in_window" }, { reason: "always" }]);
  const written = JSON.stringify(house.store.records.eventsOf({ after: 0, limit: 500 }));
  expect(written).not.toContain(`"${new Date(house.clock.now() + 13 * year).getUTCFullYear()}-`);
});

test("power-up in 1970, offline: who may always open may, codes on the lock stay, windows stand still until the time is known", async () => {
  using house = await houseByTheClock();
  house.grant("ann", door);
  stay(house, "ben", { ends_at: at(house, hour) });
  await house.clock.run(10 * minute);
  const [ann, ben] = [house.codeOf("ann", door), house.codeOf("ben", door)];

  house.ahead = -55 * year;
  await house.restart();
  expect(house.clockFacts).toMatchObject({ trusted: false, reason: "before_build" });
  house.grant("cyd", door);
  expect(stay(house, "dot", { ends_at: at(house, 5 * hour) }).ok).toBe(true);
  await house.clock.run(2 * hour);
  expect([house.opens(ann, door), house.opens(ben, door), house.opens(house.codeOf("cyd", door), door)]).toEqual([
    true,
    true,
    true,
  ]);
  expect(["ann", "ben", "cyd", "dot"].map((person) => state(house, person))).toEqual([
    "live",
    "live",
    "live",
    "waiting",
  ]);
  expect(house.ask("access/explain", { user_identity_id: "ann", device_id: door })).toMatchObject({
    explanation: { decision: "admit", reason: "always" },
  });
  house.revoke("ann", door);
  await house.clock.run(minute);
  expect(house.opens(ann, door)).toBe(false);

  house.ahead = 0;
  await house.clock.run(5 * minute);
  expect(house.clockFacts).toMatchObject({ trusted: true });
  expect(house.opens(ben, door)).toBe(false);
  expect(["ben", "cyd", "dot"].map((person) => state(house, person))).toEqual(["gone", "live", "live"]);
  const told = house.store.records.eventsOf({ after: 0, limit: 500 }).length;
  house.store.prune();
  expect(house.store.records.eventsOf({ after: 0, limit: 500 }).length).toBe(told);
});

test("a clock that was never right: a grant for a time that is made then begins when the time is known", async () => {
  using house = new House(1, "unlimited");
  house.ahead = -55 * year;
  await house.keepTime();
  const made = stay(house, "ann", { ends_at: at(house, 5 * hour) });
  expect(made).toMatchObject({ ok: true, access_grant: { starts_at: null } });
  await house.clock.run(hour);
  expect(state(house, "ann")).toBe("waiting");
  house.ahead = 0;
  await house.clock.run(5 * minute);
  expect(state(house, "ann")).toBe("live");
  expect(house.opens(house.codeOf("ann", door), door)).toBe(true);
});

test("a write that may still arrive is waited for as long as it takes, whatever the clock says meanwhile", async () => {
  using house = await houseByTheClock(6 * hour);
  house.grant("ann", door);
  // It looks at the slot, and then writes.
  await house.clock.run(stepCost / 2);
  house.moods.set(door, "vague");
  await house.clock.run(minute);
  expect(state(house, "ann")).toBe("unconfirmed");
  house.revoke("ann", door);
  house.moods.set(door, "good");
  await house.clock.run(20 * minute);
  expect(state(house, "ann")).toBe("removing");
  house.ahead = 13 * year;
  house.report(door, "online");
  await house.clock.run(hour);
  house.ahead = 0;
  await house.clock.run(4 * hour);
  expect(house.events("access.gone")).toEqual([]);
  expect(state(house, "ann")).toBe("removing");
  await house.clock.run(hour);
  expect(house.events("access.gone").length).toBe(1);
});
