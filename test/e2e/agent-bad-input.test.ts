import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { brokerSkipReason, freePort } from "../support/broker.ts";
import { client, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { door, embedded, frontDoor, person, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { receiptsOf } from "./support/receipts.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
const required = { _errors: ["Required"] };

const notOn = (reason: string): object => ({ data: { not_on: [{ device_id: frontDoor, reason }] } });

/** An agent with one lock, on which nothing was granted. */
async function house(
  lock: object = {},
  more: object = {},
): Promise<{ agent: AgentProcess; cloud: Cloud; url: string }> {
  const { config, url } = await embedded(lock, more);
  const agent = await new AgentProcess(config).start();
  return { agent, cloud: await (await Cloud.connect(url)).online(), url };
}

test("what cannot be read or is not as it must be is invalid_input, with validation_errors in Seam's shape", async () => {
  const { agent, cloud } = await house();
  const say = async (parameters: object, command = grantCommand): Promise<object | undefined> =>
    (await cloud.command(command, parameters)).error;
  expect(await say({ user_identity_id: person })).toEqual({
    type: "invalid_input",
    message: "device_id is required",
    validation_errors: { _errors: [], device_id: required },
  });
  expect(await say({})).toEqual({
    type: "invalid_input",
    message: "2 Input Errors: user_identity_id is required, device_id is required",
    validation_errors: { _errors: [], user_identity_id: required, device_id: required },
  });
  for (const wrong of [7, null, true, [], {}, "", "x".repeat(129), "line\nbreak"]) {
    expect(await say({ ...pair, user_identity_id: wrong })).toMatchObject({
      type: "invalid_input",
      validation_errors: { user_identity_id: { _errors: expect.arrayContaining([expect.any(String)]) } },
    });
  }
  expect(agent.codes("front-door").size).toBe(0);
});

test("what has no usable request_id is told as an event, acknowledged, and not sent again", async () => {
  const { agent, cloud } = await house();
  const payloads = ["", "not json", '{"request_id":', "[]", "7", "null", '"text"', '{"request_id":7}', "\0\0", "{}"];
  const bytes = [...payloads.map((text) => Buffer.from(text)), Buffer.from([0xff, 0xfe, 0x7b, 0x7d])];
  const tooLong = JSON.stringify({ request_id: "long", ...pair, filler: "x".repeat(64 * 1024) });
  for (const payload of [...bytes, Buffer.from(tooLong)]) await cloud.publish(grantCommand, payload);
  await until("all are told", () => cloud.count("command.refused") === bytes.length + 1);
  for (const told of cloud.events.filter(({ event_type: type }) => type !== "device.connected")) {
    expect(told).toMatchObject({
      event_type: "command.refused",
      command: grantCommand,
      error: { type: "invalid_input" },
    });
    expect(JSON.stringify(told)).toContain("validation_errors");
  }
  await agent.kill("SIGTERM");
  await agent.start();
  await cloud.online();
  expect(await cloud.command(grantCommand, pair)).toEqual({ ok: true });
  // Whatever was told before it has come by then.
  await cloud.event("access.live", pair);
  expect(cloud.count("command.refused")).toBe(bytes.length + 1);
  expect(agent.stderr).toBe("");
});

test("a command or a device that is not there says so, and nothing is created", async () => {
  const { agent, cloud } = await house();
  const typeOf = async (command: string, parameters: object): Promise<string | undefined> =>
    (await cloud.command(command, parameters)).error?.type;
  expect(await typeOf("user_identities/delete_everything", pair)).toBe("unknown_command");
  expect(await typeOf("no-such/shape", pair)).toBe("unknown_command");
  expect(await typeOf("a/b/c", pair)).toBe("unknown_command");
  expect(await typeOf("grant", pair)).toBe("unknown_command");
  expect(await typeOf("act/type", { lock: "front-door", digits: "1234" })).toBe("unknown_command");
  expect(await typeOf(grantCommand, { ...pair, device_id: "nowhere" })).toBe("device_not_found");
  expect(await typeOf(revokeCommand, { ...pair, device_id: "nowhere" })).toBe("device_not_found");
  expect(await cloud.command(revokeCommand, pair)).toEqual({ ok: true });
  expect(cloud.numbers()).toEqual([]);
  expect(await agent.ask("access/list")).toMatchObject({ receipts: [] });
  expect(await agent.ask("credentials/list")).toMatchObject({ credentials: [] });
});

test("the same request_id: the stored reply for the same command, a conflict for another, over restarts", async () => {
  const { agent, cloud } = await house();
  expect(await cloud.command(grantCommand, pair, "once")).toEqual({ ok: true });
  await cloud.event("access.live", pair);
  await cloud.command(revokeCommand, pair);
  await cloud.event("access.gone", pair);
  const again = async (): Promise<void> => {
    // Said again it grants nothing: it was carried out once, before the revoke.
    expect(await cloud.command(grantCommand, { device_id: frontDoor, user_identity_id: person }, "once")).toEqual({
      ok: true,
    });
    expect(agent.codes("front-door").size).toBe(0);
    for (const [command, parameters] of [
      [grantCommand, { ...pair, user_identity_id: "other" }],
      [revokeCommand, pair],
      ["credentials/set", { user_identity_id: person, kind: "pin", value: "471147" }],
    ] as const) {
      const { error } = await cloud.command(command, parameters, "once");
      expect(error?.type).toBe("request_id_conflict");
    }
  };
  await again();
  await until("the conflicts are told", () => cloud.count("command.refused") === 3);
  // Else it would say once more what it does not know to be said: a reply that is none to what is asked next.
  await agent.allTold();
  await agent.kill("SIGKILL");
  await agent.start();
  await until("it hears commands", () => cloud.state === "online");
  await again();
  expect(cloud.count("access.accepted")).toBe(1);
});

test("an own PIN that no device takes, or that somebody else has there, is refused by its rule", async () => {
  const { agent, cloud } = await house(
    { lengths: [6], rules: ["no_zeros"] },
    { devices: [door(frontDoor, "front-door"), door("side-door", "side-door")] },
  );
  const set = async (identity: string, value: string): Promise<object> =>
    cloud.command("credentials/set", { user_identity_id: identity, kind: "pin", value });
  for (const identity of ["one", "two"]) {
    await cloud.command(grantCommand, { user_identity_id: identity, device_id: frontDoor });
    await cloud.event("access.live", { user_identity_id: identity });
  }
  expect(await set("one", "4711")).toMatchObject({
    error: { type: "code_constraints_violated", message: expect.stringContaining("length"), ...notOn("length") },
  });
  expect(await set("one", "471102")).toMatchObject({
    error: { type: "code_constraints_violated", message: expect.stringContaining("no_zeros"), ...notOn("no_zeros") },
  });
  expect(await set("one", "471147")).toEqual({ ok: true });
  await until("it is on the lock", () =>
    [...agent.codes("front-door").values()].some(({ value }) => value === "471147"),
  );
  const refused = await set("two", "471147");
  expect(refused).toMatchObject({ error: { type: "duplicate_access_code", ...notOn("duplicate_access_code") } });
  expect(JSON.stringify(refused)).not.toMatch(/one|471147/);

  // At a grant it is no error: the receipt says what is in the way.
  await cloud.command(grantCommand, { user_identity_id: "late", device_id: "side-door" });
  expect(await set("late", "471147")).toEqual({ ok: true });
  await cloud.event("access.live", { user_identity_id: "late", device_id: "side-door" });
  expect(await cloud.command(grantCommand, { user_identity_id: "late", device_id: frontDoor })).toEqual({ ok: true });
  expect(await cloud.event("access.refused", { user_identity_id: "late" })).toMatchObject({ reason: "duplicate" });
  const receipt = (await receiptsOf(agent, frontDoor)).find((each) => each.user_identity_id === "late");
  expect(receipt).toMatchObject({ state: "refused", credentials: [{ reason: "duplicate" }] });
});

describe.skipIf(brokerSkipReason("mosquitto"))("a retained command", () => {
  test("is refused once, also when it was there before us, and its removal is no command", async () => {
    const broker = await Mosquitto.start();
    const retain = await client(broker.url);
    const topic = `${base}/command/${grantCommand}`;
    await retain.publishAsync(topic, JSON.stringify({ request_id: "kept", ...pair }), { qos: 1, retain: true });
    const cloud = await Cloud.connect(broker.url);
    const agent = await new AgentProcess(remote(broker.url)).start();
    expect((await cloud.reply("kept")).error).toMatchObject({
      type: "retained_command_refused",
      message: expect.stringContaining("empty retained message"),
    });
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await agent.allTold();
      await agent.kill(signal);
      await until("the broker noticed", () => cloud.state === "offline");
      await agent.start();
      await cloud.online();
    }
    expect(cloud.replies.get("kept")?.length).toBe(1);
    await retain.publishAsync(topic, "", { qos: 1, retain: true });
    expect(await cloud.command(grantCommand, pair)).toEqual({ ok: true });
    await cloud.event("access.live", pair);
    expect(cloud.count("command.refused")).toBe(0);
    expect(cloud.count("access.accepted")).toBe(1);
  });
});

/** Starts it where it has to fail: what it says, for an operator to read. */
const inVain = async (agent: AgentProcess): Promise<string> => {
  const { code, said } = await agent.startInVain();
  expect(code).toBe(1);
  expect(said).not.toMatch(/^\s+at /m);
  expect(said).not.toContain("fault in latchd itself");
  return said;
};

describe("an agent that cannot start says what to mend, and ends with 1", () => {
  test("a configuration that is wrong", async () => {
    const agent = new AgentProcess({
      broker: { url: "embedded", port: await freePort() },
      links: { zigbee: { driver: "simulated" } },
      devices: [door("d", "front-door", "zigbe")],
    });
    expect(await inVain(agent)).toContain('devices[0].at.link: no link is called "zigbe"; did you mean "zigbee"?');
    writeFileSync(agent.configFile, '{"broker": ');
    expect(await inVain(agent)).toContain("not JSON at line 1");
    rmSync(agent.configFile);
    expect(await inVain(agent)).toContain("there is no such file");
    agent.configure({ broker: "mqtt://127.0.0.1:1" });
    expect(await inVain(agent)).toContain("agent_id");
  });

  test("a port that is taken, and a data directory that is", async () => {
    const { agent } = await house();
    expect(await inVain(agent)).toMatch(/an agent is already running on .*\n.*data_dir/);
    const { config, port } = await embedded();
    const first = await new AgentProcess(config).start();
    const second = new AgentProcess(config);
    const said = await inVain(second);
    expect(said).toContain(`broker.port: 127.0.0.1:${port} is in use`);
    expect(said).toContain("set broker.port to a free port");
    expect(await first.ask("agent/status")).toMatchObject({ ok: true });
    expect(await agent.ask("agent/status")).toMatchObject({ ok: true });
  });

  test("a key that is lost, wrong, none at all, or open to others; and with its own key it starts", async () => {
    const { agent, cloud } = await house();
    await cloud.command(grantCommand, pair);
    await cloud.event("access.live", pair);
    await agent.kill("SIGTERM");
    const file = join(agent.dataDir, "key");
    const key = agent.files().get(file) ?? Buffer.alloc(0);
    rmSync(file);
    expect(await inVain(agent)).toContain("is missing, and the codes in the database cannot be opened without it");
    expect(agent.files().has(file)).toBe(false);
    writeFileSync(file, `${"0123456789abcdef".repeat(4)}\n`, { mode: 0o600 });
    expect(await inVain(agent)).toContain("is not the one that this database was sealed with");
    writeFileSync(file, "secret\n");
    expect(await inVain(agent)).toContain("does not hold a key");
    rmSync(file);
    writeFileSync(file, key, { mode: 0o644 });
    expect(await inVain(agent)).toContain(`chmod 600 ${file}`);
    rmSync(file);
    writeFileSync(file, key, { mode: 0o600 });
    await agent.start();
    expect(await receiptsOf(agent, frontDoor)).toMatchObject([{ state: "live" }]);
  });

  test("a database that is of a newer latchd, or damaged: it is left as it is, and so is the lock", async () => {
    const { agent, cloud } = await house();
    await cloud.command(grantCommand, pair);
    await cloud.event("access.live", pair);
    await agent.kill("SIGTERM");
    const file = join(agent.dataDir, "latchd.db");
    const whole = agent.files().get(file) ?? Buffer.alloc(0);
    const codes = agent.codes("front-door");

    const db = new Database(file);
    db.pragma("user_version = 9999");
    db.close();
    expect(await inVain(agent)).toMatch(/is of version 9999; this latchd knows up to \d+\n.*newer latchd/);
    for (const damage of [
      Buffer.from("this is no database, and never was one".repeat(200)),
      Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, 0x5a)]),
      whole.subarray(0, whole.length / 2),
    ]) {
      rmSync(`${file}-wal`, { force: true });
      rmSync(`${file}-shm`, { force: true });
      writeFileSync(file, damage);
      expect(await inVain(agent)).toMatch(/is damaged: .*\n.*restore it from a backup/);
      expect(agent.files().get(file)?.equals(damage)).toBe(true);
    }
    expect(agent.codes("front-door")).toEqual(codes);
    writeFileSync(file, whole);
    await agent.start();
    expect(await receiptsOf(agent, frontDoor)).toMatchObject([{ state: "live" }]);
  });
});
