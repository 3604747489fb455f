import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Bench } from "../bench.ts";
import { Child } from "../child.ts";
import { doorOf, doorsOn, lockOf, slowLock, upTo } from "../house.ts";
import { interleaved } from "../interleave.ts";
import { ownProgram } from "../own-program.ts";
import { Site } from "../site.ts";

const row = "bulk";
/** The wire's pace: a code each. */
const lockAnswersIn = 10;
const told = z.object({ took: z.number() });

export const bulk: Bench = {
  name: "bulk",
  rows: [row],
  unit: { [row]: "codes/s" },

  async *rounds(context) {
    const { quick, folder, progress } = context;
    const [codes, rounds] = quick ? [100, 1] : [1_000, 5];
    const latchd = async (round: number): Promise<number> => {
      progress(`bulk: latchd, round ${round + 1} of ${rounds}`);
      const config = {
        links: { simulated: { driver: "simulated", slots: codes + 10 } },
        devices: doorsOn("simulated", 1),
      };
      await using site = await Site.open(context, `bulk-${round}`, config, ({ dataDir }) =>
        slowLock(dataDir, { link: "simulated", lock: lockOf(1), ms: lockAnswersIn, to: ["write"] }),
      );
      await site.agent.loopDelay();
      const pairs = upTo(codes).map((number) => ({ identity: `person-${number}`, device: doorOf(1) }));
      const took = await site.cloud.grant(pairs);
      context.delayed("bulk", await site.agent.loopDelay());
      return (1_000 * codes) / took;
    };
    const wire = async (round: number): Promise<number> => {
      progress(`bulk: the wire alone, round ${round + 1} of ${rounds}`);
      const at = join(folder, `bulk-wire-${round}`);
      mkdirSync(at);
      // A rate does not depend on how many there are.
      const some = Math.round(codes / 10);
      await using child = new Child([ownProgram("bare-driver"), at, String(some), String(lockAnswersIn)]);
      const { took } = told.parse(await child.message());
      rmSync(at, { recursive: true });
      return (1_000 * some) / took;
    };
    const contenders = new Map([
      ["latchd", latchd],
      ["wire", wire],
    ]);
    for await (const found of interleaved(rounds, contenders))
      yield { [row]: { latchd: found.get("latchd") ?? Number.NaN, reference: found.get("wire") ?? Number.NaN } };
  },
};
