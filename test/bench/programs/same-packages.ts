import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { packageRoot } from "../../../agent/package.ts";

/** Node with all packages that latchd runs with, doing nothing. */
const { dependencies } = z
  .object({ dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")));
for (const name of Object.keys(dependencies)) await import(name);
process.send?.({ loaded: Object.keys(dependencies).length });
// It waits for what never comes.
process.on("message", () => undefined);
