import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../agent/commands/table.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, toIso } from "../../agent/domain/instant.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { type Answer, doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1"), back = deviceId("door-2")] = doors;
const hour = 3600_000;

let desk: MemoryStore;
beforeEach(() => {
  desk = new MemoryStore();
  for (const device of doors) desk.store.rounds.learn(device, keypad({ identity: `lock of ${device}` }));
  return () => desk[Symbol.dispose]();
});

const ask = (verb: string, parameters: object, codes = true): Answer =>
  desk.ask(`access_codes/${verb}`, parameters, {}, codes);
const shape = z.looseObject({ access_code_id: z.string(), status: z.string(), code: z.string().nullable() });
type Code = z.output<typeof shape>;
const one = (answer: Answer): Code => shape.parse(answer["access_code"]);
const get = (id: string): Code => one(ask("get", { access_code_id: id }));
const list = (of: object = {}): Code[] => z.array(shape).parse(ask("list", of)["access_codes"]);
const create = (of: object = {}): Code => one(ask("create", { device_id: door, ...of }));
const errorOf = (answer: Answer): string | undefined => answer.error?.type;
const at = (ms: number): string => toIso(later(desk.now, ms));
const told = (): string[] => desk.events().map((event) => String(event["event_type"]));
const pass = (ms: number): void => {
  desk.now = later(desk.now, ms);
  desk.store.turn();
};
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

test("an access code is shown in Seam's shape, is set when the lock has proved it, and leaves when it is deleted", () => {
  const made = create({ name: "Cleaner", code: "493017" });
  expect(made).toMatchObject({
    access_code_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    device_id: door,
    workspace_id: "w-1",
    name: "Cleaner",
    code: "493017",
    common_code_key: null,
    type: "ongoing",
    starts_at: null,
    ends_at: null,
    status: "setting",
    created_at: at(0),
    errors: [],
    warnings: [],
    is_managed: true,
    is_external_modification_allowed: false,
    is_waiting_for_code_assignment: false,
  });
  const { access_code_id: id } = made;
  expect([...desk.touched]).toEqual([door]);
  carryOut();
  expect(get(id)).toMatchObject({ status: "set", properties: { latchd: { state: "live", evidence: "read_back" } } });
  expect(list()).toEqual([get(id)]);
  expect(ask("delete", { access_code_id: id })).toEqual({ ok: true });
  expect(get(id)).toMatchObject({ status: "removing", pending_mutations: [{ mutation_code: "deleting" }] });
  expect(list()).toEqual([get(id)]);
  expect(ask("delete", { access_code_id: id })).toEqual({ ok: true });
  expect(errorOf(ask("update", { access_code_id: id, name: "x" }))).toBe("access_code_not_found");
  carryOut();
  expect(errorOf(ask("get", { access_code_id: id }))).toBe("access_code_not_found");
  expect(errorOf(ask("delete", { access_code_id: id }))).toBe("access_code_not_found");
  expect(list()).toEqual([]);
  expect(told().filter((type) => type.startsWith("access_code."))).toEqual([
    "access_code.created",
    "access_code.set_on_device",
    "access_code.removed_from_device",
    "access_code.deleted",
  ]);
  expect(told().at(-1)).toBe("access_code.deleted");
});

test("an access code that nothing was sent of is gone at once", () => {
  const { access_code_id: id } = create({ code: "493017" });
  ask("delete", { access_code_id: id });
  expect(errorOf(ask("get", { access_code_id: id }))).toBe("access_code_not_found");
  expect(told()).toEqual(["access_code.created", "access.accepted", "access.gone", "access_code.deleted"]);
});

test("a code that is left out is made when the lock has said what it takes", () => {
  const { access_code_id: id, ...made } = create();
  expect(made).toMatchObject({ code: null, is_waiting_for_code_assignment: true });
  carryOut();
  expect(get(id)).toMatchObject({ status: "set", code: expect.stringMatching(/^\d{6}$/) });
});

test("the identity of an access code is nobody: not listed among people, and its grant not among access grants", () => {
  const { access_code_id: id } = create({ code: "493017" });
  carryOut();
  expect(desk.ask("user_identities/list", {})["user_identities"]).toEqual([]);
  expect(desk.ask("access_grants/list", {})["access_grants"]).toEqual([]);
  expect(errorOf(desk.ask("access_grants/delete", { access_grant_id: id }))).toBe("access_grant_not_found");
  expect(errorOf(desk.ask("user_identities/delete", { user_identity_id: `access_code:${id}` }))).toBe(
    "user_identity_not_found",
  );
  expect(desk.ask("access/list", {})["receipts"]).toMatchObject([{ user_identity_id: `access_code:${id}` }]);
});

test("a code for a time waits for its start, and is no more when it has ended and is proven gone", () => {
  const made = create({ code: "493017", starts_at: at(hour), ends_at: at(2 * hour) });
  const { access_code_id: id } = made;
  expect(made).toMatchObject({
    type: "time_bound",
    starts_at: at(hour),
    ends_at: at(2 * hour),
    status: "unset",
    pending_mutations: [{ mutation_code: "deferring_creation", scheduled_at: at(hour) }],
  });
  pass(hour);
  carryOut();
  expect(get(id).status).toBe("set");
  pass(hour);
  expect(get(id)).toMatchObject({ status: "removing", errors: [] });
  pass(6 * 60_000);
  expect(get(id)).toMatchObject({ status: "removing", errors: [{ error_code: "failed_to_expire" }] });
  carryOut();
  expect(errorOf(ask("get", { access_code_id: id }))).toBe("access_code_not_found");
  expect(told().filter((type) => type === "access_code.deleted")).toHaveLength(1);
});

const both = "Both starts_at and ends_at must be provided if one is";
test.each<readonly [object, string]>([
  [{ code: "123" }, "4 to 12 digits"],
  [{ code: "12345678901234" }, "4 to 12 digits"],
  [{ code: 4930 }, "string"],
  [{ starts_at: "2099-01-01T00:00:00Z" }, both],
  [{ ends_at: "2099-01-01T00:00:00Z" }, both],
  [{ starts_at: "2099-01-02T00:00:00Z", ends_at: "2099-01-01T00:00:00Z" }, "after starts_at"],
  [{ starts_at: "2009-01-01T00:00:00Z", ends_at: "2009-01-02T00:00:00Z" }, "future"],
  [{ use_backup_access_code_pool: true }, "no backup access codes"],
  [{ is_one_time_use: true }, "one use"],
  [{ is_offline_access_code: true }, "offline"],
])("what is no access code is invalid_input (%j)", (of, message) => {
  const before = desk.picture();
  const answer = ask("create", { device_id: door, ...of });
  expect(answer.error).toMatchObject({ type: "invalid_input", message: expect.stringContaining(message) });
  expect(desk.picture()).toBe(before);
});

test("a code that is another's on the device, or that the lock cannot take, is refused, and nothing is made", () => {
  create({ code: "493017" });
  const before = desk.picture();
  expect(errorOf(ask("create", { device_id: door, code: "493017" }))).toBe("duplicate_access_code");
  expect(errorOf(ask("create", { device_id: door, code: "49301756" }))).toBe("code_constraints_violated");
  expect(errorOf(ask("create", { device_id: "door-9", code: "493018" }))).toBe("device_not_found");
  expect(desk.picture()).toBe(before);
  expect(ask("create", { device_id: back, code: "493017" }).ok).toBe(true);
});

test("a code that is on its lock stays set, though the lock would not take it by what it says now", () => {
  const { access_code_id: id } = create({ code: "493017" });
  carryOut();
  desk.store.rounds.learn(door, keypad({ identity: `lock of ${door}`, lengths: [4] }));
  desk.store.rounds.choose(door);
  expect(get(id)).toMatchObject({ status: "set", errors: [] });
  ask("delete", { access_code_id: id });
  expect(get(id).status).toBe("removing");
});

test("a lock that takes no codes gets none", () => {
  const { memory: _, ...reader } = keypad();
  desk.store.rounds.learn(door, { ...reader, identity: "a reader" });
  expect(errorOf(ask("create", { device_id: door }))).toBe("device_type_not_supported");
});

test("an update changes what it names: name, code, times, and to a code without times", () => {
  const { access_code_id: id } = create({ name: "One", code: "493017" });
  const update = (of: object): Answer => ask("update", { access_code_id: id, ...of });
  carryOut();
  expect(update({ name: "Two", is_external_modification_allowed: true })).toEqual({ ok: true });
  expect(get(id)).toMatchObject({ name: "Two", code: "493017", status: "set", is_external_modification_allowed: true });
  expect(update({ code: "602841" })).toEqual({ ok: true });
  // It is on its way, though the one before is on the lock still.
  expect(get(id)).toMatchObject({ code: "602841", status: "setting", pending_mutations: [{}] });
  carryOut();
  expect(get(id)).toMatchObject({ name: "Two", code: "602841", status: "set", type: "ongoing" });
  expect(update({ starts_at: at(hour) }).error?.message).toBe(both);
  expect(update({ type: "time_bound" }).error?.message).toBe(both);
  expect(update({ starts_at: at(0), ends_at: at(hour) })).toEqual({ ok: true });
  expect(get(id)).toMatchObject({ type: "time_bound", ends_at: at(hour) });
  expect(update({ ends_at: at(2 * hour) })).toEqual({ ok: true });
  expect(get(id)).toMatchObject({ starts_at: at(0), ends_at: at(2 * hour) });
  expect(update({ ends_at: null }).error?.message).toBe(both);
  expect(update({ type: "ongoing" })).toEqual({ ok: true });
  expect(get(id)).toMatchObject({ type: "ongoing", starts_at: null, ends_at: null, code: "602841" });
  expect(errorOf(update({ name: 7 }))).toBe("invalid_input");
});

test("an update that is repeated changes nothing, and only what is another than before is told to have changed", () => {
  const { access_code_id: id } = create({ name: "One", code: "493017" });
  const [starts_at, ends_at] = [at(hour), at(2 * hour)];
  const changes: readonly (readonly [object, readonly string[]])[] = [
    [{ name: "One", code: "493017", is_external_modification_allowed: false, type: "ongoing" }, []],
    [{ name: "One", code: "602841" }, ["code"]],
    [{ name: null, starts_at, ends_at }, ["name", "type", "starts_at", "ends_at"]],
    [{ ends_at: at(3 * hour), allow_external_modification: true }, ["ends_at", "is_external_modification_allowed"]],
  ];
  for (const [given, properties] of changes) {
    const before = changesTold().length;
    expect(ask("update", { access_code_id: id, ...given })).toEqual({ ok: true });
    const picture = desk.picture();
    expect(ask("update", { access_code_id: id, ...given })).toEqual({ ok: true });
    expect(desk.picture()).toBe(picture);
    const changed_properties = properties.map((property) => ({ property }));
    expect(changesTold().slice(before)).toMatchObject(
      properties.length > 0 ? [{ changed_properties, code: null }] : [],
    );
  }
});
const changesTold = (): unknown[] =>
  desk.events().flatMap((event) => (event["event_type"] === "access_code.changed" ? [event] : []));

test("the PINs of people are access codes, too, each with the same id as long as it is on the device; who grants them takes them away", () => {
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: door });
  desk.ask("access_grants/create", {
    user_identity_id: "ann",
    device_ids: [back],
    access_grant_key: "stay",
    ends_at: at(hour),
  });
  expect(list()).toEqual([]);
  for (const device of doors) carryOut(device);
  const codes = list();
  expect(codes).toHaveLength(2);
  const [first] = list({ device_id: door });
  expect(first).toMatchObject({
    device_id: door,
    status: "set",
    type: "ongoing",
    code: expect.stringMatching(/^\d{6}$/),
    properties: { latchd: { user_identity_id: "ann", is_managed_by_grant: true } },
  });
  const id = first?.access_code_id ?? "";
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(codes.map(({ access_code_id: each }) => each)).size).toBe(2);
  pass(1000);
  expect(get(id)).toEqual(first);
  expect(list({ access_grant_key: "stay" })).toMatchObject([
    { device_id: back, type: "time_bound", ends_at: at(hour - 1000) },
  ]);
  expect(list({ user_identity_id: "ben" })).toEqual([]);

  const before = desk.picture(["journal", "clock"]);
  for (const [verb, of] of [
    ["delete", {}],
    ["update", { name: "x" }],
  ] as const) {
    const answer = ask(verb, { access_code_id: id, ...of });
    expect(answer.error).toMatchObject({
      type: "access_code_managed_by_grant",
      message: expect.stringContaining("revoke"),
    });
  }
  expect(desk.picture(["journal", "clock"])).toBe(before);
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ann", device_id: door });
  expect(get(id).status).toBe("removing");
  carryOut();
  expect(errorOf(ask("get", { access_code_id: id }))).toBe("access_code_not_found");
});

test("a person's PIN that stays after its end is told like any other, and one that was taken back as such", () => {
  desk.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], ends_at: at(hour) });
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ben", device_id: back });
  for (const device of doors) carryOut(device);
  const end = at(hour);
  pass(hour);
  expect(list({ device_id: door })).toMatchObject([
    { status: "removing", errors: [], type: "time_bound", ends_at: end },
  ]);
  pass(6 * 60_000);
  expect(list({ device_id: door })).toMatchObject([{ errors: [{ error_code: "failed_to_expire" }], ends_at: end }]);
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: "ben", device_id: back });
  expect(list({ device_id: back })).toMatchObject([{ status: "removing", errors: [], type: "ongoing" }]);
  pass(6 * 60_000);
  expect(list({ device_id: back })).toMatchObject([
    { status: "removing", errors: [{ error_code: "failed_to_remove_from_device" }] },
  ]);
});

test("a code that takes long to get on its device is shown so after ten minutes", () => {
  const { access_code_id: id } = create({ code: "493017" });
  desk.store.rounds.choose(door);
  pass(9 * 60_000);
  expect(get(id)).toMatchObject({ status: "setting", warnings: [] });
  pass(2 * 60_000);
  expect(get(id)).toMatchObject({ status: "setting", warnings: [{ warning_code: "delay_in_setting_on_device" }] });
});

test("a code is found by what it is, and by nobody who may not be told codes: neither that it is there, nor that it is not", () => {
  const { access_code_id: id } = create({ code: "493017" });
  create({ device_id: back, code: "602841" });
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: door });
  for (const device of doors) carryOut(device);
  const by = (code: string, codes = true): Answer => ask("get", { device_id: door, code }, codes);
  expect(one(by("493017")).access_code_id).toBe(id);
  const [theirs] = list({ user_identity_id: "ann" });
  expect(one(by(theirs?.code ?? "")).access_code_id).toBe(theirs?.access_code_id);
  expect(errorOf(by("602841"))).toBe("access_code_not_found");
  expect(errorOf(by("117755"))).toBe("access_code_not_found");
  expect(by("493017", false)).toEqual(by("117755", false));
  expect(errorOf(by("493017", false))).toBe("insufficient_scope");
  // Nor by who is for this device only, where it opens another one, too.
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: back });
  const scope = { commands: ["*"], devices: [door], codes: true };
  const within = (code: string): Answer =>
    desk.ask("access_codes/get", { device_id: door, code }, { scope, door: "http" });
  expect(one(within("493017")).access_code_id).toBe(id);
  expect(within(theirs?.code ?? "")).toEqual(within("117755"));
  for (const of of [{}, { device_id: door }, { code: "493017" }]) {
    expect(ask("get", of).error).toMatchObject({
      type: "invalid_input",
      message: 'Give access_code_id, or device_id and code for "access_code_id"',
    });
  }
});

test("codes are told only where codes may be told, and each time is noted", () => {
  const made = ask("create", { device_id: door, code: "493017" }, false);
  const { access_code_id: id, code } = one(made);
  expect(code).toBeNull();
  carryOut();
  for (const [verb, of] of [
    ["get", { access_code_id: id }],
    ["list", {}],
  ] as const) {
    expect(JSON.stringify(ask(verb, of, false))).not.toContain("493017");
    const before = notes();
    expect(JSON.stringify(ask(verb, of))).toContain("493017");
    expect(notes()).toBe(before + 1);
  }
  expect(desk.picture()).not.toContain("493017");
  expect(JSON.stringify(desk.events())).not.toContain("493017");
  for (const name of ["create", "create_multiple", "get", "list"]) {
    expect(table.get(`access_codes/${name}`)).toMatchObject({ reveals: true });
  }
});
const notes = (): number =>
  Number(desk.opened.db.prepare("SELECT count(*) FROM journal WHERE type = 'credential.revealed'").pluck().get());

const several = (of: object = {}): Answer => ask("create_multiple", { device_ids: doors, ...of });
const codesIn = (answer: Answer): Code[] => z.array(shape).parse(answer["access_codes"]);

test("one code for several devices: all have it, or none is made, or those that cannot have it get another", () => {
  const made = codesIn(several({ name: "Crew" }));
  expect(new Set(made.map(({ code }) => code)).size).toBe(1);
  expect(new Set(made.map((code) => code["common_code_key"])).size).toBe(1);
  expect(made.map((code) => code["device_id"])).toEqual(doors);
  create({ code: "493017" });
  const before = desk.picture();
  expect(errorOf(several({ code: "493017" }))).toBe("duplicate_access_code");
  expect(desk.picture()).toBe(before);
  const mixed = several({ code: "493017", behavior_when_code_cannot_be_shared: "create_random_code" });
  expect(codesIn(mixed)).toMatchObject([
    { device_id: door, code: null },
    { device_id: back, code: "493017" },
  ]);
  expect(errorOf(several({ device_ids: [door, door] }))).toBe("invalid_input");
});

test("access codes are listed a page at a time", () => {
  const made = ["493017", "493018", "493019"].map((code) => create({ code }).access_code_id);
  const answer = ask("list", { limit: 2 });
  const { next_page_cursor: next } = z.object({ next_page_cursor: z.string() }).parse(answer["pagination"]);
  const pages = [...z.array(shape).parse(answer["access_codes"]), ...list({ limit: 2, page_cursor: next })];
  expect(pages.map(({ access_code_id: id }) => id).toSorted()).toEqual(made.toSorted());
  expect(list({ access_code_ids: made.slice(1) })).toHaveLength(2);
});

test("an ongoing access code is for always: it is in force though nobody knows the time; one for a time is not", () => {
  const store = desk.reopened(doors, undefined, undefined, () => false);
  const perform = (of: object): unknown =>
    JSON.parse(
      desk.perform("access_codes/create", JSON.stringify({ device_id: door, ...of }), {}, true, store).reply.body,
    );
  const identityOf = (of: object): string =>
    `access_code:${one(z.looseObject({ ok: z.literal(true) }).parse(perform(of))).access_code_id}`;
  const always = identityOf({ code: "493017" });
  identityOf({ code: "493018", starts_at: at(0), ends_at: at(hour) });
  const inForce = store.records.grants({ device: door }).filter((grant) => grant.inForce);
  expect(inForce.map(({ identity }) => identity)).toEqual([always]);
});
