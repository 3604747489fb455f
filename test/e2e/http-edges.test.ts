import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { table } from "../../agent/commands/table.ts";
import { anyParameters } from "../support/any-parameters.ts";
import { freePort } from "../support/broker.ts";
import { skipReason } from "../support/peers.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess, readReply } from "./support/agent-process.ts";
import { embedded, frontDoor, person } from "./support/doors.ts";
import { type Answer, HttpSite } from "./support/http.ts";

const grant = "/user_identities/grant_access_to_device";
const revoke = "/user_identities/revoke_access_to_device";
const pair = { user_identity_id: person, device_id: frontDoor };
const noOpenssl = skipReason(
  "openssl",
  spawnSync("openssl", ["version"]).error === undefined,
  "apt-get install openssl",
);

const shared = HttpSite.shared();

/** Its error, where it has the envelope that every answer has. */
function errorOf({ status, text, headers }: Answer): string | undefined {
  const { ok, error } = readReply(text);
  expect([headers["content-type"], ok]).toEqual([expect.stringMatching(/^application\/json\b/), status === 200]);
  expect(headers["seam-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(text).not.toMatch(/"stack"|\bat .*\.[jt]s/);
  return error?.type;
}

describe.skipIf(noOpenssl)("with TLS", () => {
  test("the door shows its certificate, tells codes, and takes nothing in the clear", async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchd-tls-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [certFile, keyFile] = [join(folder, "door.crt"), join(folder, "door.key")];
    const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", ["req", ...made, ...named, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
    const site = await HttpSite.start({ tls: true, cert_file: certFile, key_file: keyFile });
    const { key } = await site.key({ scopes: ["*", "codes:read"] });
    await site.agent.ask("credentials/set", { user_identity_id: person, kind: "pin", value: "493017" });
    const heard = await new Promise<string>((done, fail) => {
      const outgoing = request(
        {
          host: "localhost",
          port: site.port,
          path: `/credentials/get?user_identity_id=${person}`,
          ca: readFileSync(certFile),
          headers: { authorization: `Bearer ${key}` },
        },
        (incoming) => {
          let text = "";
          incoming.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          incoming.once("end", () => done(text));
        },
      );
      outgoing.once("error", fail);
      outgoing.end();
    });
    expect(JSON.parse(heard)).toMatchObject({ ok: true, credentials: [{ code: "493017" }] });
    await expect(site.send("POST", "/devices/list", { key })).rejects.toThrow(/socket hang up|ECONNRESET/);
  });
});

test("a port that is taken is said at start, with what to do", async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((done) => other.listen(port, "127.0.0.1", done));
  onTestFinished(() => void other.close());
  const { config } = await embedded({}, { http: { port } });
  const { code, said } = await new AgentProcess(config).startInVain();
  expect(code).toBe(1);
  expect(said).toContain(`http.port: 127.0.0.1:${port} is in use`);
  expect(said).toContain("set http.port to a free port");
});

test("at the command line a key is made, told once, listed and revoked", async () => {
  const { agent } = shared();
  const data = ["--data", agent.dataDir];
  const { out } = await agent.cli("keys", "create", "--name", "desk", "--json", ...data);
  const { key, key_id: id } = JSON.parse(out) as { readonly key: string; readonly key_id: string };
  expect(key).toMatch(/^seam_[1-9A-Za-z]{8}_[1-9A-Za-z]{24}$/);
  expect((await shared().send("POST", "/devices/list", { key })).status).toBe(200);
  const listed = await agent.cli("keys", "list", ...data);
  expect(listed.out).toMatch(new RegExp(`${id} +desk +active`));
  expect(listed.out + (await agent.cli("keys", "list", "--json", ...data)).out).not.toContain(key);
  expect((await agent.cli("keys", "revoke", id, ...data)).code).toBe(0);
  expect((await agent.cli("keys", "list", ...data)).out).toMatch(new RegExp(`${id} +desk +revoked`));
  expect(errorOf(await shared().send("POST", "/devices/list", { key }))).toBe("unauthorized");
  const none = await agent.cli("keys", "revoke", "nothing", ...data);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining("There is no key with that key_id")]);
});

test("a key opens until it expires", async () => {
  const site = shared();
  const { key } = await site.key({ expires_at: new Date(Date.now() + 2_000).toISOString() });
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(200);
  await until("it has expired", async () => (await site.send("POST", "/devices/list", { key })).status === 401);
});

test("a client session's token grants and revokes nothing, and a token says for which workspace it is", async () => {
  const site = shared();
  const session = { authorization: "Bearer seam_cst1_token" };
  const query = new URLSearchParams(pair).toString();
  const refused = [
    await site.send("PUT", grant, { headers: session, body: pair }),
    await site.send("DELETE", `${revoke}?${query}`, { headers: { "seam-client-session-token": "seam_cst1_token" } }),
  ];
  expect(refused.map((each) => [each.status, errorOf(each)])).toEqual([
    [401, "unauthorized"],
    [401, "unauthorized"],
  ]);
  const { key } = await site.key({ kind: "personal_access_token" });
  const nowhere = await site.send("POST", "/devices/list", { key });
  expect([nowhere.status, errorOf(nowhere)]).toEqual([400, "missing_workspace_id"]);
});

test("arrays in a query are read however they are written", async () => {
  const site = shared();
  const { key } = await site.key();
  for (const query of [
    `device_ids=${frontDoor}&device_ids=none`,
    `device_ids[]=${frontDoor}&device_ids[]=none`,
    `device_ids=${frontDoor},none`,
  ]) {
    const { text } = await site.send("GET", `/devices/list?${query}`, { key });
    expect(JSON.parse(text)).toMatchObject({ devices: [{ device_id: frontDoor }] });
  }
});

test.each([
  ["without a host", ""],
  ["that expects who knows what", "host: x\r\nexpect: more\r\n"],
])("a request %s is answered in the envelope, too, not by node itself", async (_, headers) => {
  const socket = connect(shared().port, "127.0.0.1");
  socket.write(`POST /devices/list HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
  const answer = await readAll(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(answer).toMatch(/\r\nseam-request-id: [0-9a-f-]{36}\r\n/);
  expect(answer).toContain('"type":"unauthorized"');
});

test("a thousand connections at once are all answered, and leave nothing behind", async () => {
  const site = shared();
  const { key } = await site.key();
  const before = site.agent.memory;
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, at) =>
      at % 2 === 0 ? site.send("PUT", grant, { key, body: pair }) : site.send("POST", "/devices/list", { key }),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(answers.map(errorOf)).toEqual(answers.map(() => undefined));
  expect(new Set(answers.map(({ headers }) => headers["seam-request-id"])).size).toBe(1_000);
  expect(site.agent.memory - before).toBeLessThan(150);
});

test("any JSON that is sent to any command is answered in the envelope, and the agent goes on", async () => {
  const site = shared();
  const { key } = await site.key();
  const likely = { user_identity_id: [person], device_id: [frontDoor], device_ids: [[frontDoor]], limit: [1] };
  const commands = [...table.values()].filter(({ doors }) => doors.includes("http"));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(...commands.map((one) => fc.tuple(fc.constant(one.name), anyParameters(one, likely)))),
      fc.integer({ min: 0 }),
      async ([command, parameters], which) => {
        const methods = ["POST", ...[table.get(command)?.method ?? []].flat()];
        const by = methods[which % methods.length] ?? "POST";
        const isQuery = by === "GET" || by === "DELETE";
        const given = Object.entries(Object(parameters)).map(([name, value]): [string, string] => [
          name,
          typeof value === "string" ? value : JSON.stringify(value),
        ]);
        const query = new URLSearchParams(given);
        const answer = isQuery
          ? await site.send(by, `/${command}?${query.toString()}`, { key })
          : await site.send(by, `/${command}`, { key, body: JSON.stringify(parameters) });
        errorOf(answer);
        expect([200, 400, 404, 409]).toContain(answer.status);
      },
    ),
    { numRuns: 150 },
  );
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(200);
});

// The last one: it makes this machine one that has tried too often.
test("who tries keys is told to wait, and for how long, is journalled, and locks out nobody who has one", async () => {
  const site = shared();
  const { key } = await site.key();
  const tries: Answer[] = [];
  for (let at = 0; at < 12; at += 1) tries.push(await site.send("POST", "/devices/list", { key: `seam_wrong_${at}` }));
  const last = tries.at(-1);
  expect(last && [last.status, errorOf(last)]).toEqual([429, "too_many_requests"]);
  expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0);
  expect(Number(last?.headers["retry-after"])).toBeLessThanOrEqual(60);
  expect((await site.send("POST", "/devices/list", { key })).status).toBe(200);
  expect(site.agent.stderr + site.agent.stdout).toContain("somebody without a valid key was turned away");
  expect(site.agent.stderr + site.agent.stdout).not.toContain("seam_wrong_");
});
