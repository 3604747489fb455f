import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { client, until } from "./mqtt-support.ts";
import { AgentProcess, type AnyReply } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { door, embedded, frontDoor, person } from "./support/doors.ts";
import { formsOf } from "./support/forms.ts";

const sideDoor = "side-door";
/** Long enough that they do not turn up by chance. */
const lock = { lengths: [9], slots: 20 };
const own = "417062385";
const another = "530917264";
const invalid = "71620";
const inBrokenJson = "286403917";
const inWrongType = "690251748";
const typedWrong = "842730165";
const inRetained = "375918246";

interface Heard {
  readonly topic: string;
  readonly payload: string;
}

/** All that passes the broker but the commands themselves, which the test sends. */
async function wiretap(url: string): Promise<readonly Heard[]> {
  const heard: Heard[] = [];
  const listener = await client(url);
  listener.on("message", (topic, payload, { properties }) => {
    if (!topic.startsWith(`${base}/command/`)) {
      heard.push({ topic, payload: `${payload.toString("latin1")} ${JSON.stringify(properties ?? {})}` });
    }
  });
  await listener.subscribeAsync("#", { qos: 1 });
  return heard;
}

const codeIn = (reply: AnyReply): string => /"code":"(\d{9})"/.exec(JSON.stringify(reply))?.[1] ?? "";
const set = (identity: string, value: unknown): object => ({ user_identity_id: identity, kind: "pin", value });

test("no PIN is anywhere in clear but on the lock, whatever goes wrong", async () => {
  const { config, url } = await embedded(lock, {
    log: { level: "trace" },
    pins: { length: 9 },
    devices: [door(frontDoor, "front-door"), door(sideDoor, "side-door")],
  });
  const agent = await new AgentProcess(config).start();
  const heard = await wiretap(url);
  const cloud = await (await Cloud.connect(url)).online();
  const pair = { user_identity_id: person, device_id: frontDoor };

  // The straight line, with a PIN that latchd makes.
  await cloud.command(grantCommand, pair, "try-1");
  await cloud.event("access.live", pair);
  const overMqtt = await cloud.command("credentials/get", { user_identity_id: person }, "get-1");
  expect(overMqtt).toMatchObject({ ok: true, credentials: [{ kind: "pin", code: null }] });
  const issued = codeIn(await agent.ask("credentials/get", { user_identity_id: person, request_id: "get-2" }));
  expect(issued).toMatch(/^\d{9}$/);
  expect(await agent.ask("act/type", { lock: "front-door", digits: issued })).toMatchObject({ effect: "opened" });

  // Own PINs: kept, refused, a duplicate, in text that cannot be read, of the wrong type, in a message that is retained.
  await cloud.command(grantCommand, { ...pair, user_identity_id: "owner" });
  await cloud.command(grantCommand, { ...pair, user_identity_id: "twin" });
  expect(await cloud.command("credentials/set", set("owner", own), "set-1")).toEqual({ ok: true });
  await until("the own PIN is on the lock", () =>
    [...agent.codes("front-door").values()].some((each) => each.value === own),
  );
  const types = [
    await cloud.command("credentials/set", set("twin", own)),
    await cloud.command("credentials/set", set("owner", invalid)),
    await cloud.command("credentials/set", set("owner", Number(inWrongType))),
    await cloud.command("credentials/set", { ...set("owner", another), kind: inWrongType }),
    await cloud.command("credentials/set", set("owner", another), "set-1"),
    await agent.ask(`credentials/${own}`, {}),
  ].map(({ error }) => error?.type);
  expect(types).toEqual([
    "duplicate_access_code",
    "code_constraints_violated",
    "invalid_input",
    "invalid_input",
    "request_id_conflict",
    "unknown_command",
  ]);
  await cloud.publish("credentials/set", `{"request_id":"broken","value":"${inBrokenJson}",,}`);
  await cloud.publish("credentials/set", inBrokenJson);
  await cloud.publish("credentials/set", `["${inBrokenJson}"]`);
  await cloud.publish(`credentials/${inBrokenJson}`, "{}");
  await cloud.publish("credentials/set", JSON.stringify({ request_id: "kept", ...set("owner", inRetained) }), true);
  await until("all are refused", () => cloud.count("command.refused") >= 4);

  // At the lock, and away from it.
  expect(await agent.ask("act/type", { lock: "front-door", digits: typedWrong })).toMatchObject({ effect: "denied" });
  expect(await agent.ask("act/type", { lock: "nowhere", digits: typedWrong })).toMatchObject({ ok: false });
  expect(await agent.cli("act", "front-door", "type", typedWrong, "--data", agent.dataDir)).toMatchObject({ code: 1 });
  await cloud.command(grantCommand, { user_identity_id: "owner", device_id: sideDoor });
  await cloud.event("access.live", { user_identity_id: "owner", device_id: sideDoor });
  await cloud.command("credentials/set", set("owner", another));
  await until("the new PIN is on both", () =>
    ["front-door", "side-door"].every((each) => [...agent.codes(each).values()].some(({ value }) => value === another)),
  );
  await cloud.command(revokeCommand, pair);
  await cloud.event("access.gone", pair);

  const pins = new Set(
    [issued, own, another, inBrokenJson, inWrongType, typedWrong, inRetained].concat(
      [...agent.codes("front-door").values(), ...agent.codes("side-door").values()].map(({ value }) => value),
    ),
  );
  const look = (): readonly string[] => found(pins, agent, heard);
  const files = [...agent.files().keys()].map((name) => name.slice(agent.dataDir.length + 1));
  expect(files).toEqual(expect.arrayContaining(["key", "latchd.db", "latchd.db-wal", "latchd.db-shm"]));
  expect(look()).toEqual([]);
  await agent.kill("SIGTERM");
  expect(look()).toEqual([]);

  // The memory of a lock is damaged: what the agent says of it, and of a fault, quotes nothing.
  agent.damageChip("front-door", `{"serial":"x","entries":{"1":{"value":"${own}"`);
  await agent.start();
  await until("it complains", () => /is not the memory of a simulated lock/.test(agent.stdout));
  expect(look()).toEqual([]);
  process.stdout.write(
    `${pins.size} PINs in ${formsOf(own).size} forms each: none in ${agent.stdout.length} characters of log, ${heard.length} messages, ${files.length} files\n`,
  );
});

test('mqtt.codes "clear" tells codes over MQTT, and start-up and status say so', async () => {
  const { config, url } = await embedded(lock, { mqtt: { codes: "clear" }, pins: { length: 9 } });
  const agent = await new AgentProcess(config).start();
  expect(agent.stdout).toContain('Codes are told in clear over MQTT: mqtt.codes is "clear".');
  expect(agent.stdout).toContain("secrets_exposed");
  const cloud = await (await Cloud.connect(url)).online();
  const pair = { user_identity_id: person, device_id: frontDoor };
  await cloud.command(grantCommand, pair);
  await cloud.event("access.live", pair);
  const code = codeIn(await cloud.command("credentials/get", { user_identity_id: person }, "get-1"));
  expect([...agent.codes("front-door").values()].map(({ value }) => value)).toEqual([code]);
  // The reply is kept for repetition: sealed.
  expect(codeIn(await cloud.command("credentials/get", { user_identity_id: person }, "get-1"))).toBe(code);
  expect(found(new Set([code]), agent, [])).toEqual([]);
  expect(await agent.ask("agent/status")).toMatchObject({
    agent: { secrets_exposed: [{ cure: 'set mqtt.codes to "never"' }] },
  });
});

test.each([
  ["an error with a PIN in its text", `throw new Error("cannot write ${own} to slot 7")`],
  ["an error that carries one", `throw Object.assign(new TypeError("no"), { pin: "${own}", all: ["${own}"] })`],
  ["an error caused by one", `throw new Error("no", { cause: new RangeError("${own} is too long") })`],
  ["an error of a parser, which quotes", `JSON.parse('["${own}",x]')`],
  ["a promise that was rejected with one", `Promise.reject(new Error("${own}"))`],
  ["something that is no error", `Promise.reject("${own}")`],
])("the last words do not tell a PIN: %s", async (_, fault) => {
  const { config } = await embedded(lock);
  // Not before the agent listens for its own faults.
  const agent = new AgentProcess(
    config,
    `const wait = setInterval(() => {
      if (process.listenerCount("uncaughtException") === 0) return;
      clearInterval(wait);
      ${fault};
    }, 1);`,
  );
  const { code, said } = await agent.startInVain();
  expect(code).toBe(1);
  expect(said).toContain("latchd failed, and this is a fault in latchd itself");
  expect(found(new Set([own]), agent, [])).toEqual([]);
});

test("a database that fails under it ends the agent, and its last words do not tell the PIN that came", async () => {
  const { config, url } = await embedded(lock, { log: { level: "trace" } });
  const agent = await new AgentProcess(config).start();
  const cloud = await (await Cloud.connect(url)).online();
  const pair = { user_identity_id: person, device_id: frontDoor };
  await cloud.command(grantCommand, pair);
  await cloud.event("access.live", pair);
  const db = new Database(join(agent.dataDir, "latchd.db"));
  db.exec("ALTER TABLE credentials RENAME TO credentials_gone");
  db.close();
  // It is not acknowledged, as it is not on disk.
  void cloud.publish("credentials/set", JSON.stringify({ request_id: "set-1", ...set(person, own) })).catch(() => {});
  expect(await agent.ended()).toEqual({ code: 1, signal: null });
  expect(agent.stderr).toContain("The database does not work");
  expect(agent.stderr).not.toContain("fault in latchd itself");
  expect(cloud.replies.has("set-1")).toBe(false);
  expect(found(new Set([own]), agent, [])).toEqual([]);
});

test("formsOf() finds a text wherever it stands in what was encoded", () => {
  for (const before of ["", "a", "ab", "abc", "abcd", "abcde"]) {
    for (const seen of [Buffer.from(`${before}${own}more`), Buffer.from(`${before}${own}`)]) {
      for (const encoding of ["latin1", "hex", "base64", "base64url"] as const) {
        const content = seen.toString(encoding);
        expect([...formsOf(own).values()].some((form) => content.includes(form))).toBe(true);
      }
    }
  }
});

/** Where a PIN shows, in any form: names of places, and never the PIN itself. */
function found(pins: ReadonlySet<string>, agent: AgentProcess, heard: readonly Heard[]): readonly string[] {
  const places: (readonly [string, string])[] = [
    ["the log", agent.stdout],
    ["stderr", agent.stderr],
    ...[...agent.files()].map(([name, bytes]) => [name, bytes.toString("latin1")] as const),
    ...heard.map(({ topic, payload }) => [`a message on ${topic}`, `${topic} ${payload}`] as const),
  ];
  return [...pins].flatMap((pin, index) =>
    [...formsOf(pin)].flatMap(([form, text]) =>
      places.flatMap(([place, content]) => (content.includes(text) ? [`PIN ${index}, ${form}, in ${place}`] : [])),
    ),
  );
}
