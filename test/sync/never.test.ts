import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { slotName } from "../../agent/domain/slot.ts";
import type { LockModel } from "../../simulator/lock.ts";
import { House } from "../support/house.ts";

/** What must never be done to a lock, or said of it, over whole rounds: the mistakes that are tried on these tests by name. */
const minute = 60_000;
const door = deviceId("door-0");

/** Ann has a code on the only lock. */
async function settled(model: Partial<LockModel> = {}): Promise<House> {
  const house = new House(1, 1, { model });
  house.grant("ann", door);
  await house.clock.run(minute);
  expect(stateOf(house)).toBe("live");
  house.sent.length = 0;
  return house;
}

/** Ann's code was sent to the lock, whose answer says nothing, as do all after it. */
async function unanswered(model: Partial<LockModel> = {}): Promise<House> {
  const house = new House(1, 1, { model });
  house.grant("ann", door);
  // What it is, and an empty slot, it says.
  await house.clock.run(model.memory === "assigned" ? 500 : 1_500);
  house.moods.set(door, "vague");
  await house.clock.run(minute);
  expect(commands(house)).toEqual(["write"]);
  return house;
}

const commands = (house: House): string[] =>
  house.sent.map(({ what }) => what).filter((what) => what !== "read" && what !== "abilities");
const stateOf = (house: House): unknown => {
  const answer = house.ask("access/get", { user_identity_id: "ann", device_id: door });
  return JSON.parse(JSON.stringify(answer))["receipt"]["state"];
};
const labels = (house: House): string[] => Object.values(house.lock(door).chip.entries).map(({ label }) => label);
const ownersPut = (house: House, slot: string, digits: string): void => {
  const credential = { kind: "pin", digits: new Secret(digits) } as const;
  house.lock(door).write({ credential, when: "always", label: "owner" }, slotName(slot));
};

test.each(["full", "masked"] as const)(
  "what the owner has put into a slot stays there, on a lock whose codes are read back %s",
  async (readBack) => {
    using house = new House(1, 1, { model: { readBack, slots: 3 } });
    ownersPut(house, "1", "918273");
    ownersPut(house, "3", "827364");
    house.grant("ann", door);
    await house.clock.run(minute);
    house.grant("ben", door);
    await house.clock.run(60 * minute);
    expect(labels(house)).toEqual(["owner", "ann", "owner"]);
  },
);

test("a slot that cannot be read is not written", async () => {
  using house = new House(1, 1);
  house.moods.set(door, "vague");
  house.grant("ann", door);
  await house.clock.run(60 * minute);
  expect(house.sent.map(({ what }) => what)).toContain("read");
  expect(commands(house)).toEqual([]);
});

test("what was sent to a slot that cannot be read since is in doubt, and not gone when it is revoked", async () => {
  using house = await unanswered();
  await house.clock.run(60 * minute);
  expect(stateOf(house)).toBe("unconfirmed");
  house.revoke("ann", door);
  await house.clock.run(60 * minute);
  expect(stateOf(house)).toBe("removing");
  expect(house.events("access.gone")).toEqual([]);
});

test.each(["numbered", "assigned"] as const)(
  "a write that was not answered is not sent again before the lock has said what became of it: %s slots",
  async (memory) => {
    using house = await unanswered({ memory });
    await house.clock.run(60 * minute);
    expect(commands(house)).toEqual(["write"]);
    expect(stateOf(house)).toBe("unconfirmed");
  },
);

test("a clear that was not answered leaves the code in the debt until it is proven gone, and its slot to nobody", async () => {
  using house = await settled({ slots: 1 });
  house.moods.set(door, "vague");
  house.revoke("ann", door);
  house.grant("ben", door);
  await house.clock.run(60 * minute);
  expect(commands(house)).toContain("clear");
  expect(commands(house)).not.toContain("write");
  expect(stateOf(house)).toBe("removing");
  expect(labels(house)).toEqual(["ann"]);
  house.moods.set(door, "good");
  await house.clock.run(60 * minute);
  expect(stateOf(house)).toBe("gone");
  expect(labels(house)).toEqual(["ben"]);
});

test("a new PIN is on the lock before the one before it leaves", async () => {
  using house = await settled();
  house.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "918273" });
  await house.clock.run(minute);
  expect(commands(house)).toEqual(["write", "clear"]);
  expect(Object.values(house.lock(door).chip.entries).map(({ value }) => value)).toEqual(["918273"]);
});

test("a revoke is carried out before the grants that came with it", async () => {
  using house = await settled();
  for (const person of ["ben", "cyd"]) house.grant(person, door);
  house.revoke("ann", door);
  await house.clock.run(minute);
  expect(commands(house)).toEqual(["clear", "write", "write"]);
});

test("what the lock has refused it is not sent again, whatever else it is asked", async () => {
  using house = new House(1, 1);
  ownersPut(house, "20", "918273");
  house.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "918273" });
  house.grant("ann", door);
  await house.clock.run(minute);
  expect(stateOf(house)).toBe("refused");
  for (const person of ["ben", "cyd"]) {
    house.grant(person, door);
    house.report(door, "online");
    await house.clock.run(60 * minute);
  }
  expect(commands(house)).toEqual(["write", "write", "write"]);
  expect(stateOf(house)).toBe("refused");
});
