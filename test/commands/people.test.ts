import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, toIso } from "../../agent/domain/instant.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { type Answer, doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1"), back = deviceId("door-2")] = doors;
const jane = {
  user_identity_key: "jane_doe",
  full_name: "Jane Doe",
  email_address: "jane@example.com",
  phone_number: "+15555550100",
};

let desk: MemoryStore;
beforeEach(() => {
  desk = new MemoryStore();
  for (const device of doors) desk.store.rounds.learn(device, keypad({ identity: `lock of ${device}` }));
  return () => desk[Symbol.dispose]();
});

const ask = (verb: string, parameters: object): Answer => desk.ask(`user_identities/${verb}`, parameters);
const shape = z.looseObject({ user_identity_id: z.string(), warnings: z.array(z.looseObject({})) });
const one = (answer: Answer): z.output<typeof shape> => shape.parse(answer["user_identity"]);
const listed = (parameters: object = {}): string[] =>
  z
    .array(shape)
    .parse(ask("list", parameters)["user_identities"])
    .map((each) => each.user_identity_id);
const grant = (who: string, device = door): Answer =>
  ask("grant_access_to_device", { user_identity_id: who, device_id: device });
const told = (): string[] => desk.events().map((event) => String(event["event_type"]));
/** What the rounds would do on the lock: chooses, and proves what was chosen. */
function carryOut(device = door): void {
  desk.store.rounds.choose(device);
  for (const { id, wanted } of desk.store.rounds.placements(device)) {
    desk.store.rounds.change(device, id, (placement) => ({
      ...placement,
      belief: wanted ? { at: "held", slot: slotName("1"), proof: "read_back" } : { at: "nowhere", proof: "read_back" },
    }));
  }
}

test("a user identity is shown in Seam's shape, and found by id and key", () => {
  const made = one(ask("create", jane));
  expect(made).toEqual({
    ...jane,
    user_identity_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    workspace_id: "w-1",
    display_name: "Jane Doe",
    acs_user_ids: [],
    created_at: toIso(desk.now),
    errors: [],
    warnings: [],
  });
  expect(one(ask("get", { user_identity_id: made.user_identity_id }))).toEqual(made);
  expect(one(ask("get", { user_identity_key: "jane_doe" }))).toEqual(made);
  expect(ask("list", {})).toMatchObject({
    user_identities: [made],
    pagination: { next_page_cursor: null, has_next_page: false, next_page_url: null },
  });
  expect(ask("get", {}).error?.type).toBe("invalid_input");
  expect(ask("get", { user_identity_key: "john" }).error?.type).toBe("user_identity_not_found");
});

test("nothing need be said of a person, and one whom a grant has named is there with an id alone", () => {
  const { user_identity_id: nobody } = one(ask("create", {}));
  grant("ann");
  expect(one(ask("get", { user_identity_id: "ann" }))).toMatchObject({
    user_identity_key: null,
    display_name: "ann",
    full_name: null,
    email_address: null,
    phone_number: null,
  });
  expect(listed().toSorted()).toEqual([nobody, "ann"].toSorted());
});

test.each(["user_identity_key", "email_address", "phone_number"] as const)(
  "two user identities never have the same %s, by create nor by update",
  (member) => {
    ask("create", jane);
    const before = desk.picture(["outbox", "journal", "outbox_events", "sqlite_sequence", "clock"]);
    const value = member === "email_address" ? "Jane@Example.com" : jane[member];
    const second = ask("create", { [member]: value });
    expect(second.error?.type).toBe(`${member}_in_use`);
    expect(second.error?.message).not.toContain(jane[member]);
    expect(desk.picture(["outbox", "journal", "outbox_events", "sqlite_sequence", "clock"])).toBe(before);
    const { user_identity_id: id } = one(ask("create", {}));
    expect(ask("update", { user_identity_id: id, [member]: value }).error?.type).toBe(`${member}_in_use`);
    const { user_identity_id: first } = one(ask("get", { user_identity_key: "jane_doe" }));
    expect(ask("update", { user_identity_id: first, [member]: value })).toEqual({ ok: true });
  },
);

test("an update changes what it names, and null takes it away", () => {
  const made = one(ask("create", jane));
  const { user_identity_id: id } = made;
  expect(ask("update", { user_identity_id: id, full_name: "Jane Roe", phone_number: null })).toEqual({ ok: true });
  expect(one(ask("get", { user_identity_id: id }))).toEqual({
    ...made,
    full_name: "Jane Roe",
    display_name: "Jane Roe",
    phone_number: null,
  });
  expect(ask("update", { user_identity_id: "nobody", full_name: "x" }).error?.type).toBe("user_identity_not_found");
});

test.each([
  ["email_address", "no address"],
  ["phone_number", "555"],
  ["full_name", ""],
  ["user_identity_key", "a\u0000b"],
  ["user_identity_key", "x".repeat(257)],
  ["acs_system_ids", ["one"]],
])("a %s that is none is invalid_input", (member, value) => {
  expect(ask("create", { [member]: value }).error).toMatchObject({
    type: "invalid_input",
    validation_errors: { [member]: { _errors: [expect.any(String)] } },
  });
});

test("user identities are listed by id, words and age, a page at a time, each once", () => {
  const made: string[] = [];
  for (const number of Array.from({ length: 7 }, (_, at) => at)) {
    made.push(one(ask("create", { full_name: `Guest ${number}` })).user_identity_id);
    if (number % 2 === 1) desk.now = later(desk.now, 1000);
  }
  expect(listed({ search: "guest 3" })).toEqual([made[3]]);
  expect(listed({ user_identity_ids: [made[5], "nobody"] })).toEqual([made[5]]);
  expect(listed({ created_before: toIso(later(desk.now, -2000)) }).toSorted()).toEqual(made.slice(0, 2).toSorted());
  const seen: string[] = [];
  let next: unknown;
  do {
    const parameters: object = { limit: 3, page_cursor: next };
    seen.push(...listed(parameters));
    const pagination = z.record(z.string(), z.unknown()).parse(ask("list", parameters)["pagination"]);
    expect(pagination["has_next_page"]).toBe(pagination["next_page_cursor"] !== null);
    next = pagination["next_page_cursor"];
  } while (next !== null);
  expect(seen.toSorted()).toEqual(made.toSorted());
  expect(ask("list", { page_cursor: "x" }).error?.type).toBe("invalid_input");
});

test("to delete a person takes all grants and codes away, and they are shown as being deleted until the last is gone", () => {
  const { user_identity_id: who } = one(ask("create", jane));
  desk.ask("credentials/set", { user_identity_id: who, kind: "pin", value: "493017" });
  grant(who);
  desk.ask("access_grants/create", { user_identity_id: who, device_ids: [door, back], access_grant_key: "stay" });
  carryOut(door);
  desk.touched.clear();
  expect(ask("delete", { user_identity_id: who })).toEqual({ ok: true });
  expect([...desk.touched].toSorted()).toEqual([door, back]);
  expect(desk.ask("access_grants/get", { access_grant_key: "stay" }).error?.type).toBe("access_grant_not_found");
  expect(desk.store.records.grants({})).toEqual([]);
  expect(desk.ask("access/get", { user_identity_id: who, device_id: door })).toMatchObject({
    receipt: { state: "removing", grants: [] },
  });
  const leaving = one(ask("get", { user_identity_id: who }));
  expect(leaving).toMatchObject({
    full_name: null,
    email_address: null,
    warnings: [{ warning_code: "being_deleted" }],
  });
  expect(listed()).toEqual([who]);
  expect(ask("update", { user_identity_id: who, full_name: "x" }).error?.type).toBe("user_identity_not_found");
  // A repeat is harmless, and what was the person's is free for another.
  expect(ask("delete", { user_identity_id: who })).toEqual({ ok: true });
  expect(one(ask("create", jane)).user_identity_id).not.toBe(who);

  carryOut(door);
  expect(ask("get", { user_identity_id: who }).error?.type).toBe("user_identity_not_found");
  expect(ask("delete", { user_identity_id: who }).error?.type).toBe("user_identity_not_found");
  expect(told().filter((type) => type !== "access.accepted")).toEqual([
    "access_grant.created",
    "access.live",
    "access_code.set_on_device",
    // Of the door that nothing was sent to; the other once its lock has said so.
    "access.gone",
    "access_grant.deleted",
    "access_code.removed_from_device",
    "access.gone",
  ]);
});

test("who is named again after being deleted is there again, with nothing of what was", () => {
  const { user_identity_id: who } = one(ask("create", jane));
  desk.ask("credentials/set", { user_identity_id: who, kind: "pin", value: "493017" });
  ask("delete", { user_identity_id: who });
  expect(ask("get", { user_identity_id: who }).error?.type).toBe("user_identity_not_found");
  desk.now = later(desk.now, 1000);
  grant(who);
  expect(one(ask("get", { user_identity_id: who }))).toMatchObject({
    full_name: null,
    created_at: toIso(desk.now),
    warnings: [],
  });
  expect(desk.ask("credentials/list", { user_identity_id: who })["credentials"]).toEqual([]);
});

test("a grant that comes late does not undo the deletion of its person", () => {
  const at = { user_identity_id: "ann", device_id: door, as_of: 3 };
  desk.ask("user_identities/grant_access_to_device", at);
  ask("delete", { user_identity_id: "ann" });
  expect(desk.ask("user_identities/grant_access_to_device", at).error?.type).toBe("superseded");
});

test("what stands for an access code is nobody, and nobody can be named so", () => {
  for (const [name, parameters] of [
    ["user_identities/grant_access_to_device", { device_id: door }],
    ["access_grants/create", { device_ids: [door] }],
    ["credentials/set", { kind: "pin", value: "493017" }],
  ] as const) {
    expect(desk.ask(name, { user_identity_id: "access_code:1", ...parameters }).error?.type).toBe("invalid_input");
  }
});
