import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { deviceId } from "../../agent/domain/ids.ts";
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
  missing();
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
