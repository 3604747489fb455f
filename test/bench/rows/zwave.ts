import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ZwaveFarEnd, zwaveLocks } from "../../support/zwave-far-end.ts";
import type { Bench } from "../bench.ts";
import { Child } from "../child.ts";
import { upTo } from "../house.ts";
import { ownProgram } from "../own-program.ts";
import { Site } from "../site.ts";
import { median } from "../statistics.ts";

const row = "grant latency over Z-Wave";
const lock = zwaveLocks.userCode2;
/** Milliseconds: much sooner than battery locks, whose radio is woken by a beam of a second. */
const lockAnswersIn = 100;
const told = z.object({ took: z.number(), withLook: z.number() });

export const zwave: Bench = {
  name: "zwave",
  rows: [row],
  beside: "others that wait",
  unit: { [row]: "ms" },

  async *rounds(context) {
    const { quick, folder, progress, missing, note } = context;
    const [first, times, rounds] = quick ? [1, 3, 1] : [5, 8, 5];
    if (spawnSync("socat", ["-V"]).error !== undefined)
      return missing(row, "there is no serial device without socat (apt-get install socat)");
    progress("zwave: two controllers with a lock each, and the interviews of both");
    const flags = ["--locks", lock, "--delay", `${lockAnswersIn}-${lockAnswersIn}`];
    await using ours = await new ZwaveFarEnd(flags).start();
    await using theirs = await new ZwaveFarEnd(flags).start();
    const at = join(folder, "zwave-direct");
    mkdirSync(at);
    await using direct = new Child([ownProgram("zwave-direct"), theirs.device, at, lock, String(times)]);
    const ready = direct.message();
    const config = {
      links: { zwave: { driver: "zwave", port: ours.device } },
      devices: [{ device_id: "door", name: "Door", time_zone: "UTC", at: { link: "zwave", address: lock } }],
    };
    await using site = await Site.open(context, "zwave", config);
    await ready;
    const latchd = async (name: string): Promise<number> => {
      const pair = { identity: name, device: "door" };
      const took = await site.cloud.grant([pair]);
      await site.cloud.revoke([pair]);
      return took;
    };
    for (const time of upTo(first)) await latchd(`first-${time}`);
    await direct.ask({ round: 0 });
    await site.agent.loopDelay();
    const looking: number[] = [];
    for (const round of upTo(rounds)) {
      progress(`zwave: round ${round} of ${rounds}`);
      const took: number[] = [];
      for (const time of upTo(times)) took.push(await latchd(`person-${round}-${time}`));
      context.delayed("Z-Wave", await site.agent.loopDelay());
      const { took: reference, withLook } = told.parse(await direct.ask({ round }));
      looking.push(withLook);
      yield { [row]: { latchd: median(took), reference } };
    }
    note(row, `zwave-js itself, with a look at the slot before: ${median(looking).toFixed(1)} ms`);
  },
};
