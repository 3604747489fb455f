import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bestBroker, startBroker } from "../../support/broker.ts";
import type { Bench } from "../bench.ts";
import { Child } from "../child.ts";
import { Cloud } from "../cloud.ts";
import { doorOf, doorsOn, lockOf, slowLock, upTo } from "../house.ts";
import { ownProgram } from "../own-program.ts";
import { Site } from "../site.ts";
import { median, percentile } from "../statistics.ts";

const p50 = "grant latency, p50";
const p99 = "grant latency, p99";
const lockAnswersIn = 20;

export const latency: Bench = {
  name: "latency",
  beside: "nothing",
  rows: [p50, p99],
  unit: { [p50]: "ms", [p99]: "ms" },

  async *rounds(context) {
    const [doors, grants, rounds] = context.quick ? [8, 40, 1] : [40, 200, 5];
    const config = { links: { simulated: { driver: "simulated" } }, devices: doorsOn("simulated", doors) };
    await using site = await Site.open(context, "latency", config, ({ dataDir }) => {
      for (const door of upTo(doors))
        slowLock(dataDir, { link: "simulated", lock: lockOf(door), ms: lockAnswersIn, to: ["write"] });
    });
    await using broker = await startBroker(bestBroker(), ["max_queued_messages 0"]);
    const at = join(context.folder, "bare-grant");
    mkdirSync(at);
    await using bare = new Child([ownProgram("bare-grant"), broker.url, at, String(lockAnswersIn)]);
    await bare.message();
    await using bareCloud = await Cloud.open(broker.url);
    /** One after the other: how long each took. */
    const each = async (cloud: Cloud, round: number, count: number): Promise<readonly number[]> => {
      const took: number[] = [];
      for (const number of upTo(count))
        took.push(await cloud.grant([{ identity: `person-${round}-${number}`, device: doorOf(1 + (number % doors)) }]));
      return took;
    };
    // What runs for the first time is compiled first.
    for (const cloud of [site.cloud, bareCloud]) await each(cloud, 0, doors);
    await site.agent.loopDelay();
    const least: number[] = [];
    for (const round of upTo(rounds)) {
      context.progress(`latency: round ${round} of ${rounds}`);
      const took = await each(site.cloud, round, grants);
      context.delayed("grant latency", await site.agent.loopDelay());
      least.push(...(await each(bareCloud, round, grants / 4)));
      yield {
        [p50]: { latchd: median(took), reference: lockAnswersIn },
        [p99]: { latchd: percentile(took, 99), reference: lockAnswersIn },
      };
    }
    const by = "the least that can be done, by a program of thirty lines with a row on disk before and after the lock";
    context.note(p50, `${by}: ${median(least).toFixed(1)} ms`);
    context.note(p99, `by the same program: ${percentile(least, 99).toFixed(1)} ms`);
  },
};
