import { EventEmitter, once } from "node:events";
import { linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localDoorPath } from "../../agent/config.ts";
import { ConfigError } from "../../agent/errors.ts";
import { type LocalDoor, openLocalDoor, type Perform } from "../../agent/http/local-door.ts";
import { createLog } from "../../agent/log.ts";

let dataDir = "";
let lines: string[] = [];
const open: LocalDoor[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "latchd-door-"));
  lines = [];
});
afterEach(async () => {
  for (const door of open.splice(0)) await door.close();
  rmSync(dataDir, { recursive: true });
});

const echo: Perform = async (name, body) => ({
  status: name === "a/gone" ? 404 : 200,
  body: JSON.stringify({ ok: true, name, body: Buffer.from(body).toString() }),
});

async function start(perform: Perform = echo): Promise<LocalDoor> {
  const door = await openLocalDoor(
    dataDir,
    perform,
    createLog("trace", false, (line) => void lines.push(line)),
  );
  open.push(door);
  return door;
}

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

const send = (path: string, body: string | Buffer, method = "POST", headers: Record<string, string> = {}) =>
  new Promise<Answer>((done, fail) => {
    const outgoing = request(
      { socketPath: localDoorPath(dataDir), path, method, headers, agent: false },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.on("end", () => done({ status: incoming.statusCode, type: incoming.headers["content-type"], text }));
      },
    );
    outgoing.on("error", fail);
    outgoing.end(body);
  });

test("the local door hands name and bytes to perform, and sends its reply as it is", async () => {
  await start();
  const answer = await send("/user_identities/grant", '{"a":1}', "POST", { "content-type": "application/json" });
  expect(answer.status).toBe(200);
  expect(answer.type).toMatch(/^application\/json/);
  expect(JSON.parse(answer.text)).toEqual({ ok: true, name: "user_identities/grant", body: '{"a":1}' });
  expect((await send("/a/gone", "{}")).status).toBe(404);
});

test("the local door lets perform judge broken JSON, other types and other content types", async () => {
  await start();
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expect(JSON.parse((await send("/a/b", "not json", "POST", form)).text)).toMatchObject({ body: "not json" });
  expect(JSON.parse((await send("/a/b", "[1]")).text)).toMatchObject({ body: "[1]" });
  expect(JSON.parse((await send("/a/b", "")).text)).toMatchObject({ body: "{}" });
});

test("the local door refuses what is over 64 KiB, and goes on", async () => {
  await start();
  expect(await send("/a/b", Buffer.alloc(64 * 1024, " "))).toMatchObject({ status: 200 });
  const answer = await send("/a/b", Buffer.alloc(64 * 1024 + 1, " "));
  expect(answer.status).toBe(413);
  expect(JSON.parse(answer.text)).toMatchObject({ ok: false, error: { type: "invalid_input" } });
  expect((await send("/a/b", "{}")).status).toBe(200);
});

test("the local door answers other paths and methods in the same shape", async () => {
  await start();
  for (const answer of [await send("/a", "{}"), await send("/a/b", "", "GET"), await send("/a/b/c", "{}")]) {
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({ ok: false, error: { type: "unknown_command" } });
  }
});

test("the local door tells a fault of the agent to the log, and nothing of it to the caller", async () => {
  await start(async () => Promise.reject(new Error("code 493017562 broke it")));
  const answer = await send("/a/b", "{}");
  expect(answer.status).toBe(500);
  expect(JSON.parse(answer.text)).toMatchObject({ ok: false, error: { type: "internal_error" } });
  expect(answer.text + lines.join("")).not.toContain("493017562");
  expect(lines.join("")).toContain("a command at the local door failed");
});

test("the local door goes on where a caller hangs up in the middle, and takes it for no fault of the agent", async () => {
  await start();
  const half = connect(localDoorPath(dataDir));
  half.write("POST /a/b HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{");
  await once(half, "connect");
  // Until it is read.
  await send("/a/b", "{}");
  half.destroy();
  await once(half, "close");
  expect((await send("/a/b?x=1", "{}")).status).toBe(200);
  expect(lines).toEqual([]);
});

test("the local door says in the same shape that it cannot read what is no HTTP", async () => {
  await start();
  const odd = connect(localDoorPath(dataDir));
  odd.write("hello\r\n\r\n");
  const [said] = await once(odd, "data");
  expect(String(said)).toMatch(/^HTTP\/1\.1 400 .*"ok":false.*invalid_input/s);
  odd.destroy();
});

test("the local door is open to its own user alone", async () => {
  await start();
  expect(statSync(localDoorPath(dataDir)).mode & 0o777).toBe(0o600);
});

test("openLocalDoor() takes the place of a dead agent, not of a live one", async () => {
  const first = join(dataDir, "first");
  const dead = createServer().listen(first);
  await new Promise((done) => dead.once("listening", done));
  // Closing takes its own name away, not this one: it stays as a killed agent leaves it.
  linkSync(first, localDoorPath(dataDir));
  await new Promise((done) => dead.close(done));
  await start();
  await expect(start()).rejects.toThrow(/already running/);
  expect((await send("/a/b", "{}")).status).toBe(200);
});

test("openLocalDoor() leaves alone what is not a socket", async () => {
  writeFileSync(localDoorPath(dataDir), "mine");
  await expect(start()).rejects.toThrow(ConfigError);
  expect(statSync(localDoorPath(dataDir)).size).toBe(4);
});

test("openLocalDoor() names data_dir where the path is too long for a socket", async () => {
  const long = join(dataDir, "x".repeat(100));
  const error: unknown = await openLocalDoor(
    long,
    echo,
    createLog("error", false, () => {}),
  ).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).hint).toContain("data_dir");
});

test("close() is over within a second, whoever is connected", async () => {
  const reached = new EventEmitter();
  const inside = once(reached, "inside");
  const door = await start(async () => {
    reached.emit("inside");
    return new Promise(() => {});
  });
  const unanswered = send("/a/b", "{}").catch(() => "cut off");
  const silent = connect(localDoorPath(dataDir));
  const half = connect(localDoorPath(dataDir));
  half.write("POST /a/b HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{");
  for (const socket of [silent, half]) socket.on("error", () => {});
  await inside;
  const from = performance.now();
  await door.close();
  expect(performance.now() - from).toBeLessThan(1_000);
  expect(await unanswered).toBe("cut off");
  silent.destroy();
  half.destroy();
  await expect(send("/a/b", "{}")).rejects.toThrow(/ENOENT/);
});
