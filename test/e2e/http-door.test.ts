import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { isLong } from "../support/long.ts";
import { AgentProcess, readReply } from "./support/agent-process.ts";
import { embedded, frontDoor, person } from "./support/doors.ts";
import { HttpSite } from "./support/http.ts";

const grant = "/user_identities/grant_access_to_device";
const pair = { user_identity_id: person, device_id: frontDoor };
const shared = HttpSite.shared();
const unauthorized = { ok: false, error: { type: "unauthorized" } };

test("a key grants and revokes as Seam's SDKs do, every answer has its request id, and a repeat is harmless", async () => {
  const site = shared();
  expect(site.agent.stdout).toContain("npx latchd keys create");
  const { key } = await site.key();
  for (let times = 0; times < 2; times += 1) {
    const answer = await site.send("PUT", grant, { key, body: pair });
    expect(answer).toMatchObject({ status: 200, text: '{"ok":true}' });
    expect(answer.headers["seam-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
  }
  const query = new URLSearchParams({ ...pair, _strict: "true" });
  const listed = await site.send(
    "GET",
    `/user_identities/list_accessible_devices?user_identity_id=${person}&_strict=true`,
    { key },
  );
  expect(JSON.parse(listed.text)).toMatchObject({ ok: true, devices: [{ device_id: frontDoor }] });
  for (let times = 0; times < 2; times += 1) {
    expect(
      await site.send("DELETE", `/user_identities/revoke_access_to_device?${query.toString()}`, { key }),
    ).toMatchObject({
      status: 200,
    });
  }
  // Without a body and without its type, as older SDKs ask for a list.
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(200);
  expect(await site.send("GET", "/events/list?limit=1&after=0", { key })).toMatchObject({ status: 200 });
});

test("bad input gets the envelope and a status of its own, and never a stack", async () => {
  const site = shared();
  const { key } = await site.key();
  const cases: [method: string, path: string, of: object, status: number, type: string][] = [
    ["POST", grant, { body: {} }, 400, "invalid_input"],
    ["POST", grant, { body: { ...pair, device_id: 7 } }, 400, "invalid_input"],
    ["POST", grant, { body: "{" }, 400, "invalid_input"],
    ["POST", grant, { body: "[1]" }, 400, "invalid_input"],
    ["POST", grant, { body: { ...pair, user_identity_id: "a".repeat(129) } }, 400, "invalid_input"],
    ["POST", grant, { body: { ...pair, device_id: "nowhere" } }, 404, "device_not_found"],
    [
      "POST",
      grant,
      { body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded" } },
      400,
      "invalid_content_type",
    ],
    ["POST", grant, { body: `{"a":"${"x".repeat(64 * 1024)}"}` }, 413, "invalid_input"],
    ["DELETE", grant, {}, 405, "method_not_allowed"],
    ["GET", "/devices/list?a=%zz", {}, 400, "invalid_query_params"],
    ["GET", "/events/list?limit=many", {}, 400, "invalid_input"],
    ["POST", "/acs/users/list", {}, 400, "not_supported_by_agent"],
    ["POST", "/keys/list", {}, 404, "unknown_command"],
    ["POST", "/nothing/here", {}, 404, "unknown_command"],
    ["GET", "/", {}, 404, "unknown_command"],
    ["GET", "/%zz", {}, 404, "unknown_command"],
    ["GET", `/${"x".repeat(500)}`, {}, 404, "unknown_command"],
  ];
  for (const [method, path, of, status, type] of cases) {
    const answer = await site.send(method, path, { key, ...of });
    expect([path, answer.status, readReply(answer.text).error?.type]).toEqual([path, status, type]);
    expect(answer.headers["seam-request-id"]).toBeDefined();
    expect(answer.headers["content-type"]).toMatch(/^application\/json\b/);
    expect(answer.text).not.toMatch(/\bat .*\.js/);
  }
  const { text } = await site.send("POST", grant, { key, body: { user_identity_id: person } });
  expect(JSON.parse(text)).toEqual({
    ok: false,
    error: {
      type: "invalid_input",
      message: "device_id is required",
      validation_errors: { _errors: [], device_id: { _errors: ["Required"] } },
    },
  });
});

test("who shows no key, a wrong, an expired or a revoked one is turned away, and no key is in a log", async () => {
  const site = shared();
  expect((await site.send("POST", "/devices/list")).status).toBe(401);
  const { key, id } = await site.key();
  const token = await site.key({ kind: "personal_access_token" });
  const { agent: status } = (await site.agent.ask("agent/status")) as unknown as { agent: { workspace_id: string } };
  const wrong = await site.send("POST", "/devices/list", {
    key: `${key.slice(0, -1)}${key.endsWith("1") ? "2" : "1"}`,
  });
  expect(wrong.status).toBe(401);
  expect(readReply(wrong.text)).toMatchObject(unauthorized);
  expect((await site.send("POST", "/devices/list", { key: token.key })).status).toBe(400);
  const workspace = { "seam-workspace": status.workspace_id };
  expect((await site.send("POST", "/devices/list", { key: token.key, headers: workspace })).status).toBe(200);
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(200);
  await site.agent.ask("keys/revoke", { key_id: id });
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(401);
  const some = await site.key({ scopes: ["devices/list"] });
  expect((await site.send("PUT", grant, { key: some.key, body: pair })).status).toBe(403);
  for (const shown of [key, token.key, some.key]) {
    expect(site.agent.stdout + site.agent.stderr).not.toContain(shown);
    for (const [name, bytes] of site.agent.files()) expect([name, bytes.includes(shown)]).toEqual([name, false]);
  }
});

test("a code is told to a key with codes:read, and to no other", async () => {
  const site = shared();
  await site.agent.ask("credentials/set", { user_identity_id: person, kind: "pin", value: "493017" });
  const code = async (scopes: readonly string[]): Promise<unknown> => {
    const { key } = await site.key({ scopes });
    const { text } = await site.send("GET", `/credentials/get?user_identity_id=${person}`, { key });
    return (JSON.parse(text) as { credentials: { code: unknown }[] }).credentials[0]?.code;
  };
  expect(await code(["*"])).toBeNull();
  expect(await code(["*", "codes:read"])).toBe("493017");
});

test("many programs at once are all answered, and what is said to be granted is", async () => {
  const site = await HttpSite.start();
  const { key } = await site.key();
  const people = Array.from({ length: isLong ? 1_000 : 100 }, (_, number) => `person-${number}`);
  const answers = await Promise.all(
    people.map((id) => site.send("PUT", grant, { key, body: { ...pair, user_identity_id: id } })),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['200 {"ok":true}']));
  await site.agent.kill("SIGKILL");
  await site.agent.start();
  const { receipts } = (await site.agent.ask("access/list")) as unknown as { receipts: { user_identity_id: string }[] };
  expect(new Set(receipts.map(({ user_identity_id: id }) => id))).toEqual(new Set(people));
});

test("a request that does not end, and what is no request, are answered and closed, and others go on", async () => {
  const site = shared();
  const { key } = await site.key();
  const raw = (text: string, more: (socket: Socket) => void = () => {}): Promise<string> =>
    new Promise((done, fail) => {
      const socket = connect(site.port, "127.0.0.1", () => {
        socket.write(text);
        more(socket);
      });
      let heard = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        heard += chunk;
      });
      socket.once("error", fail);
      socket.once("close", () => done(heard));
    });
  const half = raw(
    `POST /devices/list HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
  );
  // Each byte comes in time, and all of them would take a minute.
  const slow = raw("POST /devices/list HTTP/1.1\r\nhost: x\r\nx-slow: ", (socket) => {
    const drip = setInterval(() => socket.write("x"), 200);
    socket.once("close", () => clearInterval(drip));
  });
  const garbage = await raw("GARBAGE\r\n\r\n");
  expect(garbage).toMatch(/^HTTP\/1\.1 400 .*seam-request-id: .*"ok":false/s);
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(200);
  expect(await slow).toMatch(/^HTTP\/1\.1 408 .*seam-request-id: .*"type":"request_timeout"/s);
  expect(await half).toMatch(/^HTTP\/1\.1 408 .*"type":"request_timeout"/s);
});

test("listening beyond this machine without TLS is refused at start, with what to do", async () => {
  const { config } = await embedded({}, { http: { host: "0.0.0.0" } });
  const { code, said } = await new AgentProcess(config).startInVain();
  expect(code).toBe(1);
  expect(said).toContain("http.host: 0.0.0.0 is reached from other machines");
  expect(said).toContain("http.unencrypted_beyond_this_machine");
});
