import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { seeded } from "../../simulator/faults.ts";
import type { Sight } from "../../simulator/witness.ts";
import { brokerSkipReason } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { skipReason } from "../support/peers.ts";
import { falseClaims } from "./campaign/claims.ts";
import { type Life, type Moment, momentsOf, pinsOf, remainsOf } from "./campaign/evidence.ts";
import { type Aim, aims, Gun } from "./campaign/gun.ts";
import type { LocksProcess } from "./campaign/locks-process.ts";
import { build, type House, type Site, zigbeeHouse, zwaveHouse } from "./campaign/site.ts";
import { until } from "./mqtt-support.ts";
import type { AgentProcess } from "./support/agent-process.ts";
import { upTo } from "./support/cloud.ts";
import { type AnyReceipt, receiptsOf } from "./support/receipts.ts";

/** The long run waits until nothing can arrive late any more. LATCHD_SEED repeats a run. */
const seed = Number(process.env["LATCHD_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** The breaker of a lock that was silent too often waits a minute, then two, then four; what may arrive late is watched for two. */
const patience = isLong ? 900_000 : 500_000;

/** How many kills have to hit such a moment, of 300. */
const required: readonly (readonly [Exclude<keyof Moment, "aim">, number])[] = [
  ["betweenIntendAndSettle", 30],
  ["afterTheLockHadStored", 10],
  ["betweenCommitAndPuback", 10],
  ["betweenPubackAndReply", 10],
];

interface Campaign {
  readonly where: string;
  readonly houses: readonly House[];
  readonly kills: number;
  readonly aims: readonly Aim[];
  readonly longestLife: number;
}
const onMosquitto = {
  where: "on mosquitto",
  houses: [zigbeeHouse("north", ["door-1", "door-2"]), zigbeeHouse("south", ["door-3", "door-4"])],
  aims,
  longestLife: 4_000,
};
const onPty = {
  where: "on a pty",
  houses: [zwaveHouse],
  // A life there begins when zwave-js knows the network, which takes ten seconds and more.
  aims: ["sent", "stored", "puback", "stored", "reply", "sent"] as const,
  longestLife: 30_000,
};
const campaigns: readonly Campaign[] = isLong
  ? [
      { ...onMosquitto, kills: 270 },
      { ...onPty, kills: 30 },
    ]
  : [{ ...onMosquitto, kills: 5 }];

const hasSocat = spawnSync("socat", ["-V"]).error === undefined;
const isPossible = ({ houses }: Campaign): boolean =>
  !houses.includes(zwaveHouse) || skipReason("socat", hasSocat, "apt-get install socat") === undefined;

describe.skipIf(brokerSkipReason("mosquitto"))("kill -9, again and again, under a stream of commands", () => {
  const options = { timeout: isLong ? 7_200_000 : 1_200_000 };
  test.each(campaigns.filter(isPossible))(
    "locks $where: nothing is lost, nothing is claimed that is not so",
    options,
    async (campaign) => {
      const { kills } = campaign;
      const began = Date.now();
      say(`seed ${seed}: LATCHD_SEED=${seed} repeats it`);
      const site = await build(campaign.houses, seed);
      const { agent, cloud, publisher, locks } = site;

      const sending = new AbortController();
      const sent = publisher.run(sending.signal);
      const lives = await kill(site, campaign);
      const killing = Date.now() - began;
      sending.abort();
      await agent.start();
      await sent;
      // Who is there again is asked at once: minutes of pauses between tries are for the long run.
      if (!isLong) await Promise.all(locks.map(powerCut));
      let left: readonly string[] = [];
      const isCalm = async (): Promise<boolean> => (left = await unrest(site)).length === 0;
      // Where it does not come to rest, what was seen on the way says why.
      await until("calm", isCalm, patience).catch(() => undefined);
      await until("all is told", () => isAllTold(agent)).catch(() => undefined);

      const sights = locks.flatMap((each) => each.sights);
      const moments = momentsOf(lives, site.proxies.cloud.passed, sights);
      report(moments, sights, site, killing, Date.now() - began);
      const pins = pinsOf(agent.dataDir);
      const owners = new Map([...pins, ...publisher.ownPins]);
      const events = [...new Map(cloud.events.map((event) => [event.number, event])).values()];
      expect({
        hitTooSeldom: required.filter(([moment, least]) => count(moments, moment) < Math.floor((least * kills) / 300)),
        blindRewrites: sights.filter(({ happened }) => happened === "rewritten_blindly"),
        underWay: left,
        untrue: falseClaims({ events, sights, owners }),
        locks: locks.flatMap((some) => some.locks.flatMap((lock) => wrongAt(lock, some, site, pins))),
        gaps: upTo(cloud.numbers().length).filter((number, index) => cloud.numbers()[index] !== number),
        pinsInItsOutput: [...owners.keys()].filter((pin) => alone(pin).test(agent.stdout)).length,
        stderr: agent.stderr,
      }).toEqual({
        hitTooSeldom: [],
        blindRewrites: [],
        underWay: [],
        untrue: [],
        locks: [],
        gaps: [],
        pinsInItsOutput: 0,
        stderr: "",
      });
      // No command whose reply was seen is lost.
      expect(await agent.ask("access/list")).toMatchObject({ ok: true, digest: publisher.digest() });
    },
  );
});

async function kill(
  { agent, locks, proxies }: Site,
  { aims: at, kills, longestLife }: Campaign,
): Promise<readonly Life[]> {
  const random = seeded(seed + 1);
  const gun = new Gun({ agent, ...proxies, locks, longestLife, random });
  const lives: Life[] = [];
  for (const [index, aim] of shuffled(at, kills, random).entries()) {
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
function shuffled(some: readonly Aim[], count: number, random: () => number): readonly Aim[] {
  const all = upTo(count).flatMap((number) => some[number % some.length] ?? []);
  return all
    .map((aim) => ({ aim, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ aim }) => aim);
}

/** What is still under way, in words: not that an earlier write may still arrive, which is watched for two minutes. */
async function unrest({ agent, locks, people, publisher }: Site): Promise<readonly string[]> {
  const found: string[] = [];
  // Who asks without a pause keeps the agent from its work.
  await delay(250);
  for (const some of locks) {
    for (const lock of some.locks) {
      const receipts = await receiptsOf(agent, lock);
      for (const receipt of receipts) if (!isAtRest(receipt)) found.push(`${lock}: ${JSON.stringify(receipt)}`);
      const live = receipts.filter(({ credentials }) => credentials.some(({ state }) => state === "live")).length;
      const granted = people.filter((person) => publisher.isGranted(person, lock)).length;
      // What arrived late and was found at once is cleared; what was not found yet will be.
      const held = some.codes(lock).length;
      if (live !== granted || held !== live) found.push(`${lock}: ${granted} granted, ${live} live, ${held} codes`);
    }
  }
  return found;
}

const isAtRest = ({ credentials }: AnyReceipt): boolean =>
  credentials.every(
    ({ state, reason }) =>
      state === "live" || state === "gone" || (!isLong && state === "removing" && reason === "earlier_write_in_doubt"),
  );

const isAllTold = async (agent: AgentProcess): Promise<boolean> =>
  JSON.stringify(await agent.ask("agent/status")).includes('"letters_waiting":0');

/** Where a lock does not hold what the grants say, or not the owner's code. */
function wrongAt(
  lock: string,
  some: LocksProcess,
  { people, publisher }: Site,
  pins: ReadonlyMap<string, string>,
): readonly string[] {
  const granted = people.filter((person) => publisher.isGranted(person, lock));
  const codes = some.codes(lock);
  const held = codes.map((code) => pins.get(code) ?? "nobody").toSorted(byName);
  const stale = granted.filter((person) => !codes.includes(publisher.pinOf(person) ?? codes[0] ?? ""));
  return [
    ...(held.join() === granted.join() ? [] : [`${lock} holds codes of ${held.join()}; granted is ${granted.join()}`]),
    ...stale.map((person) => `${lock} does not hold the PIN that ${person} has brought`),
    ...(some.leftAlone(lock) ? [] : [`at ${lock}, the owner's code was touched`]),
  ];
}

const byName = (one: string, other: string): number => (one < other ? -1 : 1);

const alone = (pin: string): RegExp => new RegExp(`(?<![0-9a-f])${pin}(?![0-9a-f])`);

const count = (moments: readonly Moment[], of: (typeof required)[number][0]): number =>
  moments.filter((each) => each[of]).length;

function report(
  moments: readonly Moment[],
  sights: readonly Sight[],
  { cloud, publisher }: Site,
  killing: number,
  all: number,
): void {
  const seen = (happened: Sight["happened"]): number => sights.filter((sight) => sight.happened === happened).length;
  for (const [moment] of required) {
    const hits = moments.filter((each) => each[moment]);
    const by = aims.map((aim) => `${aim} ${hits.filter((each) => each.aim === aim).length}`);
    say(`${moment}: ${hits.length} of ${moments.length} kills (${by.join(", ")})`);
  }
  say(
    `commands ${publisher.sent}, sent again ${publisher.repeated}, refused ${JSON.stringify([...publisher.refusals])}`,
  );
  say(`stored ${seen("stored")}, cleared ${seen("cleared")}, blind rewrites ${seen("rewritten_blindly")}`);
  const types = new Map<string, number>();
  for (const { event_type: type } of cloud.events) types.set(type, (types.get(type) ?? 0) + 1);
  say(`events ${JSON.stringify(Object.fromEntries(types))}`);
  say(`killing took ${Math.round(killing / 1000)} s, all ${Math.round(all / 1000)} s`);
}

const say = (line: string): void => void process.stdout.write(`campaign: ${line}\n`);
