import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Milliseconds } from "./domain/instant.ts";

/** Where the programs are found that set the clock of this machine. */
export interface TimePlaces {
  /** The run-time directory of systemd-timesyncd(8): there while that runs, and in it `synchronized` once it has set the clock. */
  readonly timesyncd: string;
  /** The run-time directory of chronyd(8). */
  readonly chrony: string;
  /** The program chronyc(1). */
  readonly chronyc: string;
}

/** What sets the clock, as far as is known; `system` where nothing is known that does, or nobody is to be asked. */
export interface Synchronised {
  readonly source: "timesyncd" | "chrony" | "system";
  readonly synchronised: boolean;
}

export const timePlaces: TimePlaces = {
  timesyncd: "/run/systemd/timesync",
  chrony: "/run/chrony",
  chronyc: "chronyc",
};

const patience: Milliseconds = 2_000;
/** chronyd's name for a clock that it takes from nowhere, by its directive `local` (chrony.conf(5)). */
const fromNowhere = "7F7F0101";

/** Whether the system says that its time comes from somewhere. */
export class Synchronisation {
  readonly #trust: "auto" | "system";
  readonly #places: TimePlaces;
  /** It stands until we end, as timesyncd's word does: a clock that was right goes on, and a step is seen by itself. */
  #chronyHasSaid = false;
  #found: Synchronised = { source: "system", synchronised: false };

  constructor(trust: "auto" | "system", places: TimePlaces) {
    this.#trust = trust;
    this.#places = places;
  }

  /** As of the last {@link ask}. */
  get found(): Synchronised {
    return this.#found;
  }

  /** Asks whoever is there. Does not reject: who says nothing has not said that the clock is right. */
  async ask(signal: AbortSignal): Promise<void> {
    this.#found = this.#trust === "system" ? { source: "system", synchronised: true } : await this.#look(signal);
  }

  async #look(signal: AbortSignal): Promise<Synchronised> {
    const { timesyncd, chrony } = this.#places;
    if (existsSync(join(timesyncd, "synchronized"))) return { source: "timesyncd", synchronised: true };
    const hasChrony = existsSync(chrony);
    if (hasChrony) this.#chronyHasSaid ||= await this.#isChronyTracking(signal);
    if (hasChrony && this.#chronyHasSaid) return { source: "chrony", synchronised: true };
    if (existsSync(timesyncd)) return { source: "timesyncd", synchronised: false };
    return hasChrony ? { source: "chrony", synchronised: false } : { source: "system", synchronised: true };
  }

  /** `chronyc -c tracking`: values with commas between, the first the reference, the last how the clock stands. */
  async #isChronyTracking(signal: AbortSignal): Promise<boolean> {
    try {
      const { stdout } = await promisify(execFile)(this.#places.chronyc, ["-c", "tracking"], {
        signal,
        timeout: patience,
        env: { ...process.env, LC_ALL: "C" },
      });
      const values = stdout.trim().split(",");
      return values.length >= 14 && values[0] !== fromNowhere && values.at(-1) !== "Not synchronised";
    } catch {
      return false;
    }
  }
}
