import { describe, expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, type Milliseconds, toIso } from "../../agent/domain/instant.ts";
import { watchDebt } from "../../agent/overdue.ts";
import { House } from "../support/house.ts";
import { blankImage, openInMemory } from "../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const door = deviceId("door-0");
const image = blankImage();

/** The whole agent but its wires, at one lock. */
async function open(): Promise<House> {
  const house = new House(1, "unlimited", { opened: openInMemory(image) });
  await house.keepTime();
  await house.clock.run(minute);
  return house;
}

const at = (house: House, ms: Milliseconds): string => toIso(later(house.now(), ms));
const done = (house: House): string[] =>
  house.sent.flatMap(({ what }) => (what === "write" || what === "clear" ? [what] : []));
const told = (house: House): string[] =>
  house.told.map(({ type }) => type).filter((type) => /^access\.(live|paused|gone|overdue)$/.test(type));
const receipt = (house: House): Record<string, unknown> =>
  JSON.parse(JSON.stringify(house.ask("access/get", { user_identity_id: "ann", device_id: door })))["receipt"];

function give(house: House, what: string): void {
  if (what === "direct") house.grant("ann", door);
  else house.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], access_grant_key: what });
}
function take(house: House, what: string): void {
  if (what === "direct") house.revoke("ann", door);
  else house.ask("access_grants/delete", { access_grant_key: what });
}

const ordersOf = (all: readonly string[]): readonly (readonly string[])[] =>
  all.length === 0
    ? [[]]
    : all.flatMap((first) => ordersOf(all.filter((each) => each !== first)).map((rest) => [first, ...rest]));

describe("a direct grant and access grants of one person on one device", () => {
  const grants = ["direct", "one", "two"];
  test.each(ordersOf(grants))(
    "are one code, in one slot, written once, when given as %s, %s, %s and taken in any order",
    async (...given) => {
      for (const taken of ordersOf(grants)) {
        using house = await open();
        for (const what of given) {
          give(house, what);
          await house.clock.run(minute);
        }
        const code = house.codeOf("ann", door);
        const entries = JSON.stringify(house.locks.get(door)?.chip.entries);
        for (const what of taken.slice(0, -1)) {
          take(house, what);
          await house.clock.run(minute);
          expect(receipt(house)).toMatchObject({ state: "live", credentials: [{ state: "live" }] });
          expect(JSON.stringify(house.locks.get(door)?.chip.entries)).toBe(entries);
        }
        expect(done(house)).toEqual(["write"]);
        expect(house.opens(code, door)).toBe(true);
        for (const what of taken.slice(-1)) take(house, what);
        await house.clock.run(minute);
        expect(done(house)).toEqual(["write", "clear"]);
        expect(house.opens(code, door)).toBe(false);
        expect(told(house)).toEqual(["access.live", "access.gone"]);
      }
    },
  );

  test("the end of a window takes nothing away while another grant admits, and the last end takes it", async () => {
    using house = await open();
    house.grant("ann", door);
    for (const [key, ms] of [
      ["short", hour],
      ["long", 3 * hour],
    ] as const) {
      const ends = { access_grant_key: key, ends_at: at(house, ms) };
      house.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], ...ends });
    }
    await house.clock.run(2 * hour);
    house.revoke("ann", door);
    await house.clock.run(hour - minute);
    expect(done(house)).toEqual(["write"]);
    expect(receipt(house)).toMatchObject({ state: "live", credentials: [{ enforced_by: "agent" }] });
    await house.clock.run(2 * minute);
    expect(done(house)).toEqual(["write", "clear"]);
    expect(told(house)).toEqual(["access.live", "access.gone"]);
  });
});

test("a stay that is made longer or shorter writes nothing: its code goes at the new end", async () => {
  using house = await open();
  const stay = { user_identity_id: "ann", device_ids: [door], access_grant_key: "stay" };
  house.ask("access_grants/create", { ...stay, ends_at: at(house, hour) });
  await house.clock.run(30 * minute);
  const code = house.codeOf("ann", door);
  house.ask("access_grants/update", { access_grant_key: "stay", ends_at: at(house, 3 * hour) });
  await house.clock.run(2 * hour);
  house.ask("access_grants/update", { access_grant_key: "stay", ends_at: at(house, 30 * minute) });
  await house.clock.run(29 * minute);
  expect(done(house)).toEqual(["write"]);
  expect(house.opens(code, door)).toBe(true);
  await house.clock.run(2 * minute);
  expect(done(house)).toEqual(["write", "clear"]);
  expect(house.opens(code, door)).toBe(false);
});

test("a code is on the lock while its window is open, night after night, and is the same one", async () => {
  using house = await open();
  // It is 15:07 on a sunday.
  const schedule = [{ days: ["sun", "mon"], from: "22:00", to: "02:00" }];
  house.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], schedule });
  const nights: boolean[] = [];
  for (let hours = 0; hours < 12; hours++) {
    await house.clock.run(hour);
    const held = Object.keys(house.locks.get(door)?.chip.entries ?? {}).length;
    nights.push(held === 1);
  }
  // 16:07, …, 21:07, 22:07 to 01:07, 02:07, 03:07.
  expect(nights).toEqual([...Array.from({ length: 6 }, () => false), true, true, true, true, false, false]);
  expect(told(house)).toEqual(["access.live", "access.paused"]);
});

test("a code that is still on a deaf lock five minutes after the end of its window is told, and goes when it answers", async () => {
  using house = await open();
  const end = watchDebt(house.store, hour, { clock: house.clock, committed: () => house.listen(), failed });
  house.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], ends_at: at(house, hour) });
  await house.clock.run(30 * minute);
  const code = house.codeOf("ann", door);
  house.moods.set(door, "deaf");
  await house.clock.run(34 * minute);
  expect(told(house)).toEqual(["access.live"]);
  await house.clock.run(3 * minute);
  expect(told(house)).toEqual(["access.live", "access.overdue"]);
  expect(receipt(house)).toMatchObject({ state: "removing", grants: [] });
  expect(house.ask("agent/status", {})).toMatchObject({ agent: { revocation_debt: { count: 1 } } });
  house.moods.set(door, "good");
  await house.clock.run(31 * minute);
  expect(told(house)).toEqual(["access.live", "access.overdue", "access.gone"]);
  expect(house.opens(code, door)).toBe(false);
  end();
});

function failed(error: unknown): void {
  throw error;
}
