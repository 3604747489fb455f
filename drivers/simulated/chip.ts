import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { isMissing } from "../../agent/errors.ts";
import { blankChip, type Chip, chipSchema } from "../../simulator/lock.ts";
import { type Condition, conditionSchema, soundCondition } from "../../simulator/lying-lock.ts";
import { LinkError } from "../driver.ts";

/** The memory of a simulated lock, from the file that stands for its memory chip; a new lock where there is none. */
export const readChip = (file: string): Chip =>
  readKept(file, chipSchema, { is: "the memory of a simulated lock", anew: "a new, empty lock" }) ?? newChip(file);

/** What is wrong with a simulated lock: nothing where there is no such file. */
export const readCondition = (file: string): Condition =>
  readKept(file, conditionSchema, { is: "the condition of a simulated lock", anew: "a lock without faults" }) ??
  soundCondition;

/** Undefined where the file is not there. */
function readKept<T>(file: string, schema: z.ZodType<T>, { is, anew }: { is: string; anew: string }): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new LinkError(`cannot read ${is}, ${file}`, { sent: false, cause });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // The cause is left out: it would quote the file, and a memory holds codes.
    throw new LinkError(`${file} is not ${is}`, { sent: false, hint: `delete the file for ${anew}` });
  }
}

/** Written at once: a lock that nobody has written to yet is the same lock tomorrow. */
function newChip(file: string): Chip {
  const blank = blankChip(randomUUID());
  writeKept(file, blank);
  return blank;
}

/**
 * There when it returns, whole or not at all: a real lock's memory survives our being killed, too. The disk is not waited for,
 * which a real lock would not keep busy: who cuts the power of the machine may find a simulated lock as it was seconds before, or
 * damaged.
 */
export function writeKept(file: string, content: Chip | Condition): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.new`;
  writeFileSync(next, JSON.stringify(content), { mode: 0o600 });
  renameSync(next, file);
}
