import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configJsonSchema } from "../agent/config/json-schema.ts";
import { dataDirOf, defaultConfig, type Known, loadConfig } from "../agent/config.ts";
import { ConfigError } from "../agent/errors.ts";
import { drivers } from "../drivers/index.ts";

const known: Known = {
  drivers,
  commands: ["user_identities/grant_access_to_device", "access/list", "agent/status"],
};
const front = { device_id: "d-1", name: "Front", time_zone: "UTC", at: { link: "sim", address: "front" } };
const links = { sim: { driver: "simulated" } };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchd-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const load = async (value: unknown) => loadConfig(write("config.json", JSON.stringify(value)), known);
const refused = async (value: unknown): Promise<string[]> => {
  const error: unknown = await load(value).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message.split("\n").slice(1);
};

test("loadConfig() fills in what is left out, and makes paths absolute", async () => {
  const config = await load({ links, devices: [front] });
  expect(config).toMatchObject({
    agentId: "gateway-1",
    prefix: "access",
    dataDir: join(folder, "data"),
    keyFile: join(folder, "data", "key"),
    log: { level: "info" },
    broker: { kind: "embedded", host: "127.0.0.1", port: 1883 },
    mqtt: { codes: "never", commands: ["*"] },
    pins: { issue: true, length: 6 },
  });
  const at = { link: "sim", address: "front" };
  expect(config.devices).toEqual([
    {
      deviceId: "d-1",
      was: [],
      name: "Front",
      timeZone: "UTC",
      leadSeconds: 0,
      writesPerDay: 50,
      auditReadsPerDay: undefined,
      parts: { memory: at, reader: at, bolt: at },
    },
  ]);
  expect(config.links.get("sim")).toMatchObject({ driver: "simulated", options: { memory: "numbered", slots: 30 } });
});

test("loadConfig() keeps the parts of a door apart", async () => {
  const parts = { memory: { link: "sim", address: "a" }, bolt: { link: "sim", address: "b" } };
  const { at: _, ...device } = front;
  const config = await load({ links, devices: [{ ...device, parts }] });
  expect(config.devices[0]?.parts).toEqual(parts);
});

const cases: readonly [what: string, value: unknown, lines: readonly string[]][] = [
  ["a list", [], ["must be an object, not a list"]],
  [
    "unknown links",
    { links: { zigbee: { driver: "simulated" } }, devices: [{ ...front, at: { link: "zigbe", address: "x" } }] },
    ['devices[0].at.link: no link is called "zigbe"; did you mean "zigbee"?'],
  ],
  ["no links at all", { devices: [front] }, ['devices[0].at.link: no link is called "sim"; "links" is empty']],
  [
    "unknown drivers",
    { links: { a: { driver: "simulatd" }, b: { driver: "constructor" } } },
    [
      'links.a.driver: no driver is called "simulatd"; did you mean "simulated"?',
      'links.b.driver: no driver is called "constructor"; there are "osdp", "simulated", "zigbee2mqtt", "zwave"',
    ],
  ],
  [
    "unknown options, at every depth",
    { devise: [], broker: { url: "embedded", prot: 1 }, links: { sim: { driver: "simulated", slot: 3 } } },
    [
      'broker.prot: there is no such option; did you mean "port"?',
      'devise: there is no such option; did you mean "devices"?',
      'links.sim.slot: there is no such option; did you mean "slots"?',
    ],
  ],
  [
    "unknown options of a device",
    { links, devices: [{ ...front, tz: "UTC", at: { link: "sim", adress: "front" } }] },
    [
      "devices[0].at.address: is missing: it must be text",
      'devices[0].at.adress: there is no such option; did you mean "address"?',
      'devices[0].tz: there is no such option; there are "device_id", "was", "name", "time_zone", "lead_seconds", "writes_per_day", "audit_reads_per_day", "at", "parts", "doorman"',
    ],
  ],
  [
    "time zones",
    { links, devices: [{ ...front, time_zone: "Europe/Zurch" }] },
    ['devices[0].time_zone: no time zone is called "Europe/Zurch"; did you mean "Europe/Zurich"?'],
  ],
  [
    "offsets instead of time zones",
    { links, devices: [{ ...front, time_zone: "+01:00" }] },
    ['devices[0].time_zone: no time zone is called "+01:00"'],
  ],
  [
    "commands that are not there",
    { mqtt: { commands: ["access/lst", "acces/*", "*", "access/list", "access/*"] } },
    [
      'mqtt.commands[0]: MQTT has no command "access/lst"; did you mean "access/list"?',
      'mqtt.commands[1]: MQTT has no command "acces/*"; did you mean "access/*"?',
    ],
  ],
  [
    "wrong values",
    { log: { level: "inf" }, pins: { length: 3, issue: "yes" }, mqtt: { codes: "always" }, prefix: "a/#" },
    [
      "prefix: must be 1-256 characters that a topic may begin with: no + # or line breaks, no $ in front",
      'log.level: must be one of "trace", "debug", "info", "warn", "error"; did you mean "info"?',
      'mqtt.codes: must be one of "never", "clear"',
      "pins.issue: must be true or false, not text",
      "pins.length: must be at least 4",
    ],
  ],
  [
    "devices and locks that are there twice",
    { links, devices: [front, { ...front, name: "Again" }, { ...front, device_id: "d-3" }] },
    [
      'devices[1].device_id: device_id "d-1" is taken by devices[0]',
      'devices[1].at: the lock "front" on link "sim" is taken by devices[0]',
      'devices[2].at: the lock "front" on link "sim" is taken by devices[0]',
    ],
  ],
  [
    "former names of a device that are somebody's still, or two devices'",
    {
      links,
      devices: [
        { ...front, was: "d-1" },
        { ...front, device_id: "d-2", at: { link: "sim", address: "b" }, was: ["old", "d-1"] },
        { ...front, device_id: "d-3", at: { link: "sim", address: "c" }, was: "old" },
      ],
    },
    [
      'devices[0].was: "d-1" is still the device_id of devices[0]',
      'devices[1].was: "d-1" is still the device_id of devices[0]',
      'devices[2].was: the former name "old" is taken by devices[1]',
    ],
  ],
  [
    "a door without a lock, one with two, and one with nothing in it",
    {
      links,
      devices: [
        { device_id: "a", name: "A", time_zone: "UTC" },
        { ...front, parts: { bolt: { link: "sim", address: "b" } } },
        { device_id: "c", name: "C", time_zone: "UTC", parts: {} },
      ],
    },
    [
      'devices[0]: needs either "at" (a lock in one piece) or "parts" (a lock in several)',
      'devices[1]: needs either "at" (a lock in one piece) or "parts" (a lock in several)',
      "devices[2].parts: needs a memory, a reader or a bolt",
    ],
  ],
  [
    "topic characters in ids",
    { agent_id: "a/b", links, devices: [{ ...front, device_id: "x+y" }] },
    [
      "agent_id: must be 1-128 characters, as it is part of a topic: no + # / or line breaks",
      "devices[0].device_id: must be 1-128 characters, as it is part of a topic: no + # / or line breaks",
    ],
  ],
  [
    "a broker of one's own without an agent id",
    { broker: "mqtt://broker.example" },
    [
      "agent_id: is missing: with a broker of your own, name this gateway (two gateways with one name would push each other off the broker)",
    ],
  ],
  [
    "an embedded broker that others could reach",
    { broker: { url: "embedded", host: "0.0.0.0", port: 70_000 } },
    ["broker.port: must be at most 65535"],
  ],
  [
    "addresses that are none",
    { agent_id: "g", broker: "broker.example:1883" },
    ['broker: must be "embedded", or mqtt://host:port, or mqtts://host:port'],
  ],
  [
    "other wires",
    { agent_id: "g", broker: { url: "wss://broker.example" } },
    ['broker.url: must be "embedded", or mqtt://host:port, or mqtts://host:port: latchd does not speak wss://'],
  ],
  [
    "options that go with another broker",
    { agent_id: "g", broker: { url: "mqtt://b", port: 1, ca_file: "ca.pem", password_file: "p" } },
    [
      "broker.port: goes with the embedded broker only: put it in broker.url",
      "broker.password_file: needs broker.username beside it",
      expect.stringMatching(/^broker\.password_file: cannot read .*: there is no such file$/) as string,
      "broker.ca_file: goes with mqtts:// only: over mqtt:// nothing is encrypted",
    ],
  ],
  ["null", null, ["must be an object, not null"]],
  ["a broker that is a number", { broker: 1883 }, ["broker: must be text, not a number"]],
  [
    "names of links",
    { links: { "my link": { driver: "simulated" } } },
    ['links["my link"]: a link\'s name must be 1-64 letters, digits, _ or -'],
  ],
];
test.each(cases)("loadConfig() says what is wrong: %s", async (_what, value, lines) => {
  expect(await refused(value)).toEqual(lines);
});

test("loadConfig() refuses an embedded broker that others could reach", async () => {
  const [line] = await refused({ broker: { url: "embedded", host: "0.0.0.0" } });
  expect(line).toMatch(/^broker\.host: the embedded broker knows no users, so it listens on loopback only/);
});

test("loadConfig() never repeats a password that was put in the address", async () => {
  const lines = await refused({ agent_id: "g", broker: "mqtt://me:hunter2@broker.example" });
  expect(lines).toEqual(["broker: must not hold a user or a password: use broker.username and broker.password_file"]);
});

test("loadConfig() reads the login and the certificates of a broker from files", async () => {
  write("password", "hunter2\n");
  for (const name of ["ca", "cert", "key"]) write(name, `-----BEGIN ${name}\n`);
  const { broker } = await load({
    agent_id: "g",
    broker: {
      url: "mqtts://broker.example",
      protocol: "5",
      username: "me",
      password_file: "password",
      ca_file: "ca",
      cert_file: "cert",
      key_file: "key",
    },
  });
  expect(broker).toMatchObject({ kind: "remote", url: "mqtts://broker.example:8883", protocol: "5", username: "me" });
  if (broker.kind !== "remote") throw new Error("remote");
  expect(broker.password?.reveal()).toBe("hunter2");
  expect(broker.tls?.key?.reveal()).toContain("BEGIN key");
  expect(JSON.stringify(broker)).not.toMatch(/hunter2|BEGIN key/);
});

test("loadConfig() says in which line a file stops being JSON", async () => {
  const bad = (text: string): Promise<unknown> => loadConfig(write("bad.json", text), known);
  await expect(bad('{\n  "prefix": "x",\n}')).rejects.toThrow(/line 3, column 1: no "," is allowed before "}"/);
  await expect(bad('{\n  "prefix" "x" }')).rejects.toThrow(/line 2, column 12: expected ":"/);
  await expect(bad("{ // a comment\n}")).rejects.toThrow(/line 1, column 3: .*JSON has no comments/);
  await expect(bad("")).rejects.toThrow(/line 1, column 1: expected a value, but the file ends here/);
  await expect(loadConfig(join(folder, "none.json"), known)).rejects.toThrow(/there is no such file/);
});

test("loadConfig() finds a fault wherever JSON.parse() does", async () => {
  const mutated = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", '"', "x", "]"))
    .map(
      ([text, at, put]) => `${text.slice(0, at % (text.length + 1))}${put}${text.slice((at % (text.length + 1)) + 1)}`,
    );
  await fc.assert(
    fc.asyncProperty(mutated, async (text) => {
      const message = await loadConfig(write("any.json", text), known).then(
        () => "",
        (cause: Error) => cause.message,
      );
      expect(message).not.toContain("it cannot be read");
    }),
    { numRuns: 50 },
  );
});

test("loadConfig() gives a configuration or a ConfigError, whatever the file holds", async () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("embedded", "mqtt://a:1", "simulated", "zigbee2mqtt", "UTC", "__proto__"),
  );
  const loose = fc.oneof(fc.jsonValue(), word);
  const place = fc.record({ link: loose, address: loose }, { requiredKeys: [] });
  const device = fc.record(
    { device_id: loose, name: loose, time_zone: loose, at: place, parts: fc.dictionary(word, place) },
    { requiredKeys: [] },
  );
  const link = fc.record({ driver: word, url: loose, slots: loose, rules: loose, broker: loose }, { requiredKeys: [] });
  const like = fc.record(
    {
      agent_id: loose,
      broker: fc.oneof(loose, fc.record({ url: word, host: loose, port: loose, ca_file: loose }, { requiredKeys: [] })),
      mqtt: fc.record({ codes: loose, commands: fc.oneof(loose, fc.array(loose)) }, { requiredKeys: [] }),
      pins: loose,
      links: fc.oneof(loose, fc.dictionary(word, fc.oneof(link, loose))),
      devices: fc.oneof(loose, fc.array(fc.oneof(device, loose), { maxLength: 4 })),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), like), async (value) => {
      const outcome: unknown = await load(value).catch((cause: unknown) => cause);
      const good = outcome instanceof ConfigError ? outcome.message.includes("\n") : !(outcome instanceof Error);
      expect([outcome, good]).toEqual([outcome, true]);
    }),
    { numRuns: 120 },
  );
});

test("defaultConfig() holds three simulated locks behind an embedded broker", async () => {
  const config = await defaultConfig(join(folder, "elsewhere"), known);
  expect(config.dataDir).toBe(join(folder, "elsewhere"));
  expect(config.devices.map(({ deviceId, name, parts }) => [deviceId, name, parts.memory?.address])).toEqual([
    ["054765c8-a2fc-4599-b486-14c19f462c45", "Front door", "front-door"],
    [expect.any(String), "Back door", "back-door"],
    [expect.any(String), "Workshop", "workshop"],
  ]);
});

test("dataDirOf() tells where an agent keeps its data, and no more", () => {
  expect(dataDirOf(write("a.json", '{"data_dir":"d","broker":{"password_file":"secret"}}'))).toBe(join(folder, "d"));
  expect(dataDirOf(write("b.json", "{}"))).toBe(join(folder, "data"));
  expect(() => dataDirOf(write("c.json", '{"data_dir":1}'))).toThrow(ConfigError);
});

const example = new URL("../config.example.json", import.meta.url).pathname;
const schema = async () => configJsonSchema(await Promise.all(Object.values(drivers).map(async (each) => each())));

test("config.example.json loads", async () => {
  const config = await loadConfig(example, known);
  expect(config.devices[0]).toMatchObject({
    deviceId: "054765c8-a2fc-4599-b486-14c19f462c45",
    name: "Front door",
    parts: { memory: { link: "simulated", address: "front-door" } },
  });
  expect(config.links.get("simulated")?.driver).toBe("simulated");
});

test("config.example.json shows every option once", async () => {
  const shown = shownOptions(JSON.parse(readFileSync(example, "utf8")), "");
  const options = knownOptions((await schema()) as Node, "");
  expect(new Set(shown)).toEqual(new Set(options));
  const repeats =
    /^devices\[\]\.(?:device_id|name|time_zone|parts(?:\.\w+)?)$|^links\.simulated(?:\.(?:driver|memory))?$|\.(?:link|address)$/;
  for (const option of options.filter((path) => !repeats.test(path))) {
    expect([option, shown.filter((path) => path === option).length]).toEqual([option, 1]);
  }
});

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly const?: string;
}

/** Every option of a schema: `devices[].at.link`; a link's options stand under its driver's name: `links.simulated.slots`. */
function knownOptions({ properties, additionalProperties, items, anyOf }: Node, path: string): string[] {
  return [
    ...(path === "" ? [] : [path]),
    ...Object.entries(properties ?? {}).flatMap(([key, node]) => knownOptions(node, `${path}${path && "."}${key}`)),
    ...(additionalProperties?.anyOf ?? []).flatMap((node) =>
      knownOptions(node, `${path}.${node.properties?.["driver"]?.const}`),
    ),
    ...(additionalProperties?.properties
      ? [`${path}.*`, ...knownOptions(additionalProperties, `${path}.*`).slice(1)]
      : []),
    ...(items?.properties ? knownOptions(items, `${path}[]`).slice(1) : []),
    ...(anyOf ?? []).flatMap((node) => knownOptions(node, path).slice(1)),
  ];
}

function shownOptions(value: unknown, path: string): string[] {
  const here = path === "" ? [] : [path];
  if (Array.isArray(value)) return [...here, ...value.flatMap((each) => shownOptions(each, `${path}[]`).slice(1))];
  if (typeof value !== "object" || value === null) return here;
  return [
    ...here,
    ...Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
      const driver = path === "links" && typeof inner === "object" && inner !== null && "driver" in inner;
      // What is named by the address of a reader.
      const name = /^\d+$/.test(key) ? "*" : key;
      return shownOptions(inner, `${path}${path && "."}${driver ? String(inner.driver) : name}`);
    }),
  ];
}
