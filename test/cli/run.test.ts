import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { greeting } from "../../agent/cli/greeting.ts";
import type { Running } from "../../agent/cli/shell.ts";
import { defaultConfig, loadConfig } from "../../agent/config.ts";
import { ConfigError, StoreError } from "../../agent/errors.ts";
import { drivers } from "../../drivers/index.ts";
import { Desk, frontDoor, person } from "./desk.ts";

const known = { drivers, commands: [] };
const never = new Promise<void>(() => {});
const asleep = async (_ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((_done, fail) => signal?.addEventListener("abort", () => fail(new Error("awake"))));

/** Runs latchd until it has started, and gives what ends it. */
async function running(desk: Desk, agent: Partial<Running>) {
  const progress = new EventEmitter();
  const up = once(progress, "started");
  desk.start = async () => {
    progress.emit("started");
    return { stopped: never, close: async () => {}, ...agent };
  };
  const ended = desk.call("run");
  await up;
  await new Promise((done) => setImmediate(done));
  const signal = (): void => {
    for (const heard of desk.signals) heard();
  };
  return { ended, signal };
}

test("run says where it listens and what to try, and stops on a signal", async () => {
  await using desk = await Desk.open();
  desk.sleep = asleep;
  let closed = false;
  const { ended, signal } = await running(desk, {
    close: async () => {
      closed = true;
    },
  });
  signal();
  const { exit, out, err } = await ended;
  expect({ exit, err, closed }).toEqual({ exit: 0, err: "", closed: true });
  expect(out).toContain("latchd is running as gateway-1.");
  expect(out).toMatch(/latchd has stopped\.\n$/);
  expect(desk.signals.size).toBe(0);
});

test("run takes the echo of a Ctrl-C for the same one, and a second one for impatience", async () => {
  await using desk = await Desk.open();
  desk.sleep = asleep;
  const { ended, signal } = await running(desk, { close: async () => never });
  signal();
  signal();
  desk.pass(1_000);
  expect(desk.err).toBe("");
  signal();
  const { exit, err } = await ended;
  expect(exit).toBe(1);
  expect(err).toMatch(/^latchd was told a second time: ended at once/);
});

test("run ends hard where closing takes over 2 s", async () => {
  await using desk = await Desk.open();
  const { ended, signal } = await running(desk, { close: async () => never });
  signal();
  const { exit, err } = await ended;
  expect(exit).toBe(1);
  expect(err).toMatch(/^latchd did not stop within 2 s/);
});

test("run stops on a signal that comes while it starts", async () => {
  await using desk = await Desk.open();
  desk.start = async () => never.then(() => Promise.reject(new Error("never")));
  const ended = desk.call("run");
  await new Promise((done) => setImmediate(done));
  while (desk.signals.size === 0) await new Promise((done) => setImmediate(done));
  for (const heard of desk.signals) heard();
  expect((await ended).exit).toBe(1);
});

test("run says what is wrong and how to mend it, without a stack", async () => {
  await using desk = await Desk.open();
  desk.sleep = asleep;
  desk.start = async () =>
    Promise.reject(new ConfigError("port 1883 is taken", { hint: "set broker.port to another" }));
  expect(await desk.call("run")).toEqual({
    exit: 1,
    out: "",
    err: "port 1883 is taken\nset broker.port to another\nsettings go into a file such as config.example.json; to run with it: npm start -- <file>\n",
  });
  let closed = false;
  const { ended } = await running(desk, {
    stopped: Promise.reject(new StoreError("the disk is full", { hint: "make room" })),
    close: async () => {
      closed = true;
    },
  });
  expect(await ended).toMatchObject({ exit: 1, err: "the disk is full\nmake room\n" });
  expect(closed).toBe(true);
});

test("run refuses a configuration that is wrong, and --data beside one", async () => {
  await using desk = await Desk.open();
  const file = join(desk.dataDir, "config.json");
  writeFileSync(file, '{"prefx":"a"}');
  expect(await desk.call("run", file)).toMatchObject({
    exit: 1,
    err: expect.stringContaining('prefx: there is no such option; did you mean "prefix"?') as string,
  });
  expect((await desk.call("run", file, "--data", "x")).exit).toBe(2);
});

test("greeting() gives the lines to try with the default agent", async () => {
  const text = greeting(await defaultConfig("/home/me/data", known), "/home/me");
  for (const line of [
    "mosquitto_sub -q 1 -v -t 'access/gateway-1/reply/#' -t 'access/gateway-1/event/#'",
    `mosquitto_pub -q 1 -t access/gateway-1/command/user_identities/grant_access_to_device -m '{"request_id":"try-1","user_identity_id":"${person}","device_id":"${frontDoor}"}'`,
    `npx latchd grant ${person} "Front door"`,
    `npx latchd code ${person} "Front door"`,
    "npx latchd act front-door type <PIN>",
    "embedded broker on mqtt://127.0.0.1:1883",
    "/home/me/data/latchd.sock",
  ]) {
    expect(text.split("\n").some((each) => each.trim() === line || each.includes(`  ${line}`))).toBe(true);
  }
});

test("greeting() names broker, data directory and doors as they are", async () => {
  await using desk = await Desk.open();
  const file = join(desk.dataDir, "config.json");
  const device = {
    device_id: "it's",
    name: 'The "big" gate',
    time_zone: "UTC",
    at: { link: "sim", address: "big gate" },
  };
  writeFileSync(
    file,
    JSON.stringify({
      agent_id: "g 2",
      broker: { url: "mqtts://broker.example", username: "me" },
      mqtt: { codes: "clear" },
      links: { sim: { driver: "simulated" } },
      devices: [device],
    }),
  );
  const text = greeting(await loadConfig(file, known), "/elsewhere");
  expect(text).toContain("mosquitto_sub -h broker.example -p 8883 -u me -P '<password>' --cafile <your CA> -q 1");
  expect(text).toContain("-t 'access/g 2/command/user_identities/grant_access_to_device'");
  expect(text).toContain(`"device_id":"it'\\''s"`);
  expect(text).toContain(`npx latchd grant ${person} "The \\"big\\" gate" --data ${desk.dataDir}/data`);
  expect(text).toContain("npx latchd act 'big gate' type <PIN>");
  expect(text).toContain('mqtt.codes is "clear"');
});

test("greeting() does without doors", async () => {
  const text = greeting({ ...(await defaultConfig("/d/data", known)), devices: [] }, "/d");
  expect(text).toContain('add one under "devices"');
});
