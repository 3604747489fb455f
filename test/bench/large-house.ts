import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "./agent.ts";
import type { BenchContext } from "./bench.ts";
import { Child } from "./child.ts";
import { doorsOn } from "./house.ts";
import { ownProgram } from "./own-program.ts";

/** So many locks with so many codes each, all of them live. */
export interface Size {
  readonly locks: number;
  readonly codes: number;
}

export const houseConfig = ({
  locks,
  codes,
}: Size): { readonly links: object; readonly devices: readonly object[] } => ({
  links: { simulated: { driver: "simulated", slots: codes + 500 } },
  devices: doorsOn("simulated", locks),
});

/**
 * Puts into an agent's folder what one has that was filled before. It is filled once in a run of the benches, and copied: that
 * takes as long as all that is measured with it.
 */
export async function fill({ folder, dataDir }: Agent, size: Size, context: BenchContext): Promise<void> {
  const kept = join(context.folder, `house-of-${size.locks}-locks-${size.codes}-codes`);
  if (!existsSync(kept)) {
    context.progress(`filling a house: ${size.locks} locks of ${size.codes} codes`);
    await using filling = new Child([
      ownProgram("fill-house"),
      join(folder, "config.json"),
      String(size.locks),
      String(size.codes),
    ]);
    await filling.message();
    renameSync(dataDir, kept);
  }
  rmSync(dataDir, { recursive: true, force: true });
  cpSync(kept, dataDir, { recursive: true });
}
