import type { Instant, Milliseconds } from "../../agent/domain/instant.ts";
import type { Happening, Suspicion } from "./happening.ts";

const remembered: Milliseconds = 10 * 60_000;
const first: Milliseconds = 1_000;
const longest: Milliseconds = 60_000;
const tooMany = 3;
/** Who gives commands on the line may do so all day: it is told that often. */
const foreignEvery: Milliseconds = 60_000;

/** Told at once, and once until all is well again; what else is suspect tells itself when it has come three times. */
const alarming: ReadonlySet<Suspicion> = new Set(["wrong_key", "default_key", "key_refused", "foreign_panel"]);

type Suspect = Extract<Happening, { readonly happening: "suspect" }>;

/** What is held against a reader, or against who plays it. */
export class Distrust {
  #breaches: readonly Instant[] = [];
  #told: ReadonlySet<Suspicion> = new Set();
  #foreign: Instant | undefined;

  suspect(why: Suspicion, isTooMuch = false): Suspect {
    const alarm = isTooMuch || (alarming.has(why) && !this.#told.has(why));
    this.#told = new Set([...this.#told, why]);
    return { happening: "suspect", why, alarm };
  }

  /** A command on the line that is not ours. */
  foreign(now: Instant): readonly Suspect[] {
    if (this.#foreign !== undefined && Math.abs(now - this.#foreign) < foreignEvery) return [];
    this.#foreign = now;
    return [this.suspect("foreign_panel")];
  }

  /**
   * It has broken the rules. Four bytes of MAC can be guessed by who may try often enough: so the next session is begun
   * after 1 s, then twice as long each time, up to a minute; and three in ten minutes are an alarm (reference 3.7).
   */
  breach(why: Suspicion, now: Instant): { readonly suspect: Suspect; readonly wait: Milliseconds } {
    this.#breaches = [...this.#breaches, now].filter((at) => at <= now && at > now - remembered).slice(-16);
    const count = this.#breaches.length;
    const wait = Math.min(first * 2 ** (count - 1), longest);
    return { suspect: this.suspect(why, count >= tooMany), wait };
  }

  /** All is well again: what alarms at once does so again. Breaches are forgotten by their time only. */
  calm(): void {
    this.#told = new Set();
  }
}
