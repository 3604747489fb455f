import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { seeded } from "../../simulator/faults.ts";
import type { Sight } from "../../simulator/witness.ts";
import { brokerSkipReason } from "../support/broker.ts";
import { type MqttProxy, startMqttProxy } from "../support/mqtt-proxy.ts";
import { falseClaims } from "./campaign/claims.ts";
import { type Life, type Moment, momentsOf, pinsOf, remainsOf } from "./campaign/evidence.ts";
import { type Aim, aims, Gun } from "./campaign/gun.ts";
import { LocksProcess } from "./campaign/locks-process.ts";
import { Publisher } from "./campaign/publisher.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, upTo } from "./support/cloud.ts";
import { door } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { type AnyReceipt, receiptsOf } from "./support/receipts.ts";

/** LATCHD_LONG=1 kills five times as often, and waits until nothing can arrive late any more; LATCHD_SEED repeats a run. */
const isLong = process.env["LATCHD_LONG"] !== undefined;
const kills = isLong ? 300 : 60;
const seed = Number(process.env["LATCHD_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** A lock that was sent something late may be watched for this long, and then for two minutes at most. */
const patience = isLong ? 240_000 : 100_000;

/** How many kills have to hit such a moment, of 300. */
const required: readonly (readonly [Exclude<keyof Moment, "aim">, number])[] = [
  ["betweenIntendAndSettle", 30],
  ["afterTheLockHadStored", 10],
  ["betweenCommitAndPuback", 10],
  ["betweenPubackAndReply", 10],
];

const people = upTo(8).map((number) => `person-${number}`);
const houses = { north: ["door-1", "door-2"], south: ["door-3", "door-4"] };
const devices = Object.values(houses).flat();

describe.skipIf(brokerSkipReason("mosquitto"))("kill -9, again and again, under a stream of commands", () => {
  test(`${kills} times: nothing is lost, nothing is claimed that is not so`, {
    timeout: isLong ? 3_600_000 : 400_000,
  }, async () => {
    const began = Date.now();
    say(`seed ${seed}: LATCHD_SEED=${seed} repeats it`);
    const site = await build();
    const { agent, cloud, publisher, locks } = site;

    const sending = new AbortController();
    const sent = publisher.run(sending.signal);
    const lives = await kill(site);
    const killing = Date.now() - began;
    sending.abort();
    await agent.start();
    await sent;
    await until("calm", () => isCalm(site), patience);

    const sights = locks.flatMap((each) => each.sights);
    const moments = momentsOf(lives, site.proxies.cloud.passed, sights);
    report(moments, sights, site, killing, Date.now() - began);

    const count = (moment: (typeof required)[number][0]): number => moments.filter((each) => each[moment]).length;
    expect(required.filter(([moment, least]) => count(moment) < (least * kills) / 300)).toEqual([]);
    // No command whose reply was seen is lost.
    expect(await agent.ask("access/list")).toMatchObject({ ok: true, digest: publisher.digest() });
    // Every lock holds what the grants say, and the owner's code.
    const pins = pinsOf(agent.dataDir);
    for (const some of locks) {
      for (const lock of some.locks) {
        const granted = people.filter((person) => publisher.isGranted(person, lock));
        const held = some.codes(lock).map((code) => ({ code, whose: pins.get(code) ?? "nobody" }));
        expect({ lock, held: held.map(({ whose }) => whose).toSorted(byName) }).toEqual({ lock, held: granted });
        const brought = granted.flatMap((person) => publisher.pinOf(person) ?? []);
        expect(held.map(({ code }) => code)).toEqual(expect.arrayContaining(brought));
        expect({ lock, leftAlone: some.leftAlone(lock) }).toEqual({ lock, leftAlone: true });
      }
    }
    expect(sights.filter(({ happened }) => happened === "rewritten_blindly")).toEqual([]);
    // All events, each with its number; none of them a lie.
    await until("all is told", async () =>
      JSON.stringify(await agent.ask("agent/status")).includes('"letters_waiting":0'),
    );
    expect(cloud.numbers()).toEqual(upTo(cloud.numbers().length));
    const events = [...new Map(cloud.events.map((event) => [event.number, event])).values()];
    const owners = new Map([...pins, ...publisher.ownPins]);
    expect(falseClaims({ events, sights, owners })).toEqual([]);
    // Nobody has read a PIN over its shoulder.
    const told = [...owners.keys()].filter((pin) => new RegExp(`(?<![0-9a-f])${pin}(?![0-9a-f])`).test(agent.stdout));
    expect(told.length).toBe(0);
    expect(agent.stderr).toBe("");
  });
});

interface Site {
  readonly agent: AgentProcess;
  readonly cloud: Cloud;
  readonly publisher: Publisher;
  readonly locks: readonly LocksProcess[];
  readonly proxies: { readonly cloud: MqttProxy; readonly link: MqttProxy };
}

async function build(): Promise<Site> {
  const broker = await Mosquitto.start();
  const folder = mkdtempSync(join(tmpdir(), "latchd-locks-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const misfortunes = ["--delay", "5-50", "--lose", "0.1", "--late", "0.1"];
  const locks = await Promise.all(
    Object.entries(houses).map(([house, names], index) => {
      const given = [
        "--broker",
        broker.url,
        "--base-topic",
        house,
        ...misfortunes,
        "--seed",
        String(seed + 10 * index),
      ];
      return new LocksProcess({ given, locks: names, folder }).start();
    }),
  );
  const proxies = { cloud: await startMqttProxy(broker.port), link: await startMqttProxy(broker.port) };
  for (const proxy of Object.values(proxies)) onTestFinished(() => proxy.close());
  const agent = new AgentProcess({
    agent_id: "gateway-1",
    broker: proxies.cloud.url,
    pins: { length: 8 },
    links: Object.fromEntries(
      Object.keys(houses).map((house) => [
        house,
        { driver: "zigbee2mqtt", url: proxies.link.url, base_topic: house, timeout_ms: 600 },
      ]),
    ),
    devices: Object.entries(houses).flatMap(([house, names]) => names.map((name) => door(name, name, house))),
  });
  // Once in peace: from here on the broker keeps a session for it.
  await agent.start();
  const cloud = await (await Cloud.connect(broker.url)).online();
  await agent.kill("SIGKILL");
  return {
    agent,
    cloud,
    publisher: new Publisher(cloud, seeded(seed), { people, devices, perSecond: 10 }),
    locks,
    proxies,
  };
}

async function kill({ agent, locks, proxies }: Site): Promise<readonly Life[]> {
  const random = seeded(seed + 1);
  const gun = new Gun({ agent, ...proxies, locks, random });
  const lives: Life[] = [];
  for (const [index, aim] of shuffled(kills, random).entries()) {
    if (index % 20 === 10) await powerCut(locks[Math.floor(random() * locks.length)]);
    const startedAt = Date.now();
    const killedAt = await gun.fire(aim);
    const connections = proxies.cloud.passed.at(-1)?.connection ?? 0;
    lives.push({ aim, startedAt, killedAt, connections, remains: remainsOf(agent.dataDir) });
  }
  return lives;
}

async function powerCut(some: LocksProcess | undefined): Promise<void> {
  await some?.kill();
  await some?.start();
}

/** Each aim as often as the others, in any order. */
function shuffled(count: number, random: () => number): readonly Aim[] {
  const all = upTo(count).flatMap((number) => aims[number % aims.length] ?? []);
  return all
    .map((aim) => ({ aim, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ aim }) => aim);
}

/** Nothing is under way: but where an earlier write may still arrive, which is watched for two minutes. */
async function isCalm({ agent, locks, publisher }: Site): Promise<boolean> {
  for (const some of locks) {
    for (const lock of some.locks) {
      const receipts = await receiptsOf(agent, lock);
      if (!receipts.every(isAtRest)) return false;
      const live = receipts.filter(({ state }) => state === "live").length;
      if (live !== people.filter((person) => publisher.isGranted(person, lock)).length) return false;
      // What arrived late and was found at once is cleared; what was not found yet will be.
      if (some.codes(lock).length !== live) return false;
    }
  }
  return true;
}

const isAtRest = ({ credentials }: AnyReceipt): boolean =>
  credentials.every(
    ({ state, reason }) =>
      state === "live" || state === "gone" || (!isLong && state === "removing" && reason === "earlier_write_in_doubt"),
  );

function report(
  moments: readonly Moment[],
  sights: readonly Sight[],
  { cloud, publisher }: Site,
  killing: number,
  all: number,
): void {
  const count = (happened: Sight["happened"]): number => sights.filter((sight) => sight.happened === happened).length;
  for (const [moment] of required) {
    const hits = moments.filter((each) => each[moment]);
    const by = aims.map((aim) => `${aim} ${hits.filter((each) => each.aim === aim).length}`);
    say(`${moment}: ${hits.length} of ${kills} kills (${by.join(", ")})`);
  }
  say(
    `commands ${publisher.sent}, sent again ${publisher.repeated}, refused ${JSON.stringify([...publisher.refusals])}`,
  );
  say(`stored ${count("stored")}, cleared ${count("cleared")}, blind rewrites ${count("rewritten_blindly")}`);
  const types = new Map<string, number>();
  for (const { event_type: type } of cloud.events) types.set(type, (types.get(type) ?? 0) + 1);
  say(`events ${JSON.stringify(Object.fromEntries(types))}`);
  say(`killing took ${Math.round(killing / 1000)} s, all ${Math.round(all / 1000)} s`);
}

const byName = (one: string, other: string): number => one.localeCompare(other);

const say = (line: string): void => void process.stdout.write(`campaign: ${line}\n`);
