import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where `package.json` lies, from the source as from what was built of it. */
export const packageRoot: string = rootAbove(import.meta.dirname);

function rootAbove(folder: string): string {
  if (existsSync(join(folder, "package.json")) && existsSync(join(folder, "package-lock.json"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("no package.json above this file");
  return rootAbove(above);
}
