import {
  isSeamActionAttemptFailedError,
  isSeamHttpInvalidInputError,
  isSeamHttpUnauthorizedError,
  Seam,
  SeamHttpApiError,
  SeamHttpInvalidInputError,
  SeamHttpUnauthorizedError,
} from "seam";
import { describe, expect, test } from "vitest";
import { until } from "./mqtt-support.ts";
import { door, frontDoor } from "./support/doors.ts";
import { HttpSite } from "./support/http.ts";

// Seam's own SDK as it comes from npm, of which nothing is changed but where it asks.

const backDoor = "back-door";
const devices = [
  door(frontDoor, "front-door"),
  door(backDoor, "back-door"),
  ...["cellar", "garage", "loft"].map((name) => door(name, name)),
];
const site = HttpSite.shared({}, { devices });
const endpoint = (): string => `http://127.0.0.1:${site().port}`;

async function withKey(parameters: object = { scopes: ["*", "codes:read"] }): Promise<Seam> {
  const { key } = await site().key(parameters);
  return new Seam({ apiKey: key, endpoint: endpoint() });
}

async function withToken(): Promise<Seam> {
  const { key, workspace } = await site().key({ kind: "personal_access_token" });
  return Seam.fromPersonalAccessToken(key, workspace, { endpoint: endpoint() });
}

/** What a call fails with. */
async function failure(call: PromiseLike<unknown>): Promise<SeamHttpApiError> {
  const error: unknown = await Promise.resolve(call).then(
    () => "it did not fail",
    (cause: unknown) => cause,
  );
  if (!(error instanceof SeamHttpApiError)) throw new Error("this is not the SDK's own error", { cause: error });
  expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
  return error;
}

describe.each([
  ["an API key", withKey],
  ["a personal access token", withToken],
])("the SDK with %s", (_, connect) => {
  test("grants, lists and revokes, and a repeat is harmless", async () => {
    const seam = await connect();
    const { user_identity_id: id } = await seam.userIdentities.create({ full_name: "Ada" });
    const pair = { user_identity_id: id, device_id: frontDoor };
    const accessible = async (): Promise<readonly string[]> =>
      (await seam.userIdentities.listAccessibleDevices({ user_identity_id: id })).map((each) => each.device_id);
    for (let times = 0; times < 2; times += 1) await seam.userIdentities.grantAccessToDevice(pair);
    expect(await accessible()).toEqual([frontDoor]);
    for (let times = 0; times < 2; times += 1) await seam.userIdentities.revokeAccessToDevice(pair);
    expect(await accessible()).toEqual([]);
  });
});

test("the SDK makes, finds, changes and deletes user identities", async () => {
  const seam = await withKey();
  const key = { user_identity_key: "jane" };
  const made = await seam.userIdentities.create({ ...key, full_name: "Jane", email_address: "jane@example.com" });
  const { user_identity_id: id } = made;
  expect(await seam.userIdentities.get({ user_identity_id: id })).toEqual(made);
  expect(await seam.userIdentities.get(key)).toEqual(made);
  await seam.userIdentities.update({ user_identity_id: id, full_name: "Jane Doe" });
  expect(await seam.userIdentities.get(key)).toMatchObject({ ...key, full_name: "Jane Doe" });
  expect((await seam.userIdentities.list()).map((each) => each.user_identity_id)).toContain(id);
  await seam.userIdentities.delete({ user_identity_id: id });
  expect(await failure(seam.userIdentities.get(key))).toMatchObject({ code: "user_identity_not_found" });
});

test("the SDK makes an access code, is told it, hears when it is on the device, changes and deletes it", async () => {
  const seam = await withKey();
  const made = await seam.accessCodes.create({ device_id: frontDoor, name: "Cleaner", code: "4930" });
  expect(made).toMatchObject({ device_id: frontDoor, name: "Cleaner", code: "4930", type: "ongoing" });
  const { access_code_id: id } = made;
  const status = async (): Promise<string> => (await seam.accessCodes.get({ access_code_id: id })).status;
  await until("the code is set", async () => (await status()) === "set");
  expect((await seam.accessCodes.list({ device_id: frontDoor })).map((code) => code.access_code_id)).toContain(id);
  const ends_at = "2099-01-01T00:00:00.000Z";
  await seam.accessCodes.update({ access_code_id: id, name: "Painter", starts_at: new Date().toISOString(), ends_at });
  expect(await seam.accessCodes.get({ access_code_id: id })).toMatchObject({ name: "Painter", ends_at });
  const set = { event_type: "access_code.set_on_device", since: "2001-01-01T00:00:00Z", access_code_id: id } as const;
  expect(await seam.events.list(set)).toMatchObject([{ event_type: set.event_type, device_id: frontDoor }]);
  await seam.accessCodes.delete({ access_code_id: id });
  await until("the code is gone", async () =>
    (await seam.accessCodes.list({ device_id: frontDoor })).every((code) => code.access_code_id !== id),
  );
  expect(await failure(seam.accessCodes.get({ access_code_id: id }))).toMatchObject({ code: "access_code_not_found" });
});

test("the SDK makes one access code on several devices", async () => {
  const seam = await withKey();
  const made = await seam.accessCodes.createMultiple({ device_ids: [frontDoor, backDoor], code: "591737" });
  expect(made.map(({ device_id: on, code }) => [on, code])).toEqual([
    [frontDoor, "591737"],
    [backDoor, "591737"],
  ]);
  expect(new Set(made.map(({ common_code_key: key }) => key)).size).toBe(1);
});

test("the SDK makes an access grant, finds it, moves its end, and deletes it", async () => {
  const seam = await withKey();
  const { user_identity_id: id } = await seam.userIdentities.create({ full_name: "Guest" });
  const made = await seam.accessGrants.create({
    user_identity_id: id,
    device_ids: [frontDoor, backDoor],
    requested_access_methods: [{ mode: "code" }],
    starts_at: "2098-01-01T00:00:00.000Z",
    ends_at: "2098-01-08T00:00:00.000Z",
    access_grant_key: "reservation-17",
  });
  const { access_grant_id: grant } = made;
  expect(await seam.accessGrants.get({ access_grant_id: grant })).toMatchObject({ user_identity_id: id });
  await seam.accessGrants.update({ access_grant_id: grant, ends_at: "2098-01-09T00:00:00.000Z" });
  expect(await seam.accessGrants.list({ user_identity_id: id })).toMatchObject([
    { access_grant_id: grant, ends_at: "2098-01-09T00:00:00.000Z" },
  ]);
  await seam.accessGrants.delete({ access_grant_id: grant });
  expect(await seam.accessGrants.list({ user_identity_id: id })).toEqual([]);
});

test("the SDK reads devices, locks, events and the workspace", async () => {
  const seam = await withKey();
  const all = await seam.devices.list();
  expect(all.map(({ device_id: id }) => id).toSorted()).toEqual(
    [frontDoor, backDoor, "cellar", "garage", "loft"].toSorted(),
  );
  expect(await seam.devices.get({ device_id: frontDoor })).toMatchObject({
    device_id: frontDoor,
    display_name: "front-door",
    is_managed: true,
    properties: { name: "front-door" },
  });
  expect((await seam.locks.list()).map(({ device_id: id }) => id)).toEqual(all.map(({ device_id: id }) => id));
  expect((await seam.locks.get({ device_id: backDoor })).device_id).toBe(backDoor);
  expect((await seam.events.list({ since: "2001-01-01T00:00:00Z" })).length).toBeGreaterThan(0);
  const now = new Date().toISOString();
  expect((await seam.events.list({ between: ["2001-01-01T00:00:00Z", now], limit: 1 })).length).toBe(1);
  expect(await seam.workspaces.get()).toMatchObject({ is_sandbox: false });
});

test("the SDK's own paginator goes through all pages", async () => {
  const seam = await withKey();
  const paginator = seam.createPaginator(seam.devices.list({ limit: 2 }));
  const [first, { hasNextPage }] = await paginator.firstPage();
  expect([first.length, hasNextPage]).toEqual([2, true]);
  const all = await paginator.flattenToArray();
  expect(all.map(({ device_id: id }) => id)).toEqual((await seam.devices.list()).map(({ device_id: id }) => id));
});

test("the SDK unlocks and locks a door, and waits until the lock has said so; what fails is its own error", async () => {
  // A key for one door is enough.
  const { key } = await site().key({ scopes: ["*"], device_ids: [backDoor] });
  const seam = new Seam({ apiKey: key, endpoint: endpoint() });
  const isOnline = async (): Promise<boolean> =>
    (await seam.devices.get({ device_id: backDoor })).can_remotely_unlock === true;
  await until("the lock has said what it can do", isOnline);
  const of = { device_id: backDoor };
  const quickly = { waitForActionAttempt: { pollingInterval: 100 } };
  const done = { status: "success", result: { was_confirmed_by_device: true } };
  expect(await seam.locks.unlockDoor(of, quickly)).toMatchObject({ action_type: "UNLOCK_DOOR", ...done });
  expect((await seam.locks.get(of)).properties).toMatchObject({ locked: false });
  expect(await seam.locks.lockDoor(of, quickly)).toMatchObject({ action_type: "LOCK_DOOR", ...done });
  await site().agent.ask("simulate/fault", { lock: backDoor, fault: "refuses", to: ["bolt"] });
  const error: unknown = await seam.locks.unlockDoor(of, quickly).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!isSeamActionAttemptFailedError(error)) throw new Error("this is not the SDK's own error", { cause: error });
  expect(error).toMatchObject({ code: "lock_refused", actionAttempt: { status: "error" } });
  expect(await failure(seam.locks.unlockDoor({ device_id: "cellar" }))).toMatchObject({ code: "insufficient_scope" });
});

describe("each refusal is the SDK's own error", () => {
  test("401 for who shows a key that is none, or a token for another workspace", async () => {
    const stranger = new Seam({ apiKey: "seam_11111111_111111111111111111111111", endpoint: endpoint() });
    const error = await failure(stranger.devices.list());
    expect(error).toBeInstanceOf(SeamHttpUnauthorizedError);
    expect(isSeamHttpUnauthorizedError(error)).toBe(true);
    expect(error).toMatchObject({ code: "unauthorized", statusCode: 401 });
    const { key } = await site().key({ kind: "personal_access_token" });
    const elsewhere = Seam.fromPersonalAccessToken(key, "another-workspace", { endpoint: endpoint() });
    expect(await failure(elsewhere.devices.list())).toBeInstanceOf(SeamHttpUnauthorizedError);
  });

  test("400 for parameters that are missing or of the wrong type, by their names", async () => {
    const seam = await withKey();
    // @ts-expect-error -- what somebody who writes JavaScript may forget
    const error = await failure(seam.userIdentities.grantAccessToDevice({ user_identity_id: "ada" }));
    expect(error).toBeInstanceOf(SeamHttpInvalidInputError);
    if (!isSeamHttpInvalidInputError(error)) throw error;
    expect(error).toMatchObject({ code: "invalid_input", statusCode: 400, message: "device_id is required" });
    expect(error.getValidationErrorMessages("device_id")).toEqual(["Required"]);
    expect(error.getValidationErrorMessages("user_identity_id")).toEqual([]);
    const other = await failure(seam.devices.list({ limit: 0.5 }));
    if (!isSeamHttpInvalidInputError(other)) throw other;
    expect(other.getValidationErrorMessages("limit")).toHaveLength(1);
  });

  test("404, 400 for what this agent does not have, 403 and 409 with their codes", async () => {
    const seam = await withKey();
    const nowhere = { user_identity_id: "ada", device_id: "nowhere" };
    expect(await failure(seam.userIdentities.grantAccessToDevice(nowhere))).toMatchObject({
      code: "device_not_found",
      statusCode: 404,
    });
    expect(await failure(seam.thermostats.list())).toMatchObject({ code: "not_supported_by_agent", statusCode: 400 });
    const some = await withKey({ scopes: ["devices/*"] });
    expect(await failure(some.userIdentities.list())).toMatchObject({ code: "insufficient_scope", statusCode: 403 });
    const same = { device_id: "cellar", code: "7391" };
    await seam.accessCodes.create(same);
    expect(await failure(seam.accessCodes.create(same))).toMatchObject({
      code: "duplicate_access_code",
      statusCode: 409,
    });
  });
});
