import { setTimeout as pause } from "node:timers/promises";
import { bareMemory } from "../bare-memory.ts";
import type { Bench } from "../bench.ts";
import { doorsOn, upTo } from "../house.ts";
import { Site } from "../site.ts";

const row = "memory, idle";

export const memory: Bench = {
  name: "memory",
  beside: "others that wait",
  rows: [row],
  unit: { [row]: "MB" },

  async *rounds(context) {
    const { quick, progress } = context;
    const [rounds, wait] = quick ? [1, 500] : [5, 3_000];
    const few = { links: { simulated: { driver: "simulated" } }, devices: doorsOn("simulated", 3) };
    for (const round of upTo(rounds)) {
      progress(`memory: round ${round} of ${rounds}`);
      const reference = await bareMemory(wait);
      await using site = await Site.open(context, `memory-${round}`, few);
      await pause(wait);
      context.delayed("idle", await site.agent.loopDelay());
      yield { [row]: { latchd: site.agent.process.memory, reference } };
    }
  },
};
