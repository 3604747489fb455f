import { setTimeout as pause } from "node:timers/promises";
import type { Bench, BenchContext } from "../bench.ts";
import { Child } from "../child.ts";
import { doorsOn } from "../house.ts";
import { fill, houseConfig } from "../large-house.ts";
import { ownProgram } from "../own-program.ts";
import { Site } from "../site.ts";

const idle = "memory, idle";
const loaded = "memory, loaded";

export const memory: Bench = {
  name: "memory",
  rows: [idle, loaded],
  unit: { [idle]: "MB", [loaded]: "MB" },

  async *rounds(context) {
    const { quick, progress } = context;
    const [size, rounds, wait] = quick
      ? [{ locks: 8, codes: 200 }, 1, 1_000]
      : [{ locks: 256, codes: 1_000 }, 3, 5_000];
    const few = { links: { simulated: { driver: "simulated" } }, devices: doorsOn("simulated", 3) };
    for (let round = 0; round < rounds; round++) {
      progress(`memory: round ${round + 1} of ${rounds}`);
      const bare = await memoryOfBare(wait);
      const ofFew = await memoryOf(context, `idle-${round}`, few, wait);
      const ofMany = await memoryOf(context, `loaded-${round}`, houseConfig(size), wait, size);
      yield { [idle]: { latchd: ofFew, reference: bare }, [loaded]: { latchd: ofMany, reference: bare } };
    }
  },
};

async function memoryOfBare(wait: number): Promise<number> {
  await using child = new Child([ownProgram("same-packages")]);
  await child.message();
  await pause(wait);
  return child.memory;
}

/** When all locks have been asked who they are, and nothing is left to do. */
async function memoryOf(
  context: BenchContext,
  name: string,
  config: ReturnType<typeof houseConfig>,
  wait: number,
  size?: { readonly locks: number; readonly codes: number },
): Promise<number> {
  await using site = await Site.open(context, name, config, async (agent) => {
    if (size) await fill(agent, size, context);
  });
  context.delayed("a start with all codes live", await site.agent.loopDelay());
  await pause(wait);
  return site.agent.process.memory;
}
