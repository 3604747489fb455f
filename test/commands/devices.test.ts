import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../agent/commands/table.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { type Answer, configured, keypad, MemoryStore } from "../support/memory-store.ts";
import { performOn } from "../support/perform-on.ts";

const ids = ["door-1", "door-2", "door-3", "door-4"].map(deviceId);
const [door = deviceId("door-1"), back = deviceId("door-2")] = ids;
let desk: MemoryStore;
let ask: (name: string, parameters: object) => Answer;
beforeEach(() => {
  desk = new MemoryStore();
  const names = ["Front", "Back", "Garden", "Garden"];
  const drivers = ["zwave", "simulated", "simulated", "simulated"];
  const store = desk.reopened(
    ids.map((id, at) => configured(id, { name: names[at] ?? "", driver: drivers[at] ?? "" })),
  );
  store.rounds.learn(door, keypad());
  ask = (name, parameters) =>
    JSON.parse(performOn(store, { name, payload: JSON.stringify(parameters) }, { now: desk.now }).reply.body);
  return () => desk[Symbol.dispose]();
});

const shape = z.looseObject({ device_id: z.string() });
const idsIn = (answer: Answer): string[] =>
  z
    .array(shape)
    .parse(answer["devices"])
    .map(({ device_id: id }) => id);
const list = (of: object = {}): string[] => idsIn(ask("devices/list", of));

test("a device is found by its id, and by a name that only it has; a name of two is none", () => {
  const { device } = ask("devices/get", { device_id: door });
  expect(device).toMatchObject({ device_id: door, display_name: "Front", device_type: "latchd_zwave" });
  expect(ask("devices/get", { name: "Front" })["device"]).toEqual(device);
  expect(ask("locks/get", { device_id: door })).toEqual({ ok: true, lock: device, device });
  expect(ask("devices/get", { device_id: "door-9" }).error?.type).toBe("device_not_found");
  expect(ask("devices/get", { name: "Cellar" }).error?.type).toBe("device_not_found");
  const { error } = ask("devices/get", { name: "Garden" });
  expect(error).toMatchObject({ type: "invalid_input", message: expect.stringContaining("door-3 or door-4") });
  expect(ask("devices/get", {}).error?.type).toBe("invalid_input");
});

test("devices are listed by id, make and words, all of them or a page at a time", () => {
  expect(list()).toEqual(ids);
  expect(list({ device_ids: [back, "door-9"] })).toEqual([back]);
  expect(list({ device_type: "latchd_zwave" })).toEqual([door]);
  expect(list({ device_types: ["latchd_simulated"], search: "gard" })).toEqual(ids.slice(2));
  const first = ask("devices/list", { limit: 3 });
  const { next_page_cursor: next } = z.object({ next_page_cursor: z.string() }).parse(first["pagination"]);
  expect([...idsIn(first), ...list({ limit: 3, page_cursor: next })]).toEqual(ids);
  const { locks, devices, pagination } = ask("locks/list", { limit: 2 });
  expect(locks).toEqual(devices);
  expect(pagination).toMatchObject({ has_next_page: true });
});

test("flags say what is known that a lock can do, also while it is offline, and nothing that no command does", () => {
  expect(ask("devices/get", { device_id: door })["device"]).toMatchObject({
    can_program_online_access_codes: true,
    can_unlock_with_code: true,
    capabilities_supported: ["lock", "access_code"],
    properties: { online: false, supported_code_lengths: [4, 5, 6], max_active_codes_supported: 5 },
    errors: [{ error_code: "device_offline", is_device_error: true }],
  });
  const unlocks = table.has("locks/unlock_door");
  for (const id of ids) {
    const { device } = ask("devices/get", { device_id: id });
    expect(unlocks || z.looseObject({ can_remotely_unlock: z.boolean() }).parse(device).can_remotely_unlock).toBe(
      unlocks,
    );
  }
  // It has never answered: nobody knows.
  expect(ask("devices/get", { device_id: back })["device"]).toMatchObject({
    can_program_online_access_codes: false,
    can_unlock_with_code: false,
    capabilities_supported: ["lock"],
  });
});

test("the workspace is the database, and stays the same", () => {
  const { workspace } = ask("workspaces/get", {});
  expect(workspace).toMatchObject({ workspace_id: "w-1", name: expect.any(String), is_sandbox: false });
  expect(ask("devices/get", { device_id: door })["device"]).toMatchObject({ workspace_id: "w-1" });
});
