import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../agent/package.ts";
import type { BenchContext } from "./bench.ts";

const within = 900_000;

/**
 * Installs what is measured beside us from a lockfile of its own, where it is not there yet: once, for some minutes.
 *
 * @param folder of its `package.json`, below ours.
 * @param quick who wants to know quickly waits for no installation.
 * @returns why it cannot be had; undefined where it is there.
 */
export async function install(
  name: string,
  folder: string,
  isThere: () => boolean,
  { quick, progress }: Pick<BenchContext, "quick" | "progress">,
): Promise<string | undefined> {
  if (isThere()) return undefined;
  if (quick) return `${name} is not installed (npm ci --prefix ${folder}), and a quick run installs nothing`;
  progress(`installing ${name} under ${folder}/: once, for some minutes`);
  try {
    const env = { ...process.env, CFLAGS: "-O2" };
    const words = ["ci", "--prefix", join(packageRoot(), folder)];
    await promisify(execFile)("npm", words, { timeout: within, env, maxBuffer: 2 ** 26 });
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 500) : "unknown";
    return `${name} is not installed: npm ci --prefix ${folder} has failed: ${why}`;
  }
  return isThere() ? undefined : `${name} is not installed: npm ci --prefix ${folder} has not brought it`;
}
