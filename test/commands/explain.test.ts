import { beforeEach, expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, toIso } from "../../agent/domain/instant.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { type Answer, doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1"), back = deviceId("door-2")] = doors;
const anna = "anna";
const hour = 3600_000;
const day = 24 * hour;

let house: MemoryStore;
beforeEach(() => {
  house = new MemoryStore();
  for (const device of doors) house.store.rounds.learn(device, keypad({ identity: `lock of ${device}` }));
  return () => house[Symbol.dispose]();
});

const ask = (name: string, parameters: object): Answer => house.ask(name, parameters);
const create = (of: object = {}): Answer =>
  ask("access_grants/create", { user_identity_id: anna, device_ids: [door], ...of });
const idOf = (answer: Answer): string => JSON.parse(JSON.stringify(answer))["access_grant"]["access_grant_id"];
const pass = (ms: number): void => {
  house.now = later(house.now, ms);
  house.store.turn();
};
const at = (ms: number): string => toIso(later(house.now, ms));
const explain = (of: object = {}): Record<string, unknown> =>
  JSON.parse(JSON.stringify(ask("access/explain", { user_identity_id: anna, device_id: door, ...of })))["explanation"];
/** What the rounds would do on the lock, without one. */
const carryOut = (): void => {
  house.store.rounds.choose(door);
  for (const { id } of house.store.rounds.placements(door)) {
    const belief = { at: "held", slot: slotName("1"), proof: "read_back" } as const;
    house.store.rounds.change(door, id, (placement) => ({ ...placement, belief }));
  }
};

test("a person whom no grant names is denied", () => {
  expect(explain()).toMatchObject({ decision: "deny", reason: "no_grant", grant: null });
  expect(explain()["text"]).toBe("anna may not open Name of door-1 now: no grant names them on it");
});

test("a direct grant admits for good, and says what the lock holds", () => {
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
  carryOut();
  expect(explain()).toMatchObject({ decision: "admit", reason: "always", until: null, receipt: { state: "live" } });
  expect(explain({ at: at(hour) })).not.toHaveProperty("receipt");
});

test("a window says why, and until when, now and in the future", () => {
  create({ name: "Stay", starts_at: at(hour), ends_at: at(3 * hour) });
  expect(explain()).toMatchObject({
    decision: "deny",
    reason: "not_begun",
    until: at(hour),
    grant: { name: "Stay" },
  });
  expect(explain({ at: at(2 * hour) })).toMatchObject({
    decision: "admit",
    reason: "in_window",
    until: at(3 * hour),
  });
  expect(explain({ at: at(3 * hour) })).toMatchObject({ decision: "deny", reason: "ended", until: null });
});

test("the past is answered from what was known then", () => {
  const nine = house.now;
  house.store.transaction(() => house.store.records.event("agent.started", {}));
  pass(hour);
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
  const granted = house.now;
  pass(hour);
  ask("user_identities/revoke_access_to_device", { user_identity_id: anna, device_id: door });
  pass(hour);
  expect(explain({ at: toIso(later(nine, 1000)) })).toMatchObject({ decision: "deny", reason: "no_grant_then" });
  expect(explain({ at: toIso(later(granted, 1000)) })).toMatchObject({
    decision: "admit",
    reason: "always",
    journal: [{ event_type: "access.accepted" }],
  });
  expect(explain()).toMatchObject({ decision: "deny", reason: "no_grant" });
  expect(explain({ at: toIso(later(nine, -1)) })).toMatchObject({ decision: "unknown", reason: "unknown" });
});

test("what an access grant said then counts, not what it says now", () => {
  const id = idOf(create({ schedule: [{ days: ["sun"], from: "15:00", to: "16:00" }] }));
  const then = later(house.now, 60_000);
  pass(2 * hour);
  ask("access_grants/update", { access_grant_id: id, schedule: [{ days: ["mon"], from: "15:00", to: "16:00" }] });
  pass(hour);
  expect(explain({ at: toIso(then) })).toMatchObject({
    decision: "admit",
    grant: { schedule: [{ days: ["sun"], from: "15:00", to: "16:00" }], window: expect.stringContaining("sun") },
  });
  expect(explain()).toMatchObject({ decision: "deny", reason: "outside_schedule" });
});

test("a grant does not admit before it was made, though it says that it began earlier", () => {
  house.store.transaction(() => house.store.records.event("agent.started", {}));
  const eight = house.now;
  pass(hour);
  create({ starts_at: toIso(later(eight, -hour)) });
  pass(hour);
  expect(explain({ at: toIso(later(eight, 1000)) })).toMatchObject({ decision: "deny", reason: "no_grant_then" });
  expect(explain({ at: at(-1000) })).toMatchObject({ decision: "admit", reason: "in_window" });
});

test("a person of whom nothing is known is denied, then, now and in future, and is not named by the question", () => {
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
  pass(hour);
  const before = house.picture();
  for (const when of [undefined, at(-1000), at(0), at(day)]) {
    expect(explain({ user_identity_id: "nobody", at: when })).toMatchObject({ decision: "deny", reason: "no_grant" });
  }
  expect(house.picture()).toBe(before);
});

test("what the lock holds is said of now, and of no other time", () => {
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
  carryOut();
  pass(hour);
  for (const when of [undefined, null, at(0)])
    expect(explain({ at: when })).toMatchObject({ receipt: { state: "live" } });
  for (const when of [at(-1), at(1), at(-hour), at(day)]) expect(explain({ at: when })).not.toHaveProperty("receipt");
});

test("of the past, what happened at that door is quoted, and at no other; of now and the future nothing is", () => {
  for (const device of doors) {
    ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: device });
  }
  pass(hour);
  expect(explain({ at: at(-1000) })["journal"]).toMatchObject([{ event_type: "access.accepted", device_id: door }]);
  expect(explain({ device_id: back, at: at(-1000) })["journal"]).toMatchObject([{ device_id: back }]);
  for (const when of [at(0), at(1)]) expect(explain({ at: when })).not.toHaveProperty("journal");
});

test("what is older than the journal is unknown, also where the grant still stands", () => {
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
  const granted = house.now;
  pass(20 * day);
  house.store.transaction(() => house.store.records.event("something.else", {}));
  pass(11 * day);
  expect(explain({ at: toIso(later(granted, day)) })).toMatchObject({ decision: "admit" });
  house.store.prune();
  expect(explain({ at: toIso(later(granted, day)) })).toMatchObject({
    decision: "unknown",
    reason: "unknown",
    grant: null,
  });
  expect(explain({ at: at(-day) })).toMatchObject({ decision: "admit", reason: "always" });
});

test("before anything was written down, the past is unknown, in words that a person understands", () => {
  const untold = house.reopened(doors, undefined, undefined, () => false);
  const question = JSON.stringify({ user_identity_id: anna, device_id: door, at: at(-1) });
  const text = (): string => house.perform("access/explain", question, {}, true, untold).reply.body;
  expect(text()).toContain("the record begins now");
  // While the time is not known, nothing that is written down has one.
  untold.transaction(() => untold.records.event("agent.started", {}));
  expect(text()).toContain("the record begins now");
});

test("what stands now is said of now, though the clock was ahead when it was granted, or taken away", () => {
  house.now = later(house.now, day);
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
  ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: back });
  house.now = later(house.now, -day + hour);
  expect(explain()).toMatchObject({ decision: "admit", reason: "always" });
  house.now = later(house.now, day);
  ask("user_identities/revoke_access_to_device", { user_identity_id: anna, device_id: door });
  house.now = later(house.now, -day + hour);
  expect(explain()).toMatchObject({ decision: "deny", reason: "no_grant" });
  expect(explain({ device_id: back })).toMatchObject({ decision: "admit" });
});

test.each([
  [{ at: "2027-02-30T00:00:00Z" }, "at"],
  [{ at: "yesterday" }, "at"],
  [{ user_identity_id: "" }, "user_identity_id"],
  [{ device_id: null }, "device_id"],
])("%j is invalid_input, and names %s", (of, named) => {
  expect(ask("access/explain", { user_identity_id: anna, device_id: door, ...of }).error).toMatchObject({
    type: "invalid_input",
    validation_errors: { [named]: { _errors: [expect.anything()] } },
  });
});

test("a device that is not configured is device_not_found", () => {
  expect(ask("access/explain", { user_identity_id: anna, device_id: "attic" }).error?.type).toBe("device_not_found");
});
