import assert from "node:assert/strict";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { mostBytes } from "../../agent/commands/perform.ts";
import { table } from "../../agent/commands/table.ts";
import { anyParameters, type Likely } from "../support/any-parameters.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";

const grant = "user_identities/grant_access_to_device";
const revoke = "user_identities/revoke_access_to_device";
const pair = { user_identity_id: "ann", device_id: doors[0] };

test("a write with a request_id is done once, and its repetition gets the same bytes", () => {
  using desk = new MemoryStore();
  const first = desk.perform(grant, JSON.stringify({ request_id: "r-1", ...pair }));
  desk.ask(revoke, pair);
  const picture = desk.picture();
  // In another order, it is the same command.
  const again = desk.perform(
    grant,
    JSON.stringify({ device_id: doors[0], user_identity_id: "ann", request_id: "r-1" }),
  );
  expect(again).toEqual(first);
  expect(again.requestId).toBe("r-1");
  expect(desk.picture()).toBe(picture);
  expect(desk.events().map((event) => event["event_type"])).toEqual(["access.accepted", "access.gone"]);
});

test("a request_id that was used for something else is refused and told, and nothing is done", () => {
  using desk = new MemoryStore();
  desk.ask(grant, { request_id: "r-1", ...pair });
  for (const [name, parameters] of [
    [revoke, pair],
    [grant, { ...pair, user_identity_id: "ben" }],
  ] as const) {
    const { reply } = desk.perform(name, JSON.stringify({ request_id: "r-1", ...parameters }));
    expect(reply.status).toBe(409);
    expect(JSON.parse(reply.body)).toMatchObject({ ok: false, error: { type: "request_id_conflict" } });
  }
  expect(desk.events().map((event) => event["event_type"])).toEqual([
    "access.accepted",
    "command.refused",
    "command.refused",
  ]);
  expect(desk.ask("access/list", {})["receipts"]).toHaveLength(1);
});

test("what was refused may be sent again with the same request_id", () => {
  using desk = new MemoryStore();
  expect(desk.ask(grant, { request_id: "r-1", user_identity_id: "ann" }).ok).toBe(false);
  expect(desk.ask(grant, { request_id: "r-1", ...pair })).toEqual({ ok: true });
});

test("a read is never replayed", () => {
  using desk = new MemoryStore();
  desk.ask("access/list", { request_id: "r-1" });
  desk.ask(grant, pair);
  expect(desk.ask("access/list", { request_id: "r-1" })["receipts"]).toHaveLength(1);
});

test("nor is one that tells codes: what it said of them may not be so any more, and they are kept nowhere for it", () => {
  using desk = new MemoryStore();
  const { access_code: made } = desk.ask("access_codes/create", { device_id: doors[0], code: "493017" });
  const { access_code_id: id } = z.looseObject({ access_code_id: z.string() }).parse(made);
  desk.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "602841" });
  const asked = { "access_codes/get": { access_code_id: id }, "access_codes/list": {}, "credentials/get": ann };
  const kept = desk.picture(["journal", "credentials", "clock"]);
  for (const [name, of] of Object.entries(asked)) {
    const reply = (): string => JSON.stringify(desk.ask(name, { request_id: name.replace("/", "-"), ...of }));
    expect(reply()).toMatch(/493017|602841/);
    expect(desk.picture(["journal", "credentials", "clock"])).toBe(kept);
  }
  desk.ask("access_codes/delete", { access_code_id: id });
  expect(desk.ask("access_codes/get", { request_id: "access_codes-get", access_code_id: id }).error?.type).toBe(
    "access_code_not_found",
  );
});
const ann = { user_identity_id: "ann" };

test("a reply that held codes is not replayed where codes may not be told", () => {
  using desk = new MemoryStore();
  desk.ask("credentials/set", { user_identity_id: "ann", kind: "pin", value: "493017" });
  const asked = { request_id: "r-1", user_identity_id: "ann" };
  expect(JSON.stringify(desk.ask("credentials/get", asked))).toContain("493017");
  const overMqtt = desk.perform("credentials/get", JSON.stringify(asked), { door: "mqtt" }, false);
  expect(overMqtt.reply.body).not.toContain("493017");
});

const shapes: readonly (readonly [string, object, string, object])[] = [
  [
    "one that is missing",
    { user_identity_id: "ann" },
    "device_id is required",
    { _errors: [], device_id: { _errors: ["Required"] } },
  ],
  [
    "two that are missing",
    {},
    "2 Input Errors: user_identity_id is required, device_id is required",
    { _errors: [], user_identity_id: { _errors: ["Required"] }, device_id: { _errors: ["Required"] } },
  ],
];

test.each(shapes)("invalid_input has Seam's shape for %s", (_, parameters, message, errors) => {
  using desk = new MemoryStore();
  const { reply } = desk.perform(grant, JSON.stringify(parameters));
  expect(reply.status).toBe(400);
  expect(JSON.parse(reply.body)).toEqual({
    ok: false,
    error: { type: "invalid_input", message, validation_errors: errors },
  });
});

test("credentials/set says which kind it needs where none is given", () => {
  using desk = new MemoryStore();
  const { error } = desk.ask("credentials/set", { user_identity_id: "ann", value: "4711" });
  expect(error?.message).toContain("kind");
  expect(error?.validation_errors).toMatchObject({ kind: { _errors: [expect.any(String)] } });
});

test("a wrong type is named with its place, and keys that no command knows are passed over", () => {
  using desk = new MemoryStore();
  expect(desk.ask(grant, { ...pair, device_id: 7 }).error?.message).toMatch(/ for "device_id"$/);
  expect(desk.ask(grant, { ...pair, note: "thanks" })).toEqual({ ok: true });
});

test.each([
  ["text that is not JSON", "{"],
  ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
  ["an array", "[]"],
  ["nothing", ""],
  ["a number", "17"],
  ["null", "null"],
  ["more than 64 KiB", JSON.stringify({ ...pair, note: "x".repeat(mostBytes) })],
  ["a request_id that cannot be a topic", JSON.stringify({ ...pair, request_id: "a/b" })],
  ["a nesting without an end", `{"request_id":"r","note":${"[".repeat(30_000)}${"]".repeat(30_000)}}`],
])("%s is invalid_input, and changes nothing", (_, payload) => {
  using desk = new MemoryStore();
  const picture = desk.picture();
  expect(JSON.parse(desk.perform(grant, payload).reply.body)).toMatchObject({
    ok: false,
    error: { type: "invalid_input", validation_errors: { _errors: expect.any(Array) } },
  });
  expect(desk.picture()).toBe(picture);
  expect(desk.bugs).toEqual([]);
});

test("64 KiB exactly are taken", () => {
  using desk = new MemoryStore();
  const bare = JSON.stringify({ ...pair, note: "" });
  const payload = JSON.stringify({ ...pair, note: "x".repeat(mostBytes - bare.length) });
  expect(payload.length).toBe(mostBytes);
  expect(desk.perform(grant, payload).reply.status).toBe(200);
});

test.each([
  ["is not there", "no/such", {}],
  ["is closed by the configuration", grant, { isOpen: false }],
  ["belongs to another door", "act/type", { door: "mqtt" }],
  ["is not named", undefined, {}],
] as const)("a command that %s is unknown_command", (_, name, of) => {
  using desk = new MemoryStore();
  const { reply } = desk.perform(name, JSON.stringify(pair), of);
  expect(reply.status).toBe(404);
  expect(JSON.parse(reply.body).error.type).toBe("unknown_command");
});

test("a device that is not configured is device_not_found, and its person is not created", () => {
  using desk = new MemoryStore();
  const { reply } = desk.perform(grant, JSON.stringify({ ...pair, device_id: "door-9" }));
  expect(reply.status).toBe(404);
  expect(JSON.parse(reply.body).error.type).toBe("device_not_found");
  expect(desk.picture()).not.toContain("ann");
});

test("a retained command is refused, and the cure named", () => {
  using desk = new MemoryStore();
  const { error } = desk.ask(grant, pair, { retained: true });
  expect(error?.type).toBe("retained_command_refused");
  expect(error?.message).toContain("empty retained message");
  expect(desk.ask("access/list", {})["receipts"]).toEqual([]);
});

test("a Response Topic that is not the agent's own is refused, and told where nobody can be answered", () => {
  using desk = new MemoryStore();
  expect(desk.ask(grant, { request_id: "r-1", ...pair }, { replyAddress: "unfit" }).error?.type).toBe("invalid_input");
  expect(desk.events()).toEqual([]);
  desk.ask(grant, pair, { replyAddress: "unfit" });
  expect(desk.events()).toMatchObject([{ event_type: "command.refused", error: { type: "invalid_input" } }]);
});

test("a command that is refused and names no reply address gets a command.refused event", () => {
  using desk = new MemoryStore();
  desk.perform(grant, "{", { replyAddress: "none" });
  desk.perform(grant, JSON.stringify({ request_id: "r-1" }), { replyAddress: "none" });
  expect(desk.events()).toMatchObject([
    { event_type: "command.refused", command: grant, error: { type: "invalid_input" }, code: null },
  ]);
});

test("any JSON for any command gets a well-formed reply, and changes nothing unless it is ok", () => {
  using desk = new MemoryStore();
  desk.store.rounds.learn(doors[0] ?? doors[1]!, keypad());
  const commands = [...table.values()].filter(({ kind }) => kind !== "acts");
  const made: unknown = desk.ask("access_codes/create", { device_id: doors[0], code: "493017" })["access_code"];
  const { access_code_id: code } = z.looseObject({ access_code_id: z.string() }).parse(made);
  desk.ask("user_identities/create", { full_name: "Jane Doe", user_identity_key: "jane" });
  const likely: Likely = {
    user_identity_id: ["ann", "bob"],
    device_id: ["door-1", "door-2"],
    device_ids: [["door-1"], ["door-1", "door-2"]],
    access_code_id: [code],
    access_code_ids: [[code]],
    user_identity_key: ["jane", "joe"],
    kind: ["pin", "card"],
    value: ["4711", "493018"],
    code: ["4711", "493018"],
    requested_access_methods: [[{ mode: "code" }], [{ mode: "code", code: "493018" }]],
    between: [["2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]],
    starts_at: ["2098-01-01T00:00:00Z"],
    ends_at: ["2099-01-01T00:00:00Z", null],
    type: ["ongoing", "time_bound"],
    request_id: ["r-1", "r-2"],
    as_of: [1, "2026-01-01T00:00:00Z"],
    limit: [1],
    name: ["Guest", null],
  };
  fc.assert(
    fc.property(
      fc.oneof(...commands.map((one) => fc.tuple(fc.constant(one.name), anyParameters(one, likely)))),
      fc.constantFrom("none" as const, "usable" as const, "unfit" as const),
      ([name, value], replyAddress) => {
        const told =
          replyAddress === "usable" ? [] : ["journal", "outbox", "outbox_events", "sqlite_sequence", "clock"];
        const before = desk.picture(told);
        const { reply } = desk.perform(name, JSON.stringify(value), { replyAddress });
        const body = JSON.parse(reply.body);
        expect(body.ok).toBe(reply.status === 200);
        if (body.ok) return;
        expect(body.error).toMatchObject({ type: expect.any(String), message: expect.any(String) });
        expect(reply.status).toBeGreaterThanOrEqual(400);
        const isConflict = body.error.type === "request_id_conflict";
        assert.ok(isConflict || desk.picture(told) === before, "a refused command has changed something");
      },
    ),
    { numRuns: 250 },
  );
  expect(desk.bugs).toEqual([]);
});

test("no error repeats the PIN that it was given", () => {
  using desk = new MemoryStore();
  desk.store.rounds.learn(doors[0] ?? doors[1]!, keypad());
  desk.ask(grant, pair);
  for (const value of [
    "493017562",
    "493017562x",
    493017562,
    ["493017562"],
    { bits: "493017562" },
    "49301756249301756",
  ]) {
    for (const kind of ["pin", "card", "493"]) {
      const { reply } = desk.perform("credentials/set", JSON.stringify({ user_identity_id: "ann", kind, value }), {
        replyAddress: "none",
      });
      expect(reply.status === 200 || !reply.body.includes("493017562")).toBe(true);
    }
  }
  desk.perform("credentials/set", '{"kind":"pin","value":"493017562"', { replyAddress: "none" });
  expect(JSON.stringify(desk.events())).not.toContain("493017562");
  expect(desk.picture()).not.toContain("493017562");
});

test("half of a surrogate pair in an id is invalid_input: two people would look alike", () => {
  using desk = new MemoryStore();
  const id = String.fromCharCode(0x61, 0xd800);
  const answer = desk.ask("user_identities/grant_access_to_device", { user_identity_id: id, device_id: doors[0] });
  expect(answer.error?.type).toBe("invalid_input");
});
