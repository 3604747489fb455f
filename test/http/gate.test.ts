import { expect, test } from "vitest";
import { later } from "../../agent/domain/instant.ts";
import type { Secret } from "../../agent/domain/secret.ts";
import { Attempts } from "../../agent/http/attempts.ts";
import { Gate } from "../../agent/http/gate.ts";
import { createLog } from "../../agent/log.ts";
import { MemoryStore } from "../support/memory-store.ts";

function gate() {
  const desk = new MemoryStore();
  const lines: string[] = [];
  const ring = {
    workspaceId: desk.store.records.workspaceId,
    find: (key: Secret) => desk.store.keys.find(key),
    noteRefusal: (of: { readonly remote: string; readonly reason: string }) => desk.store.keys.noteRefusal(of),
  };
  const open = new Gate(
    ring,
    () => desk.now,
    createLog("trace", false, (line) => void lines.push(line)),
  );
  const make = (parameters: object = {}) =>
    desk.ask("keys/create", parameters) as unknown as { key: string; key_id: string };
  const show = (key: string, more: object = {}, remote = "127.0.0.1") =>
    open.admit({ authorization: `Bearer ${key}`, ...more }, remote);
  return { desk, lines, open, make, show, workspace: ring.workspaceId };
}
const refused = (type: string, status: number, message?: string): unknown =>
  expect.objectContaining({ type, status, ...(message === undefined ? {} : { message }) });

test("who shows a key is let in, with its scope", async () => {
  const { make, show } = gate();
  const { key, key_id: id } = make({ name: "booking", scopes: ["user_identities/*", "codes:read"] });
  expect(key).toMatch(/^seam_[1-9A-Za-z]{8}_[1-9A-Za-z]{24}$/);
  expect(await show(key)).toMatchObject({ id, scope: { commands: ["user_identities/*"], codes: true } });
  expect(await show(key)).toMatchObject({ id });
});

test("a token is let in with its workspace only", async () => {
  const { make, show, workspace } = gate();
  const { key } = make({ kind: "personal_access_token" });
  expect(key).toMatch(/^seam_at1_/);
  expect(await show(key, { "seam-workspace": workspace })).toMatchObject({ kind: "personal_access_token" });
  await expect(show(key)).rejects.toEqual(refused("missing_workspace_id", 400));
  await expect(show(key, { "seam-workspace": "other" })).rejects.toEqual(
    refused("unauthorized", 401, "Access token not found"),
  );
});

test("what opens nothing is turned away, as Seam does", async () => {
  const { open, show } = gate();
  await expect(open.admit({}, "127.0.0.1")).rejects.toEqual(refused("unauthorized", 401, "No Authorization header"));
  for (const key of ["seam_wrong", "seam_cst1_x", "seam_pk_x", "eyJhbGciOi", "hunter2"]) {
    await expect(show(key)).rejects.toEqual(refused("unauthorized", 401));
  }
  await expect(open.admit({ "seam-client-session-token": "seam_cst1_x" }, "::1")).rejects.toEqual(
    refused("unauthorized", 401),
  );
});

test("a key that was revoked, or has expired, opens nothing, also where it has just opened", async () => {
  const { desk, make, show } = gate();
  const first = make();
  const second = make({ expires_at: new Date(desk.now + 60_000).toISOString() });
  await show(first.key);
  await show(second.key);
  expect(desk.ask("keys/revoke", { key_id: first.key_id })).toEqual({ ok: true });
  await expect(show(first.key)).rejects.toEqual(refused("unauthorized", 401, "API Key not found"));
  desk.now = later(desk.now, 60_000);
  await expect(show(second.key)).rejects.toEqual(refused("unauthorized", 401, "API Key not found"));
});

test("who is turned away is journalled without what they showed, and after ten times a minute told to wait", async () => {
  const { desk, lines, make, show } = gate();
  const { key } = make();
  for (let times = 0; times < 10; times += 1)
    await expect(show("seam_wrong_0123456789")).rejects.toEqual(refused("unauthorized", 401));
  await expect(show("seam_wrong_0123456789")).rejects.toEqual(refused("too_many_requests", 429));
  await expect(show("seam_wrong_0123456789", {}, "192.0.2.7")).rejects.toEqual(refused("unauthorized", 401));
  await show(key);
  const told = desk.opened.db.prepare("SELECT body FROM journal WHERE type = 'key.refused'").pluck().all();
  expect(told).toHaveLength(11);
  expect(lines).toHaveLength(11);
  expect(`${told.join()}${lines.join()}`).not.toContain("seam_");
  desk.now = later(desk.now, 60_000);
  await expect(show("seam_wrong_0123456789")).rejects.toEqual(refused("unauthorized", 401));
});

test("Attempts counts a network of IPv6 as one, and an IPv4 address however it is written", () => {
  const attempts = new Attempts();
  const now = later(new MemoryStore().now, 0);
  const many = (remote: (n: number) => string): boolean =>
    Array.from({ length: 11 }, (_, n) => attempts.wait(remote(n), now)).includes(60_000);
  expect(many((n) => `2001:db8:0:1::${n}`)).toBe(true);
  expect(many((n) => (n % 2 ? "::ffff:192.0.2.1" : "192.0.2.1"))).toBe(true);
  expect(many((n) => `198.51.100.${n}`)).toBe(false);
});

test("a key is nowhere in the database, and told once", () => {
  const { desk, make } = gate();
  const { key } = make({ request_id: "k-1" });
  expect(desk.picture()).not.toContain(key);
  expect(make({ request_id: "k-1" }).key).not.toBe(key);
  expect(JSON.stringify(desk.ask("keys/list", {}))).not.toContain(key);
});
