import { join } from "node:path";
import { packageRoot } from "../../agent/package.ts";

/** One of `programs/`, as it was built. */
export const ownProgram = (name: string): string => join(packageRoot(), "dist/test/bench/programs", `${name}.js`);
