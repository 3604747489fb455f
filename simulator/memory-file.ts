import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { chipSchema } from "./lock.ts";

const remembered = z.strictObject({
  chip: chipSchema,
  /** Slots whose last write or clear went unanswered, and that were not read since. */
  unanswered: z.array(z.string()),
  /** How its bridge is set for it. */
  options: z.record(z.string(), z.unknown()),
});
const locks = z.record(z.string(), remembered);

/** What is left of one lock when the simulator ends. Holds codes in clear, as locks do. */
export type Remembered = z.infer<typeof remembered>;

/** The memories of some locks, in a file: so that they outlive the process that plays them. */
export class MemoryFile {
  readonly #path: string;
  readonly #locks: Map<string, Remembered>;

  /** @throws where the file is there and is not such a file. */
  constructor(path: string) {
    this.#path = path;
    this.#locks = new Map(existsSync(path) ? Object.entries(readMemory(path)) : []);
  }

  get(lock: string): Remembered | undefined {
    return this.#locks.get(lock);
  }

  /** In the file, whole, when it returns. */
  set(lock: string, what: Remembered): void {
    this.#locks.set(lock, what);
    writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#locks)), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

export function readMemory(path: string): Readonly<Record<string, Remembered>> {
  try {
    return locks.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // The cause is left out: it would quote the file, and the file holds codes.
    throw new Error(`${path} is not the memory of simulated locks: delete it for new, empty ones`);
  }
}
