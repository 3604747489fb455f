import { expect, test } from "vitest";
import type { Scope } from "../../agent/commands/scope.ts";
import { doors, MemoryStore } from "../support/memory-store.ts";

const [front, back] = doors;
const scope = (of: Partial<Scope> = {}): Scope => ({ commands: ["*"], devices: undefined, codes: false, ...of });
const grant = "user_identities/grant_access_to_device";
const outOfScope = { ok: false, error: { type: "insufficient_scope" } };
const over = (of: Partial<Scope>) => ({ door: "http", scope: scope(of) }) as const;

test("a key for some commands gives those, and no others", () => {
  using desk = new MemoryStore();
  const some = over({ commands: ["user_identities/*", "access/list"] });
  expect(desk.ask(grant, { user_identity_id: "ann", device_id: front }, some)).toEqual({ ok: true });
  expect(desk.ask("access/list", {}, some).ok).toBe(true);
  expect(desk.ask("access/get", { user_identity_id: "ann", device_id: front }, some)).toMatchObject(outOfScope);
  expect(desk.perform("access/get", "{}", some).reply.status).toBe(403);
});

test("a key for some devices gives what names these, and nothing that may be of others", () => {
  using desk = new MemoryStore();
  const some = over({ devices: [front!] });
  const ann = { user_identity_id: "ann" };
  expect(desk.ask(grant, { ...ann, device_id: front }, some)).toEqual({ ok: true });
  expect(desk.ask(grant, { ...ann, device_id: back }, some)).toMatchObject(outOfScope);
  expect(desk.ask("access_grants/create", { ...ann, device_ids: [front], access_grant_key: "r-1" }, some).ok).toBe(
    true,
  );
  expect(desk.ask("access_grants/create", { ...ann, device_ids: [front, back] }, some)).toMatchObject(outOfScope);
  expect(desk.ask("access_grants/get", { access_grant_key: "r-1", device_id: front }, some)).toMatchObject(outOfScope);
  // What the command does not know does not limit it.
  expect(desk.ask("devices/list", { device_id: front }, some)).toMatchObject(outOfScope);
  expect(desk.ask("access/list", { device_id: front }, some).ok).toBe(true);
  expect(desk.ask("access/list", {}, some)).toMatchObject(outOfScope);
});

test("a stored reply is told to nobody whose key is not for it", () => {
  using desk = new MemoryStore();
  const asked = { request_id: "r-1", user_identity_id: "ann", device_id: back };
  expect(desk.ask(grant, asked)).toEqual({ ok: true });
  expect(desk.ask(grant, asked, over({ devices: [front!] }))).toMatchObject(outOfScope);
});

test("keys are made at the local door only, for what there is, and not for what is past", () => {
  using desk = new MemoryStore();
  for (const door of ["mqtt", "http"] as const) {
    expect(desk.ask("keys/create", {}, { door })).toMatchObject({ ok: false, error: { type: "unknown_command" } });
  }
  for (const parameters of [
    { scopes: ["user_identity/*"] },
    { scopes: ["codes:read"] },
    { scopes: ["keys/create"] },
    { expires_at: "2001-01-01T00:00:00Z" },
  ]) {
    expect(desk.ask("keys/create", parameters)).toMatchObject({ ok: false, error: { type: "invalid_input" } });
  }
  expect(desk.ask("keys/create", { device_ids: ["nowhere"] })).toMatchObject({ error: { type: "device_not_found" } });
  expect(desk.ask("keys/revoke", { key_id: "none" })).toMatchObject({ error: { type: "key_not_found" } });
});

test("keys/list says of each what it is for, and in what state", () => {
  using desk = new MemoryStore();
  const { key_id: id } = desk.ask("keys/create", {
    name: "desk",
    scopes: ["access/*", "codes:read"],
    device_ids: [front],
  });
  desk.ask("keys/revoke", { key_id: id });
  expect(desk.ask("keys/revoke", { key_id: id })).toEqual({ ok: true });
  expect(desk.ask("keys/list", {})).toMatchObject({
    keys: [
      {
        key_id: id,
        name: "desk",
        state: "revoked",
        scopes: ["access/*", "codes:read"],
        device_ids: [front],
        expires_at: null,
      },
    ],
  });
});
