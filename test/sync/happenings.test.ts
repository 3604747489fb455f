import { expect, test } from "vitest";
import { codeOf } from "../../agent/domain/access-code.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { happeningOf, type Told } from "../../agent/sync/happenings.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1")] = doors;

test("what happens at a lock is told in Seam's shapes, with the access code that was used, and never what it is", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(door, keypad());
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: door });
  rounds.choose(door);
  const [placement] = rounds.placements(door);
  if (!placement) throw new Error("one was chosen");
  const slot = slotName("3");
  const held = { ...placement, belief: { at: "held", slot, proof: "read_back" } } as const;
  const fieldsOf = (event: object): unknown =>
    happeningOf({ at: desk.now, address: "a", ...event } as Told, [held]).events[0];
  const theirs = {
    user_identity_id: "ann",
    credential_kind: "pin",
    slot,
    access_code_id: codeOf(placement),
    access_code_is_managed: true,
    connected_account_id: null,
  };
  expect(fieldsOf({ event: "unlocked", method: "keypad", slot })).toMatchObject({
    type: "lock.unlocked",
    fields: { ...theirs, method: "keycode" },
  });
  expect(fieldsOf({ event: "denied", reason: "schedule", slot })).toEqual({
    type: "lock.access_denied",
    fields: { ...theirs, reason_code: "schedule" },
    at: desk.now,
  });
  expect(fieldsOf({ event: "denied", reason: "unknown_code" })).toMatchObject({
    fields: { reason_code: "unknown_code", user_identity_id: null },
  });
  expect(JSON.stringify(fieldsOf({ event: "locked", method: "manual" }))).not.toContain("access_code_id");
});
