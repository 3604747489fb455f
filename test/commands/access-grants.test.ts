import { beforeEach, describe, expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { type Instant, instant, later, toIso } from "../../agent/domain/instant.ts";
import { slotName } from "../../agent/domain/slot.ts";
import type { Store } from "../../agent/store/store.ts";
import { type Answer, configured, doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1"), back = deviceId("door-2")] = doors;
const anna = "anna";
const hour = 3600_000;

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
const grantIn = (answer: Answer): Record<string, unknown> => JSON.parse(JSON.stringify(answer))["access_grant"];
const receipt = (device = door): Record<string, unknown> =>
  JSON.parse(JSON.stringify(ask("access/get", { user_identity_id: anna, device_id: device })))["receipt"];
const told = (): string[] => house.events().map((event) => String(event["event_type"]));
const pass = (ms: number): void => {
  house.now = later(house.now, ms);
  house.store.turn();
};
/** What the rounds would do on the lock, without one: chooses, and proves what was chosen. */
const carryOut = (device = door): void => {
  house.store.rounds.choose(device);
  for (const { id, wanted } of house.store.rounds.placements(device)) {
    house.store.rounds.change(device, id, (placement) =>
      wanted
        ? { ...placement, belief: { at: "held", slot, proof: "read_back" } }
        : { ...placement, belief: { at: "nowhere", proof: "read_back" } },
    );
  }
};
const slot = slotName("1");
const setPin = (value: string): Answer => ask("credentials/set", { user_identity_id: anna, kind: "pin", value });
/** Of each door, whether somebody may open it now. */
const openDoors = (store: Store): readonly boolean[] => {
  store.turn();
  return doors.map((device) => store.records.grants({ device }).some((grant) => grant.inForce));
};
const at = (ms: number): string => toIso(later(house.now, ms));

const until = (who: string, end: Instant): object => ({
  user_identity_id: who,
  device_ids: [door],
  ends_at: toIso(end),
});

describe("access grants", () => {
  test("one is shown as it was asked for, and found by id, key, person and device", () => {
    const made = create({
      device_ids: [door, back],
      name: "Cleaning",
      access_grant_key: "stay-17",
      starts_at: at(hour),
      ends_at: at(5 * hour),
      schedule: [{ days: ["mon", "sun"], from: "22:00", to: "06:00" }],
      allow_external_modification: true,
    });
    const grant = grantIn(made);
    expect(grant).toMatchObject({
      user_identity_id: anna,
      device_ids: [door, back],
      name: "Cleaning",
      display_name: "Cleaning",
      access_grant_key: "stay-17",
      starts_at: at(hour),
      ends_at: at(5 * hour),
      schedule: [{ days: ["mon", "sun"], from: "22:00", to: "06:00" }],
      allow_external_modification: true,
      requested_access_methods: [{ mode: "code" }],
      warnings: [],
      errors: [],
    });
    expect(grantIn(ask("access_grants/get", { access_grant_id: idOf(made) }))).toEqual(grant);
    expect(grantIn(ask("access_grants/get", { access_grant_key: "stay-17" }))).toEqual(grant);
    for (const by of [{}, { user_identity_id: anna }, { device_id: back }, { access_grant_key: "stay-17" }]) {
      expect(ask("access_grants/list", by)["access_grants"]).toEqual([grant]);
    }
    expect(ask("access_grants/list", { user_identity_id: "ben" })["access_grants"]).toEqual([]);
    expect(told()).toEqual(["access_grant.created", "access.accepted", "access.accepted"]);
  });

  test("what is left out is: from now, for ever, at all times, a code, and no changes by hand; a start that is past is now", () => {
    const usual = {
      starts_at: at(0),
      ends_at: null,
      schedule: null,
      name: null,
      access_grant_key: null,
      requested_access_methods: [{ mode: "code" }],
      allow_external_modification: false,
    };
    expect(grantIn(create())).toMatchObject(usual);
    expect(grantIn(create({ starts_at: null, ends_at: null, schedule: null, name: null }))).toMatchObject(usual);
    expect(grantIn(create({ starts_at: at(-hour) }))).toMatchObject(usual);
  });

  test("before its window a person waits, with the time; in it the code is placed; at its end it goes, and is gone", () => {
    create({ starts_at: at(hour), ends_at: at(3 * hour) });
    expect(receipt()).toMatchObject({
      state: "waiting",
      credentials: [{ state: "waiting", reason: "outside_window", next: at(hour) }],
    });
    expect(house.store.turn()).toEqual({ due: new Set(), next: instant(house.now + hour) });
    house.store.rounds.choose(door);
    expect(house.store.rounds.placements(door)).toEqual([]);

    pass(hour);
    carryOut();
    expect(receipt()).toMatchObject({ state: "live", credentials: [{ state: "live", enforced_by: "agent" }] });
    pass(2 * hour);
    expect(receipt()).toMatchObject({ state: "removing", grants: [] });
    carryOut();
    expect(receipt()).toMatchObject({ state: "gone", credentials: [] });
    expect(told().slice(2)).toEqual([
      "access.live",
      "access_code.set_on_device",
      "access_code.removed_from_device",
      "access.gone",
    ]);
    expect(house.store.turn().next).toBeUndefined();
  });

  test("between two windows access is paused, not gone; gone comes with the end, by the proof of the pause", () => {
    // 2025-06-15 15:06:40 UTC is a sunday.
    create({ schedule: [{ days: ["sun"], from: "15:00", to: "16:00" }], ends_at: at(8 * 24 * hour) });
    carryOut();
    expect(receipt()["state"]).toBe("live");
    pass(hour);
    carryOut();
    const opens = "2025-06-22T15:00:00.000Z";
    expect(receipt()).toMatchObject({ state: "waiting", credentials: [{ reason: "outside_window", next: opens }] });
    expect(house.events().at(-1)).toMatchObject({ event_type: "access.paused", evidence: "read_back", next: opens });

    pass(7 * 24 * hour - hour);
    carryOut();
    expect(receipt()["state"]).toBe("live");
    pass(hour);
    carryOut();
    pass(24 * hour);
    const opened = ["access.live", "access_code.set_on_device", "access_code.removed_from_device", "access.paused"];
    expect(told().slice(2)).toEqual([...opened, ...opened, "access.gone"]);
    expect(house.events().at(-1)).toMatchObject({ evidence: "read_back", credential_kind: null });
    expect(receipt()).toMatchObject({ state: "gone", grants: [] });
  });

  test("a direct grant and an access grant share the credential and the slot: it leaves with the last of them", () => {
    ask("user_identities/grant_access_to_device", { user_identity_id: anna, device_id: door });
    carryOut();
    const id = idOf(create());
    carryOut();
    expect(house.store.rounds.placements(door)).toHaveLength(1);
    expect(receipt()).toMatchObject({ grants: ["direct", id], credentials: [{ enforced_by: "lock" }] });
    expect(ask("user_identities/revoke_access_to_device", { user_identity_id: anna, device_id: door })).toEqual({
      ok: true,
      still_granted_by: [{ access_grant_id: id }],
    });
    expect(house.events().at(-1)).toMatchObject({ event_type: "access.kept", still_granted_by: [id] });
    expect(receipt()).toMatchObject({ state: "live", credentials: [{ enforced_by: "agent" }] });
    ask("access_grants/delete", { access_grant_id: id });
    expect(receipt()["state"]).toBe("removing");
    carryOut();
    expect(told().filter((type) => type === "access.live" || type === "access.gone")).toEqual([
      "access.live",
      "access.gone",
    ]);
    expect(house.store.rounds.placements(door)).toEqual([]);
    expect(ask("access_grants/get", { access_grant_id: id }).error?.type).toBe("access_grant_not_found");
  });

  test("an update of the window takes effect at once, and writes nothing where the code may stay", () => {
    const id = idOf(create());
    carryOut();
    ask("access_grants/update", { access_grant_id: id, ends_at: at(hour) });
    expect(receipt()["state"]).toBe("live");
    expect(house.store.turn().next).toBe(house.now + hour);
    ask("access_grants/update", { access_grant_id: id, starts_at: at(hour), ends_at: null });
    expect(receipt()["state"]).toBe("removing");
    carryOut();
    expect(receipt()).toMatchObject({ state: "waiting", credentials: [{ next: at(hour) }] });
    ask("access_grants/update", { access_grant_id: id, ends_at: at(2 * hour) });
    pass(2 * hour);
    expect(receipt()["state"]).toBe("gone");
    // What is changed after it has ended ends no second time, and its end can be put off.
    ask("access_grants/update", { access_grant_id: id, name: "Late", schedule: null });
    expect(told().filter((type) => type === "access.gone")).toEqual(["access.gone"]);
    ask("access_grants/update", { access_grant_id: id, ends_at: at(hour) });
    carryOut();
    expect(receipt()["state"]).toBe("live");
  });

  test.each([
    [{ device_ids: [] }, "invalid_input"],
    [{ device_ids: [door, door] }, "invalid_input"],
    [{ device_ids: ["attic"] }, "device_not_found"],
    [{ requested_access_methods: [{ mode: "mobile_key" }] }, "not_supported"],
    [{ requested_access_methods: [{ mode: "cloud_key" }] }, "not_supported"],
    [{ requested_access_methods: [{ mode: "code", code: "12a" }] }, "invalid_input"],
    [{ requested_access_methods: [{ mode: "card", code: "471147" }] }, "invalid_input"],
    [
      {
        requested_access_methods: [
          { mode: "code", code: "471147" },
          { mode: "code", code: "582258" },
        ],
      },
      "invalid_input",
    ],
    [{ requested_access_methods: [{ mode: "code", code: "123456789" }] }, "code_constraints_violated"],
  ])("%j is %s, and nothing is kept of it", (of, type) => {
    const before = house.picture();
    expect(create(of).error?.type).toBe(type);
    expect(house.picture()).toBe(before);
  });

  test("a key is of one access grant at a time", () => {
    create({ access_grant_key: "k" });
    expect(create({ access_grant_key: "k" }).error?.type).toBe("access_grant_key_in_use");
    ask("access_grants/delete", { access_grant_key: "k" });
    expect(create({ access_grant_key: "k" }).ok).toBe(true);
  });

  test("a code that the person brings is set with the grant", () => {
    create({ requested_access_methods: [{ mode: "code", code: "4711" }] });
    expect(ask("credentials/get", { user_identity_id: anna })["credentials"]).toMatchObject([{ code: "4711" }]);
    expect(
      house.store.journal
        .takeFresh()
        .map((event) => JSON.stringify(event))
        .join(),
    ).not.toContain("4711");
  });

  test("a device is named once, however many grants name it", () => {
    create();
    create({ device_ids: [door, back] });
    house.store.rounds.learn(back, keypad({ identity: `lock of ${back}`, lengths: [6] }));
    const own = { user_identity_id: anna, kind: "pin", value: "12345" };
    expect(ask("credentials/set", own)["not_on"]).toMatchObject([{ device_id: back }]);
    house.store.rounds.learn(door, keypad({ identity: `lock of ${door}`, lengths: [6] }));
    const { error } = ask("credentials/set", { ...own, value: "54321" });
    expect(error).toMatchObject({ data: { not_on: [{ device_id: door }, { device_id: back }] } });
  });

  test("another code does not open a window, nor keep one open", () => {
    create({ starts_at: at(hour), ends_at: at(3 * hour) });
    setPin("4711");
    house.store.rounds.choose(door);
    expect(house.store.rounds.placements(door)).toEqual([]);
    pass(hour);
    carryOut();
    setPin("4712");
    carryOut();
    expect(receipt()).toMatchObject({ state: "live", credentials: [{ enforced_by: "agent" }] });
    pass(2 * hour);
    expect(receipt()["state"]).toBe("removing");
    carryOut();
    expect(receipt()).toMatchObject({ state: "gone", credentials: [] });
  });

  test("the times of a schedule are those of each door, and of its zone when that is corrected", () => {
    const zoned = (zone: string): Store =>
      house.reopened([configured(door, { timeZone: zone }), configured(back, { timeZone: "Asia/Tokyo" })]);
    // 15:06 UTC on a sunday: 17:06 in Zurich, and monday in Tokyo.
    const store = zoned("Europe/Zurich");
    const schedule = [{ days: ["sun"], from: "17:00", to: "18:00" }];
    const asked = { user_identity_id: anna, device_ids: doors, schedule };
    house.perform("access_grants/create", JSON.stringify(asked), {}, true, store);
    expect(openDoors(store)).toEqual([true, false]);
    house.now = later(house.now, hour);
    expect(openDoors(store)).toEqual([false, false]);
    expect(openDoors(zoned("UTC"))).toEqual([false, false]);
    house.now = later(house.now, hour);
    expect(openDoors(zoned("UTC"))).toEqual([true, false]);
    expect(openDoors(zoned("Asia/Kolkata"))).toEqual([false, false]);
  });

  test("with a lead, codes are due before a window opens, spread over that time, and never after it", () => {
    const lead = 600_000;
    const store = house.reopened([configured(door, { lead })]);
    const opens = later(house.now, hour);
    const people = Array.from({ length: 60 }, (_, number) => `person-${number}`);
    for (const person of people) {
      const stay = { user_identity_id: person, device_ids: [door], starts_at: toIso(opens) };
      house.perform("access_grants/create", JSON.stringify(stay), {}, true, store);
    }
    const moments: Instant[] = [];
    for (let { next } = store.turn(); next !== undefined; { next } = store.turn()) {
      house.now = next;
      if (next >= opens) break;
      moments.push(next);
    }
    const inForce = (): number => store.records.grants({ device: door }).filter((grant) => grant.inForce).length;
    expect(moments[0]).toBeGreaterThanOrEqual(opens - lead);
    expect(moments.length).toBeGreaterThan(people.length / 2);
    const half = moments.filter((moment) => moment < opens - lead / 2).length;
    expect(half).toBeGreaterThan(moments.length / 4);
    expect(half).toBeLessThan((moments.length * 3) / 4);
    expect(inForce()).toBe(people.length);
    expect(store.records.grants({ device: back })).toEqual([]);
  });

  test("windows that wear the lock out are accepted with a warning", () => {
    const often = Array.from({ length: 24 }, (_, from) => from).map((from) => ({
      days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
      from: `${String(from).padStart(2, "0")}:00`,
      to: `${String(from).padStart(2, "0")}:30`,
    }));
    expect(grantIn(create({ schedule: often }))["warnings"]).toEqual([]);
    expect(grantIn(create({ schedule: often }))["warnings"]).toMatchObject([{ warning_code: "wear", device_id: door }]);
  });

  test("while the time is not known no window opens or closes; then what was missed is made up for", () => {
    let isTrusted = true;
    const store = house.reopened(doors, undefined, undefined, () => isTrusted);
    const perform = (name: string, parameters: object) =>
      house.perform(name, JSON.stringify(parameters), {}, true, store);
    perform("access_grants/create", until(anna, later(house.now, hour)));
    isTrusted = false;
    house.now = later(house.now, 2 * hour);
    expect(store.turn()).toEqual({ due: new Set(), next: undefined });
    perform("access_grants/create", until("ben", later(house.now, hour)));
    const inForce = (): boolean[] => store.records.grants({ device: door }).map((grant) => grant.inForce);
    expect(inForce()).toEqual([true, false]);
    isTrusted = true;
    store.turn();
    expect(inForce()).toEqual([true]);
  });
});
