import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { deviceId } from "../../agent/domain/ids.ts";
import { later } from "../../agent/domain/instant.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1")] = doors;
const ann = { user_identity_id: "ann", device_id: door };

let desk: MemoryStore;
beforeEach(() => {
  desk = new MemoryStore();
  desk.store.rounds.learn(door, keypad());
  return () => desk[Symbol.dispose]();
});

const change = (by: (placement: Placement) => Partial<Placement>): void => {
  for (const placement of desk.store.rounds.placements(door)) {
    desk.store.rounds.change(door, placement.id, (now) => ({ ...now, ...by(now) }));
  }
};
const held = (): void =>
  change(() => ({ belief: { at: "held", slot: slotName("1"), proof: "read_back" }, refusal: undefined }));
const missing = (): void => change(() => ({ belief: { at: "nowhere", proof: "read_back" } }));
const refused = (): void => change(() => ({ refusal: { reason: "full", detail: undefined }, attempts: 1 }));
const shape = z.looseObject({ event_type: z.string(), access_code_id: z.string().optional() });
const told = (): z.output<typeof shape>[] =>
  z
    .array(shape)
    .parse(desk.events())
    .filter(({ event_type: type }) => type.startsWith("access_code."));
const types = (): string[] => told().map(({ event_type: type }) => type.slice("access_code.".length));
const grant = (): void => {
  desk.ask("user_identities/grant_access_to_device", ann);
  desk.store.rounds.choose(door);
};

test("a person's PIN is told to be set once, whatever is in doubt meanwhile, and removed once; then anew", () => {
  grant();
  held();
  change(() => ({ belief: { at: "write", slot: slotName("1"), wasEmpty: false, inFlight: false } }));
  held();
  desk.ask("user_identities/revoke_access_to_device", ann);
  missing();
  expect(types()).toEqual(["set_on_device", "removed_from_device"]);
  const [first, second] = told();
  expect(second?.access_code_id).toBe(first?.access_code_id);
  expect(first).toMatchObject({ ...ann, connected_account_id: null, code: null });
  grant();
  held();
  expect(types()).toEqual(["set_on_device", "removed_from_device", "set_on_device"]);
});

test("a code that somebody else has taken from the lock is told to be gone, and to be set when it is there again", () => {
  grant();
  held();
  missing();
  missing();
  held();
  change(() => ({ belief: { at: "nowhere", proof: "acknowledged" } }));
  desk.ask("user_identities/revoke_access_to_device", ann);
  expect(types()).toEqual(["set_on_device", "deleted_external_to_seam", "set_on_device", "modified_external_to_seam"]);
});

test("where that stands it is no failure to set it", () => {
  grant();
  held();
  change(() => ({
    belief: { at: "nowhere", proof: "read_back" },
    refusal: { reason: "changed_on_lock", detail: undefined },
  }));
  expect(types()).toEqual(["set_on_device", "deleted_external_to_seam"]);
});

test("a code that the lock has ahead of its time is told to be there, then to be set, or to leave without", () => {
  grant();
  const when = { startsAt: desk.now, endsAt: later(desk.now, 3600_000), zone: "UTC", weekly: undefined };
  change(() => ({ dormant: true, when }));
  held();
  held();
  expect(types()).toEqual(["scheduled_on_device"]);
  change(() => ({ dormant: false }));
  expect(types()).toEqual(["scheduled_on_device", "set_on_device"]);
  change(() => ({ dormant: true }));
  desk.ask("user_identities/revoke_access_to_device", ann);
  missing();
  grant();
  change(() => ({ dormant: true, when }));
  held();
  desk.ask("user_identities/revoke_access_to_device", ann);
  missing();
  expect(types().slice(2)).toEqual(["removed_from_device", "scheduled_on_device", "removed_from_device"]);
});

test("that it takes long is told once: to set it, after ten minutes, and to take it away, after five", () => {
  grant();
  const { codeDelays, debt } = desk.store;
  const minute = 60_000;
  const start = desk.now;
  const look = (minutes: number): unknown => {
    desk.now = later(start, minutes * minute);
    debt.look(15 * minute, desk.now);
    return codeDelays.look(desk.now);
  };
  expect(look(9)).toBe(later(start, 10 * minute));
  expect(types()).toEqual([]);
  expect(look(10)).toBeUndefined();
  look(30);
  expect(types()).toEqual(["delay_in_setting_on_device"]);
  held();
  change(() => ({ belief: { at: "write", slot: slotName("1"), wasEmpty: false, inFlight: false } }));
  look(60);
  held();
  expect(types().slice(1)).toEqual(["set_on_device"]);
  desk.ask("user_identities/revoke_access_to_device", ann);
  look(64);
  look(65);
  look(90);
  missing();
  expect(types().slice(2)).toEqual(["failed_to_remove_from_device", "removed_from_device"]);
  expect(told()[0]).toMatchObject({ access_code_warnings: [{ warning_code: "delay_in_setting_on_device" }] });
  expect(told()[2]).toMatchObject({ access_code_errors: [{ error_code: "failed_to_remove_from_device" }] });
});

test("what a lock refuses is told once, with its error, until it is set; and what was never set is not told to be removed", () => {
  grant();
  refused();
  change(() => ({ refusal: undefined }));
  refused();
  expect(types()).toEqual(["failed_to_set_on_device"]);
  expect(told()[0]).toMatchObject({
    access_code_errors: [{ error_code: "no_space_for_access_code_on_device" }],
    device_errors: [],
  });
  desk.ask("user_identities/revoke_access_to_device", ann);
  missing();
  expect(types()).toEqual(["failed_to_set_on_device"]);
  grant();
  refused();
  held();
  expect(types().slice(1)).toEqual(["failed_to_set_on_device", "set_on_device"]);
});

test("an access code that gets another code stays set, and what it is is never in an event", () => {
  const { access_code: made } = desk.ask("access_codes/create", { device_id: door, code: "493017" });
  const { access_code_id: id } = z.looseObject({ access_code_id: z.string() }).parse(made);
  desk.store.rounds.choose(door);
  held();
  desk.ask("access_codes/update", { access_code_id: id, code: "602841" });
  desk.store.rounds.choose(door);
  for (const { id: placement, wanted } of desk.store.rounds.placements(door)) {
    desk.store.rounds.change(door, placement, (now) => ({
      ...now,
      belief: wanted ? { at: "held", slot: slotName("2"), proof: "read_back" } : { at: "nowhere", proof: "read_back" },
    }));
  }
  desk.ask("access_codes/delete", { access_code_id: id });
  missing();
  expect(types()).toEqual(["created", "set_on_device", "changed", "removed_from_device", "deleted"]);
  expect(new Set(told().map((event) => event.access_code_id))).toEqual(new Set([id]));
  expect(JSON.stringify(desk.events())).not.toMatch(/493017|602841/);
});
