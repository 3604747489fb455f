import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { isMissing } from "../../agent/errors.ts";
import { blankChip, type Chip, chipSchema } from "../../simulator/lock.ts";
import { LinkError } from "../driver.ts";

/** The memory of a simulated lock, from the file that stands for its memory chip; a new lock where there is none. */
export function readChip(file: string): Chip {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    // Written at once: a lock that nobody has written to yet is the same lock tomorrow.
    if (isMissing(cause)) return newChip(file);
    throw new LinkError(`cannot read the memory of a simulated lock, ${file}`, { sent: false, cause });
  }
  try {
    return chipSchema.parse(JSON.parse(text));
  } catch {
    // The cause is left out: it would quote the file, and the file holds codes.
    throw new LinkError(`${file} is not the memory of a simulated lock`, {
      sent: false,
      hint: "delete the file for a new, empty lock",
    });
  }
}

function newChip(file: string): Chip {
  const blank = blankChip(randomUUID());
  writeChip(file, blank);
  return blank;
}

/** On disk when it returns, whole or not at all: a real lock's memory survives our being killed, too. */
export function writeChip(file: string, content: Chip): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.new`;
  const handle = openSync(next, "w", 0o600);
  try {
    writeSync(handle, JSON.stringify(content));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
}
