import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Bench } from "../bench.ts";
import { Child } from "../child.ts";
import { upTo } from "../house.ts";
import { ownProgram } from "../own-program.ts";

const decision = "door decision";
const worst = "door decision, p99";
const round = z.object({ decision: z.number(), p99: z.number(), lookUp: z.number(), lookUpP99: z.number() });

export const door: Bench = {
  name: "door",
  beside: "nothing",
  rows: [decision, worst],
  unit: { [decision]: "µs", [worst]: "ms" },

  async *rounds({ quick, folder, progress, note }) {
    const [people, asks, rounds] = quick ? [5_000, 2_000, 3] : [100_000, 20_000, 5];
    progress(`door: ${people} people with a card each`);
    const at = join(folder, "door");
    mkdirSync(at);
    await using child = new Child([ownProgram("door-decision"), at, String(people), String(asks)]);
    await child.message();
    for (const number of upTo(rounds)) {
      progress(`door: round ${number} of ${rounds}`);
      const found = round.parse(await child.ask({ ask: "round" }));
      note(worst, `of the look-up ${(found.lookUpP99 / 1_000).toFixed(4)} ms`);
      yield {
        [decision]: { latchd: found.decision, reference: found.lookUp },
        [worst]: { latchd: found.p99 / 1_000 },
      };
    }
  },
};
