import { expect, test } from "vitest";
import { deviceId } from "../agent/domain/ids.ts";
import { later, toIso } from "../agent/domain/instant.ts";
import { watchDebt } from "../agent/overdue.ts";
import { House } from "./support/house.ts";

const minute = 60_000;
const [first, second] = [deviceId("door-0"), deviceId("door-1")];

function watch(house: House): () => void {
  const { clock } = house;
  return watchDebt(house.store, 15 * minute, { clock, committed: () => house.listen(), failed });
}
const failed = (error: unknown): void => {
  throw error;
};

/** Two deaf locks, with a code of ann's on each. */
async function deafHouse(): Promise<House> {
  const house = new House(2, "unlimited");
  for (const device of house.devices) house.grant("ann", device);
  await house.clock.run(minute);
  for (const device of house.devices) house.moods.set(device, "deaf");
  return house;
}

test("what is to be taken away and is not is told when it has taken too long, and when it is over, each once", async () => {
  using house = await deafHouse();
  let end = watch(house);
  await house.clock.run(minute / 2);
  const since = house.seconds;
  house.revoke("ann", first);
  await house.clock.run(5 * minute);
  house.revoke("ann", second);
  expect(house.events("revocation.overdue")).toEqual([]);
  await house.clock.run(60 * minute);
  expect(house.events("revocation.overdue")).toMatchObject([
    { at: since + 15 * 60, count: 2, device_ids: [first, second], oldest_since: expect.any(String) },
  ]);

  end();
  await house.restart();
  end = watch(house);
  house.moods.set(first, "good");
  house.report(first, "online");
  await house.clock.run(5 * minute);
  expect(house.events("access.gone").length).toBe(1);
  expect(house.events("revocation.overdue").length).toBe(1);
  expect(house.events("revocation.cleared")).toEqual([]);

  house.moods.set(second, "good");
  house.report(second, "online");
  await house.clock.run(2 * minute);
  expect(house.events("revocation.cleared")).toMatchObject([{ count: 0, oldest_since: null, device_ids: [] }]);

  house.moods.set(first, "deaf");
  house.grant("ben", first);
  await house.clock.run(60 * minute);
  expect(house.told.filter(({ type }) => type.startsWith("revocation.")).length).toBe(2);
  end();
  expect(house.clock.asleep).toBeLessThanOrEqual(2);
});

test("what was overdue is still so where the clock is set back", async () => {
  using house = await deafHouse();
  house.revoke("ann", first);
  await house.clock.run(minute);
  const { debt } = house.store;
  const now = house.clock.now();
  debt.look(15 * minute, later(now, 20 * minute));
  debt.look(15 * minute, later(now, -20 * minute));
  house.listen();
  expect(house.told.filter(({ type }) => type.startsWith("revocation.")).map(({ type }) => type)).toEqual([
    "revocation.overdue",
  ]);
});

test("the debt is part of the status, and of each device, with its breaker", async () => {
  using house = await deafHouse();
  house.revoke("ann", first);
  const oldest = toIso(house.clock.now());
  await house.clock.run(20 * minute);
  const open = { state: "open", since: expect.any(String), next_try: expect.any(String) };
  const closed = { state: "closed", since: null, next_try: null };
  expect(house.ask("agent/status", {})).toMatchObject({
    agent: {
      revocation_debt: { count: 1, oldest_since: oldest, device_ids: [first] },
      devices: [
        { device_id: first, online: false, breaker: open },
        { device_id: second, breaker: closed },
      ],
    },
  });
  expect(house.ask("devices/list", {})).toMatchObject({
    devices: [
      { properties: { latchd: { removing: 1, revocation_debt: { count: 1, oldest_since: oldest }, breaker: open } } },
      { properties: { latchd: { removing: 0, revocation_debt: { count: 0, oldest_since: null }, breaker: closed } } },
    ],
  });
});

test("each credential that is not removed five minutes after its end is told, once, and stays in the debt", async () => {
  using house = await deafHouse();
  const end = watch(house);
  house.revoke("ann", first);
  await house.clock.run(4 * minute);
  expect(house.events("access.overdue")).toEqual([]);
  await house.clock.run(6 * minute);
  expect(house.events("access.overdue")).toMatchObject([
    { user_identity_id: "ann", device_id: first, credential_kind: "pin", reason: "not_removed" },
  ]);
  // Wanted again, and then not: that is another end.
  house.grant("ann", first);
  await house.clock.run(minute);
  house.revoke("ann", first);
  await house.clock.run(minute);
  expect(house.events("access.overdue").length).toBe(1);
  await house.clock.run(10 * minute);
  expect(house.events("access.overdue").length).toBe(2);
  end();
});
