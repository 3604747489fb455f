import { beforeAll, expect, test } from "vitest";
import { until } from "./mqtt-support.ts";
import { door, frontDoor } from "./support/doors.ts";
import { HttpSite } from "./support/http.ts";
import { differences, shapeOf } from "./support/json-shape.ts";
import { SeamFake } from "./support/seam-fake.ts";

const thermostat = "it has thermostats and sensors of noise among its devices";
/** Where latchd is not as Seam's own stand-in is, and why. What is not in here is the same; what is in here differs. */
const accepted: Readonly<Record<string, string>> = {
  "JSON that is no object: answers 200, ours 400 invalid_input":
    "it takes an array for an object; whoever sends one means something else",
  "a client session's token: answers 401 client_session_token_used_for_api_key, ours 401 unauthorized":
    "the reference has unauthorized, and the SDKs make it so whatever the body says",
  "a path that is none: answers 404 as text, ours 404 unknown_command": "the body is always the envelope",
  "access codes of nothing: answers 400 invalid_input, ours 200": "Seam's later versions list all of them",
  "access_code.ends_at: only ours": "null for what is ongoing, as in Seam's later versions",
  "access_code.is_backup: only ours": "as in Seam's later versions",
  "access_code.is_scheduled_on_device: only ours": "as in Seam's later versions",
  "access_code.is_waiting_for_code_assignment: only ours": "as in Seam's later versions",
  "access_code.pending_mutations: only ours": "as in Seam's later versions",
  "access_code.properties: only ours": "the receipt",
  "access_code.pulled_backup_access_code_id: only ours": "as in Seam's later versions",
  "access_code.starts_at: only ours": "null for what is ongoing, as in Seam's later versions",
  "action_attempt: only theirs": "what becomes of a change is in the code's status and its events; no SDK reads it",
  "an access code that is none: answers 404 not_found, ours 404 access_code_not_found":
    "the reference, and its own delete, have the longer one",
  "broken JSON: answers 400 as text, ours 400 invalid_input": "the body is always the envelope",
  "device.can_program_offline_access_codes: only ours": "as in Seam's later versions",
  "device.can_unlock_with_code: only ours": "as in Seam's later versions",
  "device.location: only ours": "as in Seam's later versions",
  "device.properties.battery: only theirs": "the simulated lock has told of none",
  "device.properties.code_constraints: only ours": "as in Seam's later versions",
  "device.properties.current_climate_setting: only theirs": thermostat,
  "device.properties.currently_triggering_noise_threshold_ids: only theirs": thermostat,
  "device.properties.fan_mode_setting: only theirs": thermostat,
  "device.properties.is_cooling_available: only theirs": thermostat,
  "device.properties.is_fan_running: only theirs": thermostat,
  "device.properties.is_heating_available: only theirs": thermostat,
  "device.properties.latchd: only ours": "what of it is proven",
  "device.properties.locked: only theirs": "the simulated lock has told nothing of it",
  "device.properties.manufacturer: only theirs": "not required; the model names it",
  "device.properties.max_active_codes_supported: only ours": "as in Seam's later versions",
  "device.properties.min_heating_cooling_delta_celsius: only theirs": thermostat,
  "device.properties.noise_level_decibels: only theirs": thermostat,
  "device.properties.supported_code_lengths: only ours": "as in Seam's later versions",
  "epoch: only ours": "by which a reader of the journal notices that it is another one",
  "error.data: only ours": "which device it is",
  "error.data: only theirs": "in a 404 the id that was asked for, which the message has",
  "error.stack: only theirs": "nobody is told how we are made",
  "event.access_grant_id: only ours": "of events that it does not have",
  "event.changed_properties: only ours": "of events that it does not have",
  "event.code: only ours": "always null, so that nobody waits for it",
  "event.credential_kind: only ours": "of events that it does not have",
  "event.epoch: only ours": "of the journal",
  "event.event_description: only theirs": "not required; the type says it",
  "event.evidence: only ours": "of events that it does not have",
  "event.number: only ours": "of the journal",
  "event.reason: only ours": "of events that it does not have",
  "event.user_identity_id: only ours": "of events that it does not have",
  "events since when: answers 400 invalid_input, ours 200":
    "the journal is read from its beginning where nothing is said",
  "pagination: only ours": "of access codes, as in Seam's later versions",
  "workspace.connect_webview_customization: only theirs": "no web views here",
  "workspace.created_at: only theirs": "not in Seam's catalogue",
  "workspace.publishable_key: only theirs": "a publishable key opens nothing here",
};

const site = HttpSite.shared({}, { devices: [door(frontDoor, "front-door"), door("back-door", "back-door")] });
let fake: SeamFake | undefined;
beforeAll(async () => {
  fake = await SeamFake.start();
  return fake.stop.bind(fake);
});

interface Side {
  readonly url: string;
  readonly key: string;
  readonly devices: readonly [string, string];
  /** The access code that was made first. */
  code?: string;
}
interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Heard {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: unknown;
}

async function ask({ url, key }: Side, { method = "POST", path, body, headers = {} }: Asked): Promise<Heard> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  const answer = await fetch(`${url}${path}`, {
    method,
    body: text,
    headers: { authorization: `Bearer ${key}`, ...json, ...headers },
  });
  const type = answer.headers.get("content-type")?.split(";")[0];
  expect(answer.headers.has("seam-request-id") || url === fake?.url).toBe(true);
  const heard = await answer.text();
  return { status: answer.status, type, body: type === "application/json" ? JSON.parse(heard) : heard };
}

const get = (path: string): Asked => ({ method: "GET", path });
const post = (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Asked => ({
  path,
  body,
  headers,
});
const past = "2001-01-01T00:00:00.000Z";
const soon = "2098-01-01T00:00:00.000Z";
const later = "2099-01-01T00:00:00.000Z";

/** What is asked on both sides, in this order; the names stand in the list above. */
const asked: Readonly<Record<string, (side: Side) => Asked>> = {
  "all devices": () => post("/devices/list", {}),
  "all devices, without a body": () => post("/devices/list"),
  "all devices, by GET": () => get("/devices/list"),
  "a page of devices": () => get("/devices/list?limit=1&_strict=true"),
  "some devices": ({ devices: [one, other] }) => get(`/devices/list?device_ids=${one}&device_ids=${other}`),
  "devices, with what nobody knows": () => post("/devices/list", { foo: 1 }),
  "devices, with a limit of words": () => post("/devices/list", { limit: "many" }),
  "a device": ({ devices: [id] }) => get(`/devices/get?device_id=${id}`),
  "a device that is none": () => post("/devices/get", { device_id: "nowhere" }),
  "no device": () => post("/devices/get", {}),
  "all locks": () => post("/locks/list"),
  "a lock": ({ devices: [id] }) => post("/locks/get", { device_id: id }),
  "a lock that is none": () => post("/locks/get", { device_id: "nowhere" }),
  "an access code is made": ({ devices: [id] }) =>
    post("/access_codes/create", { device_id: id, code: "4930", name: "Cleaner" }),
  "the same code once more": ({ devices: [id] }) => post("/access_codes/create", { device_id: id, code: "4930" }),
  "an access code with a window": ({ devices: [id] }) =>
    post("/access_codes/create", { device_id: id, code: "7391", starts_at: soon, ends_at: later }),
  "an access code with half a window": ({ devices: [id] }) =>
    post("/access_codes/create", { device_id: id, starts_at: soon }),
  "an access code of nowhere": () => post("/access_codes/create", { device_id: "nowhere", code: "4931" }),
  "an access code of no device": () => post("/access_codes/create", { code: "4931" }),
  "an access code with a number for a name": ({ devices: [id] }) =>
    post("/access_codes/create", { device_id: id, name: 7 }),
  "access codes on several devices": ({ devices }) =>
    post("/access_codes/create_multiple", { device_ids: devices, code: "5917" }),
  "access codes of a device": ({ devices: [id] }) => get(`/access_codes/list?device_id=${id}`),
  "access codes of nothing": () => post("/access_codes/list", {}),
  "an access code": ({ code }) => get(`/access_codes/get?access_code_id=${code}`),
  "an access code that is none": () => post("/access_codes/get", { access_code_id: "none" }),
  "an access code gets a name": ({ code }) => post("/access_codes/update", { access_code_id: code, name: "Painter" }),
  "an access code is deleted": ({ code }) => post("/access_codes/delete", { access_code_id: code }),
  "an access code that is none is deleted": () => post("/access_codes/delete", { access_code_id: "none" }),
  "events since": () => get(`/events/list?since=${past}`),
  "events between": () => post("/events/list", { between: [past, later] }),
  "events of a type": () => post("/events/list", { since: past, event_type: "access_code.created" }),
  "events since when": () => get("/events/list"),
  "the workspace": () => get("/workspaces/get"),
  "a method that it does not take": () => ({ method: "DELETE", path: "/devices/list" }),
  "broken JSON": () => post("/devices/list", "{"),
  "JSON that is no object": () => post("/devices/list", [1]),
  "what is no JSON": () => post("/devices/list", "a=1", { "content-type": "text/plain" }),
  "a path that is none": () => post("/nothing/here", {}),
  "a key that is none": () => post("/devices/list", {}, { authorization: "Bearer seam_wrong" }),
  "no key": () => post("/devices/list", {}, { authorization: "" }),
  "a client session's token": () => post("/devices/list", {}, { authorization: "Bearer seam_cst1_wrong" }),
};

test("what Seam's own stand-in answers, latchd answers in the same shape, but for what is listed", async () => {
  if (!fake) throw new Error("it is there in a test only");
  const { key } = await site().key({ scopes: ["*", "codes:read"] });
  const theirs: Side = {
    url: fake.url,
    key: "seam_apikey1_token",
    devices: ["august_device_1", "august_device_2"],
  };
  const ours: Side = { url: `http://127.0.0.1:${site().port}`, key, devices: [frontDoor, "back-door"] };
  await until("the locks have said what they are", async () =>
    JSON.stringify((await ask(ours, get(`/devices/list`))).body).includes("supported_code_lengths"),
  );
  const found = new Set<string>();
  for (const [name, request] of Object.entries(asked)) {
    const [there, here] = [await ask(theirs, request(theirs)), await ask(ours, request(ours))];
    if (name === "an access code is made") {
      theirs.code = idOf(there.body);
      ours.code = idOf(here.body);
    }
    for (const line of compared(there, here)) found.add(line.startsWith("answers ") ? `${name}: ${line}` : line);
  }
  expect([...found].toSorted()).toEqual(Object.keys(accepted).toSorted());
});

/** The status, what kind of body it is, the error's type by its text, and all else by its shape. */
function compared(there: Heard, here: Heard): readonly string[] {
  const head = ({ status, type, body }: Heard): string =>
    [status, type === "application/json" ? errorType(body) : "as text"].filter(Boolean).join(" ");
  if (head(there) !== head(here)) return [`answers ${head(there)}, ours ${head(here)}`];
  return differences(shapeOf(there.body), shapeOf(here.body)).map(byObject);
}

/** A device is the same wherever it is shown. */
const byObject = (line: string): string =>
  line
    .replace(/^(devices?|locks?)(\[\])?(?=[.:])/, "device")
    .replace(/^access_codes?(\[\])?(?=[.:])/, "access_code")
    .replace(/^events?(\[\])?(?=[.:])/, "event");

function errorType(body: unknown): string | undefined {
  const { error } = body as { readonly error?: { readonly type: string } };
  return error?.type;
}

const idOf = (body: unknown): string =>
  (body as { readonly access_code: { readonly access_code_id: string } }).access_code.access_code_id;
