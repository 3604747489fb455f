import { z } from "zod";
import type { Agent } from "../agent.ts";
import { bareMemory } from "../bare-memory.ts";
import type { Bench } from "../bench.ts";
import { doorOf, upTo } from "../house.ts";
import { fill, houseConfig, type Size } from "../large-house.ts";
import { Site } from "../site.ts";
import { until } from "../until.ts";

const cpu = "cost of one grant, CPU";
const rows = "cost of one grant, rows";
const memory = "memory, loaded";
const counted = z.object({ rows: z.number() });

export const cost: Bench = {
  name: "cost",
  rows: [cpu, rows, memory],
  unit: { [cpu]: "ms", [rows]: "rows", [memory]: "MB" },

  async *rounds(context) {
    const { quick, progress } = context;
    const [locks, codes, rounds, grants] = quick ? [8, 200, 1, 10] : [256, 1_000, 5, 60];
    const open = (size: Size): Promise<Site> =>
      Site.open(context, `cost-${size.locks}`, withoutAudits(size), (agent) => fill(agent, size, context), [
        "count-rows",
      ]);
    await using large = await open({ locks, codes });
    context.delayed("a start with all codes live", await large.agent.loopDelay());
    await using small = await open({ locks: 1, codes });
    for (const { agent } of [large, small]) await atRest(agent);
    const one = async ({ agent, cloud }: Site, round: number): Promise<{ cpu: number; rows: number }> => {
      await agent.process.ask({ ask: "count" });
      const before = agent.process.cpu;
      // On a lock that has as many codes as the only one of the other house.
      for (const number of upTo(grants))
        await cloud.grant([{ identity: `visitor-${round}-${number}`, device: doorOf(1) }]);
      const after = agent.process.cpu;
      const found = counted.parse(await agent.process.ask({ ask: "rows" }));
      context.delayed("one grant among many", await agent.loopDelay());
      return { cpu: (after - before) / grants, rows: found.rows / grants };
    };
    for (const site of [large, small]) await one(site, 0);
    context.note(rows, `the first grant on a lock that was not asked for lately: ${await first(large, locks)} rows`);
    for (const round of upTo(rounds)) {
      progress(`cost: round ${round} of ${rounds}`);
      const [ofLarge, ofSmall] = [await one(large, round), await one(small, round)];
      const bare = await bareMemory(quick ? 500 : 2_000);
      yield {
        [cpu]: { latchd: ofLarge.cpu, reference: ofSmall.cpu },
        [rows]: { latchd: ofLarge.rows, reference: ofSmall.rows },
        [memory]: { latchd: large.agent.process.memory, reference: bare },
      };
    }
  },
};

/** What a lock is looked through for by itself, whatever is granted, is not counted with a grant. */
function withoutAudits(size: Size): ReturnType<typeof houseConfig> {
  const { links, devices } = houseConfig(size);
  return { links, devices: devices.map((device) => ({ ...device, audit_reads_per_day: 0 })) };
}

/** The rows of a grant on a lock of which nothing is in the agent's memory. */
async function first({ agent, cloud }: Site, door: number): Promise<number> {
  await agent.process.ask({ ask: "count" });
  await cloud.grant([{ identity: "visitor-first", device: doorOf(door) }]);
  return counted.parse(await agent.process.ask({ ask: "rows" })).rows;
}

/** It has met all its locks: what it does for one grant is not counted with what it does because it has just started. */
async function atRest({ process }: Agent): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  const isAtRest = (): boolean => {
    const used = process.cpu - before;
    before = process.cpu;
    return used < restful;
  };
  await until("the agent is at rest", isAtRest, 120_000, everyMs);
}
/** Of so many milliseconds it computes for so many at most. */
const [everyMs, restful] = [500, 60];
