import { later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { ChangeOutcome } from "../../agent/domain/wire-tools.ts";
import type { Clock } from "../driver.ts";
import { Waiters } from "../shared/waiters.ts";
import type { Happening } from "./happening.ts";
import type { Key } from "./key.ts";
import { newKey } from "./key-strength.ts";
import { nakWords } from "./nak.ts";
import type { ReaderOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** A reader that has taken its new key proves it in some tenths of a second; offline it is after eight seconds. */
const rotatesWithin: Milliseconds = 8_000;
/** After its time a pairing ends with the next turn of the reader. */
const margin: Milliseconds = 2_000;

interface Parts {
  readonly security: ReaderOptions["security"];
  readonly session: Session;
  readonly clock: Clock;
  /** The line has something to say. */
  readonly wake: () => void;
}

/** Gives one reader its keys, and tells what came of it (reference 3.6). One change at a time. */
export class KeyChange {
  readonly #parts: Parts;
  readonly #heard: Waiters<Happening>;
  #isBusy = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#heard = new Waiters(parts.clock);
  }

  /** Something of its session. */
  hear(happening: Happening): void {
    this.#heard.hear(happening);
  }

  async pair(within: Milliseconds, signal: AbortSignal): Promise<ChangeOutcome> {
    const { session, clock } = this.#parts;
    if (session.isOnline && this.#parts.security === "required") {
      return refused("it is online with a key of its own: npx latchd osdp rotate gives it another one");
    }
    return this.#change(async (key) => {
      const seen = new Seen();
      const over = this.#heard.next((happening) => seen.pairing(happening), within + margin, signal);
      const now = clock.now();
      session.pair(key, later(now, within), now);
      this.#parts.wake();
      return (await over) ?? seen.unpaired();
    });
  }

  async rotate(signal: AbortSignal): Promise<ChangeOutcome> {
    const { session } = this.#parts;
    if (!session.isOnline) return refused("it is offline: bring it back first, or pair it if it is another reader now");
    return this.#change(async (key) => {
      const over = this.#heard.next((happening) => rotation(happening, key), rotatesWithin, signal);
      session.rotate(key);
      this.#parts.wake();
      return (await over) ?? unproven;
    });
  }

  async #change(make: (key: Key) => Promise<ChangeOutcome>): Promise<ChangeOutcome> {
    if (this.#parts.security === "clear") {
      return refused('it is spoken to in clear, by configuration: set "security": "required" for it first');
    }
    if (this.#isBusy) return refused("a change of its key is under way");
    this.#isBusy = true;
    try {
      return await make(newKey());
    } finally {
      this.#isBusy = false;
    }
  }
}

const refused = (detail: string): ChangeOutcome => ({ result: "refused", detail });

const unproven: ChangeOutcome = {
  result: "unknown",
  detail: "it has not answered since: both keys are kept, and when it is back the one that it proves",
};

/** The end of a rotation, if that is one. */
function rotation(happening: Happening, key: Key): ChangeOutcome | undefined {
  if (happening.happening === "key_refused") {
    return refused(`it does not take another key: ${nakWords(happening.error)}. It has the one that it had`);
  }
  if (happening.happening !== "key_proven") return undefined;
  return happening.key === key
    ? { result: "done", detail: "it has proven that it has its new key, and the old one is forgotten" }
    : { result: "unchanged", detail: "it has the key that it had: the new one did not get to it. Try again" };
}

/** What was seen of a reader while it was paired. */
class Seen {
  #isThere = false;
  #isSent = false;
  #refusal: number | undefined;

  /** The end of it, if that is one. */
  pairing(happening: Happening): ChangeOutcome | undefined {
    if (happening.happening === "not_installing") this.#isThere = true;
    if (happening.happening === "key_sent") this.#isSent = true;
    if (happening.happening === "key_refused") this.#refusal = happening.error;
    if (happening.happening !== "pairing_over") return undefined;
    return happening.paired
      ? { result: "done", detail: "it has proven that it has its key, and is spoken to under that only from now on" }
      : this.unpaired();
  }

  unpaired(): ChangeOutcome {
    if (this.#refusal !== undefined) return refused(`it does not take the key: ${nakWords(this.#refusal)}`);
    if (this.#isSent) {
      return {
        result: "unknown",
        detail:
          "it was sent a key and has not proven it yet: the key is kept. If it does not come online, pair it again",
      };
    }
    return refused(
      this.#isThere
        ? "it answers, and is not in its install mode: bring it there as its maker says, and pair it again"
        : "it does not answer: check its power, its wires, its address and the rate of the line, and pair it again",
    );
  }
}
