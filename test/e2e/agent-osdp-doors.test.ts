import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { bitsOf } from "../../drivers/osdp/card-format.ts";
import { OsdpFarEnd } from "../support/osdp-far-end.ts";
import { socatSkipReason } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { grantCommand } from "./support/cloud.ts";
import { door, embedded } from "./support/doors.ts";
import { journalled } from "./support/journal.ts";

/*
 * One agent and a line of readers in another process, a serial device between them: at each reader another door of a house. What
 * holds of a door that asks holds of it over OSDP.
 */

/** Readers by what is tried at them. */
const readers = { pair: "1", pins: "2", apart: "3", cut: "4", away: "5", kept: "6", timed: "7" } as const;
type Door = keyof typeof readers;

const onLine = (name: Door, more: object = {}): object => ({ ...door(name, readers[name], "line"), ...more });
const devices = [
  onLine("pair", { doorman: { rule: "card_and_pin" } }),
  onLine("pins", { doorman: { lock_out: { count: 3, seconds: 60 } } }),
  {
    device_id: "apart",
    name: "apart",
    time_zone: "UTC",
    parts: {
      reader: { link: "line", address: readers.apart },
      bolt: { link: "simulated", address: "on the safe side" },
    },
  },
  ...(["cut", "away", "kept", "timed"] as const).map((name) => onLine(name, { doorman: {} })),
];

/** The clock of the agent's machine is set two hours ahead by a signal, as nobody may set that of this one. */
const clockIsSet = `
  const now = Date.now;
  let ahead = 0;
  Date.now = () => now() + ahead;
  process.on("SIGUSR2", () => { ahead += 2 * 3600_000; });
`;

/** Card number `n` of the site, as the simulator shows it and as credentials name it. */
const bits = (n: number): string => bitsOf("h10301", { facility: 9, number: n })?.reveal() ?? "";
const cardOf = (n: number): object => ({ format: "h10301", bits: bits(n).slice("26:".length) });

const inHours = (hours: number): string => new Date(Date.now() + hours * 3600_000).toISOString();

describe.skipIf(socatSkipReason())("doors with OSDP readers", () => {
  let far: OsdpFarEnd;
  let agent: AgentProcess;

  beforeAll(async () => {
    const keys = Object.fromEntries(Object.values(readers).map((at) => [at, randomBytes(16).toString("hex")]));
    const flags = Object.entries(keys).flatMap(([at, key]) => ["--reader", `${at}=${key}`]);
    far = await new OsdpFarEnd([...flags, "--baud", "115200"]).start();
    const folder = mkdtempSync(join(tmpdir(), "latchd-osdp-"));
    const keysFile = join(folder, "keys.json");
    writeFileSync(keysFile, JSON.stringify(keys), { mode: 0o600 });
    const line = {
      driver: "osdp",
      port: far.device,
      baud: 115_200,
      keys_file: keysFile,
      readers: Object.fromEntries(
        Object.values(readers).map((at) => [
          at,
          { cards: ["h10301"], ...(at === readers.apart ? {} : { strike: { seconds: 0.1 } }) },
        ]),
      ),
    };
    const { config } = await embedded({}, { devices, clock: { trust: "system" } });
    const ends: (() => Promise<void>)[] = [];
    agent = await new AgentProcess(
      { ...config, links: { line, simulated: { driver: "simulated" } } },
      clockIsSet,
      (end) => void ends.push(end),
    ).start();
    await until("all readers are online", async () => (await offline()).length === 0);
    for (const [name, number] of [
      ["ann", 1],
      ["ben", 2],
      ["cyd", 3],
      ["dot", 4],
    ] as const) {
      await must("credentials/set", { user_identity_id: name, kind: "card", value: cardOf(number) });
    }
    for (const device of Object.keys(readers)) await must(grantCommand, { user_identity_id: "ann", device_id: device });
    return async () => {
      for (const end of ends) await end();
      await far[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    };
  }, 120_000);

  const must = async (command: string, parameters: object): Promise<void> => {
    const told = await agent.ask(command, parameters);
    if (!told.ok) throw new Error(`${command}: ${told.error?.message}`);
  };
  const list = z.object({
    devices: z.array(z.object({ device_id: z.string(), properties: z.looseObject({ online: z.boolean() }) })),
  });
  const devicesOf = async () => list.parse(await agent.ask("devices/list")).devices;
  const offline = async (): Promise<readonly string[]> =>
    (await devicesOf()).flatMap(({ device_id: id, properties }) => (properties.online ? [] : [id]));

  const show = (at: Door, number: number) => far.act(readers[at], { act: "card", bits: bits(number) });
  const press = (at: Door, digits: string) => far.act(readers[at], { act: "type", digits });
  const releases = (at: Door): number => far.switched.filter(({ reader, on }) => reader === readers[at] && on).length;
  const allReleases = (): number => far.switched.filter(({ on }) => on).length;
  const events = z.object({ events: z.array(z.record(z.string(), z.unknown())) });
  const eventsOf = async (type: string, at: Door) =>
    events.parse(await agent.ask("events/list", { event_type: type, device_id: at })).events;
  const denials = async (at: Door): Promise<readonly unknown[]> =>
    (await eventsOf("lock.access_denied", at)).map((each) => each["reason_code"]);
  /** Whether the strike is released for what is done. */
  const opens = async (at: Door, deed: () => Promise<unknown>): Promise<boolean> => {
    await until(
      "the strike is at rest",
      () => far.switched.filter(({ reader }) => reader === readers[at]).length % 2 === 0,
    );
    const [released, denied] = [releases(at), (await denials(at)).length];
    await deed();
    await until("it is decided", async () => releases(at) > released || (await denials(at)).length > denied);
    return releases(at) > released;
  };

  const stay = (person: string, window: object) =>
    must("access_grants/create", { user_identity_id: person, device_ids: ["timed"], ...window });
  /** Who of the first three passes. */
  const pass = async (): Promise<readonly boolean[]> => {
    const passed: boolean[] = [];
    for (const number of [1, 2, 3]) passed.push(await opens("timed", () => show("timed", number)));
    return passed;
  };

  let before: number;
  beforeEach(() => {
    before = allReleases();
  });

  test("a card and a PIN of one person open, in either order, and neither of them alone", async () => {
    await must("credentials/set", { user_identity_id: "ann", kind: "pin", value: "471103" });
    await must("credentials/set", { user_identity_id: "ben", kind: "pin", value: "190283" });
    await must(grantCommand, { user_identity_id: "ben", device_id: "pair" });
    await show("pair", 1);
    expect(await opens("pair", () => press("pair", "471103#"))).toBe(true);
    await press("pair", "471103#");
    expect(await opens("pair", () => show("pair", 1))).toBe(true);
    await show("pair", 1);
    expect(await opens("pair", () => press("pair", "190283#"))).toBe(false);
    expect(await denials("pair")).toEqual(["wrong_pair"]);
    expect(releases("pair")).toBe(2);
  });

  test("who tries codes finds that none is taken any more, and a card is", async () => {
    await must("credentials/set", { user_identity_id: "dot", kind: "pin", value: "305912" });
    await must(grantCommand, { user_identity_id: "dot", device_id: "pins" });
    expect(await opens("pins", () => press("pins", "305912#"))).toBe(true);
    for (const wrong of ["111111#", "222222#", "333333#"])
      expect(await opens("pins", () => press("pins", wrong))).toBe(false);
    expect(await opens("pins", () => press("pins", "305912#"))).toBe(false);
    const reasons = await denials("pins");
    expect(reasons).toHaveLength(4);
    expect(new Set(reasons)).toEqual(new Set(["unknown_code", "too_many_attempts"]));
    expect(await opens("pins", () => show("pins", 1))).toBe(true);
  });

  test("a card moves a bolt on another link, on the safe side of the door", async () => {
    await show("apart", 1);
    await journalled(agent, "lock.unlocked", { device_id: "apart", user_identity_id: "ann", method: "card" });
    const found = (await devicesOf()).find(({ device_id: id }) => id === "apart");
    expect(found?.properties).toMatchObject({ online: true, locked: false });
    await show("apart", 4);
    await until("the denial is told", async () => (await denials("apart")).length === 1);
    // No output of any reader.
    expect(allReleases()).toBe(before);
  });

  test("an unlock of which nobody knows whether it was done is told as that", async () => {
    await far.act(readers.cut, { act: "behave", as: { reply_ms: [190, 190] } });
    await show("cut", 1);
    await until("the strike is released", () => releases("cut") > 0);
    // Before it has said so.
    await far.line({ act: "wires", of: readers.cut, cut: true });
    await far.act(readers.cut, { act: "power", on: false });
    const told = await journalled(agent, "action_attempt.unlock_door.failed", { device_id: "cut" });
    expect(told).toMatchObject({ user_identity_id: "ann", error: { type: "outcome_unknown" } });
    expect(await eventsOf("lock.unlocked", "cut")).toEqual([]);
  });

  test("a reader that is away is an offline device, and who has access there keeps it", async () => {
    await far.act(readers.away, { act: "power", on: false });
    await until("it is offline", async () => (await offline()).includes("away"));
    const { receipt } = await agent.ask("access/get", { user_identity_id: "ann", device_id: "away" });
    expect(receipt).toMatchObject({
      state: "live",
      credentials: expect.arrayContaining([expect.objectContaining({ kind: "card", evidence: "decided_here" })]),
    });
    await far.act(readers.away, { act: "power", on: true });
    await until("it is back", async () => !(await offline()).includes("away"));
    expect(await opens("away", () => show("away", 1))).toBe(true);
  });

  test("a card that was shown while latchd was away is told as stale, and nobody is let in for it", async () => {
    await far.act(readers.kept, { act: "behave", as: { reads: "kept" } });
    await agent.kill("SIGTERM");
    await show("kept", 1);
    await agent.start();
    await journalled(agent, "lock.access_denied", { device_id: "kept", reason_code: "stale" });
    expect(allReleases()).toBe(before);
    // Until the reader had nothing to tell once, nobody knows when a card was shown.
    await until("a card is fresh again", async () => {
      await opens("away", () => show("away", 1));
      return opens("kept", () => show("kept", 1));
    });
    expect(new Set(await denials("kept"))).toEqual(new Set(["stale"]));
  });

  test("while the clock is not believed, who may always pass does, and others as when it last was", async () => {
    await stay("ben", { ends_at: inHours(1) });
    await stay("cyd", { starts_at: inHours(1), ends_at: inHours(5) });
    expect(await pass()).toEqual([true, true, false]);
    agent.signal("SIGUSR2");
    await until("the clock is not believed", async () =>
      JSON.stringify(await agent.ask("agent/status")).includes('"trusted":false'),
    );
    // By the clock the one stay is over, and the other has begun.
    expect(await pass()).toEqual([true, true, false]);
    expect(await offline()).not.toContain("timed");
  });
});
