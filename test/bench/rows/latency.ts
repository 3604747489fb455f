import type { Bench } from "../bench.ts";
import { doorOf, doorsOn, lockOf, slowLock, upTo } from "../house.ts";
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
    const grant = (round: number, number: number): Promise<number> =>
      site.cloud.grant([{ identity: `person-${round}-${number}`, device: doorOf(1 + (number % doors)) }]);
    // What runs for the first time is compiled first.
    for (const number of upTo(doors)) await grant(0, number);
    await site.agent.loopDelay();
    for (const round of upTo(rounds)) {
      context.progress(`latency: round ${round} of ${rounds}`);
      const took: number[] = [];
      for (const number of upTo(grants)) took.push(await grant(round, number));
      context.delayed("grant latency", await site.agent.loopDelay());
      yield {
        [p50]: { latchd: median(took), reference: lockAnswersIn },
        [p99]: { latchd: percentile(took, 99), reference: lockAnswersIn },
      };
    }
  },
};
