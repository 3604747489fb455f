import { isDeepStrictEqual } from "node:util";
import type { Fate } from "./faults.ts";
import type { Answer, Request, ZigbeeDoor } from "./zigbee-door.ts";

/** What becomes of a request: an answer, the radio's giving up, or nothing for now, because it is kept for later. */
export type Sent = { readonly answer: Answer } | { readonly gaveUp: true } | { readonly kept: true };

/**
 * The way to one lock. To a lock that sleeps (Poll Control), what was not answered is kept, and sent again after the next
 * sign of life: so an old write can undo a later clear (reference: lock-interfaces, 1.3.5). Pure.
 */
export class ZigbeeRadio {
  readonly #door: ZigbeeDoor;
  readonly #pollControl: boolean;
  #kept: Request[] = [];

  constructor(door: ZigbeeDoor, pollControl: boolean) {
    this.#door = door;
    this.#pollControl = pollControl;
  }

  send(request: Request, fate: Pick<Fate, "becomes" | "strikes">): Sent {
    // The same request again takes the place of the one that is kept.
    this.#kept = this.#kept.filter((kept) => !isDeepStrictEqual(kept, request));
    const isHeard = fate.becomes === "answered" || fate.becomes === "lost";
    const answer = isHeard ? this.#door.receive(request, fate) : undefined;
    if (answer && fate.becomes === "answered") return { answer };
    if (!this.#pollControl) return { gaveUp: true };
    this.#kept.push(request);
    return { kept: true };
  }

  /** What was given up reaches the lock all the same; nobody waits for its answer any more. */
  arrive(request: Request, fate: Pick<Fate, "strikes">): void {
    this.#door.receive(request, fate);
  }

  /** After a sign of life of the lock: the answers to what was kept. */
  catchUp(fateOf: (request: Request) => Fate): readonly Answer[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept.flatMap((request) => {
      const sent = this.send(request, fateOf(request));
      return "answer" in sent ? [sent.answer] : [];
    });
  }
}
