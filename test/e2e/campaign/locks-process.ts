import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { type Remembered, readMemory } from "../../../simulator/memory-file.ts";
import type { Sight } from "../../../simulator/witness.ts";
import { until } from "../mqtt-support.ts";

const programs = join(import.meta.dirname, "../../../dist/simulator");

/** A slot that the owner has filled at each lock, and what is in it. */
const ownersSlot = "4";
const ownersCode = "90817263";

export interface LocksSpec {
  readonly program: "main.js" | "zwave-main.js";
  /** How it is started: all that it is told but its memory and record. */
  readonly given: readonly string[];
  readonly locks: readonly string[];
  readonly folder: string;
}

/** Locks in a process of their own, which forgets nothing when it is killed. Ends with the test. */
export class LocksProcess {
  readonly locks: readonly string[];
  /** All that was seen at them, by all of its runs. */
  readonly sights: Sight[] = [];
  /** Called with each sight. */
  seen: (sight: Sight) => void = () => {};
  /** Called when a write or clear has reached one of them, where the program tells of that. */
  asked: () => void = () => {};
  readonly #command: readonly string[];
  readonly #memory: string;
  #started = 0;
  #child: ChildProcess | undefined;

  constructor({ program, given, locks, folder }: LocksSpec) {
    this.locks = locks;
    this.#memory = join(folder, `${locks.join("+")}.json`);
    this.#command = [join(programs, program), ...given, "--record", "--memory", this.#memory];
    writeFileSync(this.#memory, JSON.stringify(Object.fromEntries(locks.map((lock) => [lock, owned(lock)]))));
    onTestFinished(() => this.kill());
  }

  /** Resolves when they can be reached. */
  async start(): Promise<this> {
    const child = spawn(process.execPath, this.#command, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    const before = this.#started;
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line));
    await until("the locks are there", () => this.#started > before);
    return this;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  }

  /** The codes that a lock holds, but the owner's: as who has opened the lock would read them. */
  codes(lock: string): readonly string[] {
    const entries = Object.entries(readMemory(this.#memory)[lock]?.chip.entries ?? {});
    return entries.flatMap(([slot, { value }]) => (slot === ownersSlot ? [] : [value]));
  }

  /** Whether the owner's code is what and where it was, and nobody has touched it. */
  leftAlone(lock: string): boolean {
    const isTouched = this.sights.some((sight) => sight.lock === lock && sight.slot === ownersSlot);
    return !isTouched && readMemory(this.#memory)[lock]?.chip.entries[ownersSlot]?.value === ownersCode;
  }

  #heard(line: string): void {
    const told = JSON.parse(line) as Told;
    switch (told.happened) {
      case "started":
        this.#started += 1;
        return;
      case "asked":
        if (told.asked !== "read") this.asked();
        return;
      case "stored":
      case "cleared":
      case "rewritten_blindly":
        this.sights.push(told);
        this.seen(told);
        return;
      case "stopped":
      case "error":
      case "complaint":
    }
  }
}

type Told =
  | Sight
  | { readonly happened: "asked"; readonly asked: "write" | "clear" | "read" }
  | { readonly happened: "started" | "stopped" | "error" | "complaint" };

const owned = (lock: string): Remembered => ({
  chip: {
    serial: lock,
    counter: 0,
    entries: { [ownersSlot]: { kind: "pin", value: ownersCode, label: "the owner's" } },
  },
  unanswered: [],
  options: {},
});
