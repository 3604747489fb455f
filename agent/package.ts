import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Instant, instant } from "./domain/instant.ts";

/** The folder of our package.json: above this file, whether it is run from source or as built. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** When this version was made: a clock that is before it is wrong. */
export const built: Instant = instant(Date.UTC(2026, 10, 24));

export function packageVersion(): string {
  const text = readFileSync(join(packageRoot(), "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
