import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { bestBroker, startBroker } from "../../support/broker.ts";
import type { Bench } from "../bench.ts";
import { Child } from "../child.ts";
import { doorOf, grantCommand, upTo } from "../house.ts";
import { Load } from "../load.ts";
import { ownProgram } from "../own-program.ts";
import { until } from "../until.ts";

const row = "delivery";
const inProcess = 20;
const doors = 2;
const event = z.looseObject({ number: z.int(), user_identity_id: z.string().nullish() });

/** What was heard of one agent. */
class Heard {
  isOnline = false;
  readonly replied = new Set<string>();
  /** Of `access.live`. */
  readonly live = new Set<string>();
  readonly numbers = new Set<number>();
}

export const delivery: Bench = {
  name: "delivery",
  rows: [row],
  unit: { [row]: "grants" },

  async *rounds({ quick, folder, progress, note }) {
    const [agents, grants] = quick ? [inProcess, 4] : [200, 20];
    const at = join(folder, "delivery");
    mkdirSync(at);
    await using broker = await startBroker(bestBroker(), ["max_queued_messages 0"]);
    const heard = new Map(upTo(agents).map((number) => [`agent-${number}`, new Heard()]));
    await using load = await Load.open(
      broker.url,
      ["access/+/status", "access/+/reply/#", "access/+/event/#"],
      (topic, payload) => listen(heard, topic, payload),
    );
    progress(`delivery: starting ${agents} agents in processes of ${inProcess}`);
    const children: Child[] = [];
    try {
      for (let first = 1; first <= agents; first += inProcess) {
        const words = [at, broker.url, String(first), String(inProcess), String(doors)];
        children.push(new Child([ownProgram("agents"), ...words]));
      }
      await Promise.all(children.map((child) => child.message()));
      await until("all agents are online", () => [...heard.values()].every(({ isOnline }) => isOnline), 240_000, 50);
      progress(`delivery: ${grants} grants for each`);
      const packets = Load.packets(
        upTo(grants).flatMap((number) =>
          [...heard.keys()].map((agent) => ({
            topic: `access/${agent}/command/${grantCommand}`,
            payload: JSON.stringify({
              request_id: `grant-${number}`,
              user_identity_id: `person-${number}`,
              device_id: doorOf(1 + (number % doors)),
            }),
          })),
        ),
      );
      const before = performance.now();
      await load.publish(packets);
      const isDone = ({ replied, live }: Heard): boolean => replied.size === grants && live.size === grants;
      await until("all is delivered", () => [...heard.values()].every(isDone), 120_000, 20).catch(() => undefined);
      const took = performance.now() - before;
      // What is told twice, or late, would come now.
      await pause(500);
      const delivered = [...heard.values()].map(({ replied, live, numbers }) =>
        isGapless(numbers) ? Math.min(replied.size, live.size) : 0,
      );
      note(
        row,
        `${agents} agents, ${packets.length} grants: all live after ${Math.round(took)} ms, events without a gap`,
      );
      yield { [row]: { latchd: delivered.reduce((sum, each) => sum + each, 0), reference: packets.length } };
    } finally {
      for (const child of children) await child[Symbol.asyncDispose]();
    }
  },
};

function listen(heard: ReadonlyMap<string, Heard>, topic: string, payload: () => string): void {
  const [, name = "", kind, ...rest] = topic.split("/");
  const agent = heard.get(name);
  if (!agent) return;
  if (kind === "status") agent.isOnline = payload().includes('"state":"online"');
  else if (kind === "reply" && payload().startsWith('{"ok":true')) agent.replied.add(rest.join("/"));
  else if (kind === "event") {
    const { number, user_identity_id: identity } = event.parse(JSON.parse(payload()));
    agent.numbers.add(number);
    if (rest.join("/") === "access.live" && identity != null) agent.live.add(identity);
  }
}

/** Whoever was subscribed from the beginning has heard them all. */
const isGapless = (numbers: ReadonlySet<number>): boolean =>
  Math.max(...numbers) - Math.min(...numbers) + 1 === numbers.size;
