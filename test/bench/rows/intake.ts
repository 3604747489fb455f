import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bestBroker, startBroker } from "../../support/broker.ts";
import { Agent, allOnline } from "../agent.ts";
import type { Bench, BenchContext } from "../bench.ts";
import { Child } from "../child.ts";
import { base, commandTopic, doorOf, doorsOn, grantCommand, lockOf, slowLock, upTo } from "../house.ts";
import { interleaved } from "../interleave.ts";
import { Load } from "../load.ts";
import { installNodeRed, startNodeRed } from "../node-red.ts";
import { ownProgram } from "../own-program.ts";
import { median } from "../statistics.ts";
import { until } from "../until.ts";

const devices = 100;
const links = 10;
const linkOf = (door: number): string => `link-${1 + (door % links)}`;
/** Each of a lock's answers takes as long: as with real ones, most of what was granted waits for its lock. */
const lockAnswersIn = 1_000;

const toBare = "intake, to no database";
const toNodeRed = "intake, to Node-RED";
const rowOf: ReadonlyMap<string, string> = new Map([
  ["no database", toBare],
  ["one transaction each", "intake, to one transaction each"],
  ["Node-RED", toNodeRed],
]);
const rows = [...rowOf.values()];

/** What is started for one contender, at one broker and in one folder. */
interface Started extends AsyncDisposable {
  readonly process: Child;
  readonly loopDelay?: () => Promise<number>;
}

export const intake: Bench = {
  name: "intake",
  beside: "nothing",
  rows,
  unit: Object.fromEntries(rows.map((row) => [row, "grants/s"])),

  async *rounds(context) {
    const { quick, folder, progress, missing, note } = context;
    const [grants, rounds] = quick ? [2_000, 1] : [20_000, 5];
    const absent = await installNodeRed(context);
    if (absent !== undefined) missing(toNodeRed, absent);
    const said = new Map<string, string>();
    const run =
      (name: string, start: (at: string, url: string) => Promise<Started>, share = 1) =>
      async (round: number): Promise<number> => {
        progress(`intake: ${name}, round ${round + 1} of ${rounds}`);
        const at = join(folder, `intake-${name.replaceAll(" ", "-")}-${round}`);
        mkdirSync(at);
        try {
          const own = { ...context, note: (of: string, text: string) => void said.set(of, text) };
          return await rate(start, at, Math.round(grants * share), own, !said.has(afterwards));
        } finally {
          rmSync(at, { recursive: true });
        }
      };
    const contenders = new Map([
      ["latchd", run("latchd", startLatchd)],
      ["no database", run("no database", (_, url) => startProgram("same-subscriber", url))],
      ["ten lines", run("ten lines", (_, url) => startProgram("bare-subscriber", url), 0.25)],
      // What waits for the disk each time takes minutes for as many: the rate is that of the first part.
      [
        "one transaction each",
        run("one transaction each", (at, url) => startProgram("transaction-each", url, at), 0.25),
      ],
    ]);
    if (absent === undefined) contenders.set("Node-RED", run("Node-RED", startNodeRedAt, 0.1));
    const bare: number[] = [];
    for await (const found of interleaved(rounds, contenders)) {
      bare.push(found.get("ten lines") ?? Number.NaN);
      note(
        toBare,
        `${[...said.values()].join("; ")}; a subscriber of ten lines, that judges nothing: ${Math.round(median(bare))} grants/s`,
      );
      const latchd = found.get("latchd") ?? Number.NaN;
      const others = [...found].flatMap(([name, reference]) => {
        const row = rowOf.get(name);
        return row === undefined ? [] : [[row, { latchd, reference }] as const];
      });
      yield Object.fromEntries(others);
    }
  },
};

async function startLatchd(at: string, url: string): Promise<Started> {
  const agent = new Agent(at, {
    agent_id: "gateway-1",
    broker: url,
    links: Object.fromEntries(upTo(links).map((link) => [linkOf(link), { driver: "simulated", slots: 250 }])),
    devices: doorsOn(linkOf, devices),
  });
  for (const door of upTo(devices))
    slowLock(agent.dataDir, { link: linkOf(door), lock: lockOf(door), ms: lockAnswersIn, to: ["write"] });
  await agent.start();
  // It has met its locks long before anybody sends it as many commands.
  await allOnline(agent, devices);
  return {
    process: agent.process,
    loopDelay: () => agent.loopDelay(),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

async function startProgram(name: string, ...words: readonly string[]): Promise<Started> {
  const child = new Child([ownProgram(name), ...words]);
  await child.message();
  return { process: child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

async function startNodeRedAt(at: string, url: string): Promise<Started> {
  const child = await startNodeRed(at, url);
  return { process: child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

/** Grants a second, from the first publish to the last reply. */
async function rate(
  start: (at: string, url: string) => Promise<Started>,
  at: string,
  grants: number,
  { note, delayed }: BenchContext,
  isToEnd: boolean,
): Promise<number> {
  await using broker = await startBroker(bestBroker(), ["max_queued_messages 0"]);
  await using contender = await start(at, broker.url);
  const replied = new Set<string>();
  let accepted = 0;
  await using load = await Load.open(broker.url, [`${base}/reply/#`, `${base}/event/#`], (topic) => {
    if (topic.startsWith(replies)) replied.add(topic.slice(replies.length));
    else if (topic === acceptedEvent) accepted += 1;
  });
  await awake(load, replied, contender.process);
  const packets = Load.packets(
    Array.from({ length: grants }, (_, number) => ({
      topic: commandTopic(grantCommand),
      payload: JSON.stringify({
        request_id: `grant-${number}`,
        user_identity_id: `person-${number}`,
        device_id: doorOf(1 + (number % devices)),
      }),
    })),
  );
  replied.clear();
  await contender.loopDelay?.();
  const [own, theirs] = [process.cpuUsage(), contender.process.cpu];
  const before = performance.now();
  await load.publish(packets);
  const published = performance.now() - before;
  await until("all are replied to", () => replied.size === grants, 240_000, 1);
  const took = performance.now() - before;
  const busy = (process.cpuUsage(own).user + process.cpuUsage(own).system) / 1_000;
  if (contender.loopDelay) {
    delayed("intake", await contender.loopDelay());
    const share = (ms: number): string => `${Math.round((100 * ms) / took)} %`;
    note(
      "busy",
      `of the time latchd was busy ${share(contender.process.cpu - theirs)}, who publishes and counts ${share(busy)}; all was published after ${Math.round(published)} of ${Math.round(took)} ms`,
    );
    if (isToEnd) {
      // Beside the one that woke it.
      await until("all are carried out", () => accepted > grants, 240_000, 5);
      note(afterwards, `all were carried out, and told, after ${Math.round(performance.now() - before)} ms`);
    }
  }
  return (1_000 * grants) / took;
}

const replies = `${base}/reply/`;
const acceptedEvent = `${base}/event/access.accepted`;
const afterwards = "afterwards";

/** A command of which nothing comes is sent until it is answered: then the other side is there. */
async function awake(load: Load, replied: ReadonlySet<string>, process: Child): Promise<void> {
  for (let attempt = 0; attempt < 300 && replied.size === 0; attempt++) {
    if (process.hasEnded) throw new Error(`it has ended: ${process.lastWords}`);
    const payload = JSON.stringify({
      request_id: `awake-${attempt}`,
      user_identity_id: "nobody",
      device_id: doorOf(1),
    });
    const topic = commandTopic(grantCommand);
    await load.publish(Load.packets([{ topic, payload }]));
    await pause(200);
  }
  if (replied.size === 0) throw new Error("nobody answers commands");
  await pause(500);
}
