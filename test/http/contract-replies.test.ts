import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { deviceId } from "../../agent/domain/ids.ts";
import { configured, keypad, MemoryStore } from "../support/memory-store.ts";
import { performOn } from "../support/perform-on.ts";
import { documentUrl } from "./contracts.ts";

const door = deviceId("door-1");
const pair = { user_identity_id: "ann", device_id: door };
let ask: (name: string, parameters: object) => unknown;
beforeEach(() => {
  const desk = new MemoryStore();
  const store = desk.reopened([configured(door)]);
  store.rounds.learn(door, keypad());
  ask = (name, parameters) =>
    JSON.parse(performOn(store, { name, payload: JSON.stringify(parameters) }, { now: desk.now }).reply.body);
  return () => desk[Symbol.dispose]();
});

const document = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(documentUrl("openapi.json"), "utf8")));
const ajv = new Ajv2020({ strict: false });
formats.default(ajv);
ajv.addSchema(document, "openapi");
/** What openapi.json has against something, at a place in it. */
function against(value: unknown, ...place: string[]): unknown {
  const pointer = place.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
  const isValid = ajv.compile({ $ref: `openapi#/${pointer}` });
  isValid(value);
  return isValid.errors;
}
const reply = (name: string, status = "200"): string[] =>
  status === "200"
    ? ["paths", `/${name}`, "post", "responses", status, "content", "application/json", "schema"]
    : ["components", "responses", status, "content", "application/json", "schema"];

test("what is answered is what openapi.json says, with all that may be null", () => {
  const window = { starts_at: "2030-01-01T00:00:00Z", schedule: [{ days: ["mon"], from: "22:00", to: "06:00" }] };
  const asked: readonly (readonly [name: string, parameters: object])[] = [
    ["user_identities/grant_access_to_device", pair],
    ["user_identities/create", { full_name: "Ann", email_address: "ann@example.com" }],
    ["user_identities/list", { limit: 1 }],
    ["user_identities/list_accessible_devices", { user_identity_id: "ann" }],
    ["access_grants/create", { user_identity_id: "ann", device_ids: [door], ...window }],
    ["access_codes/create", { device_id: door, code: "493017" }],
    ["access_codes/list", {}],
    ["access/list", {}],
    ["access/explain", pair],
    ["credentials/set", { user_identity_id: "ann", kind: "pin", value: "730194" }],
    ["credentials/get", { user_identity_id: "ann" }],
    ["devices/list", {}],
    ["locks/list", {}],
    ["events/list", {}],
    ["workspaces/get", {}],
    ["agent/status", {}],
  ];
  for (const [name, parameters] of asked) {
    const answer = ask(name, parameters);
    expect([name, answer]).toEqual([name, expect.objectContaining({ ok: true })]);
    expect([name, against(answer, ...reply(name))]).toEqual([name, null]);
    const body = ["paths", `/${name}`, "post", "requestBody", "content", "application/json", "schema"];
    expect([name, against(parameters, ...body)]).toEqual([name, null]);
  }
});

test("openapi.json lets nothing in that is not so", () => {
  const device = z
    .looseObject({})
    .parse(z.object({ device: z.unknown() }).parse(ask("devices/get", { device_id: door })).device);
  const { online: _, ...properties } = z.looseObject({}).parse(device["properties"]);
  for (const wrong of [{ display_name: null }, { properties }, { created_at: "yesterday" }, { errors: [{}] }]) {
    expect(against({ ok: true, device: { ...device, ...wrong } }, ...reply("devices/get"))).not.toBe(null);
  }
  const refused = ask("devices/get", { device_id: "door-9" });
  expect(against(refused, ...reply("devices/get"))).not.toBe(null);
  expect(against(refused, ...reply("devices/get", "404"))).toBe(null);
});
