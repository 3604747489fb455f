import type { ActEffect, Asked, Reader, ReaderAnswer } from "../driver.ts";
import type { Wire } from "./wire.ts";

/** A simulated reader: it shows what it is answered, and whoever stands before it sees that. */
export class SimulatedReader implements Reader {
  readonly #wire: Wire;
  #shown: ReaderAnswer | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async answer(_: Asked, decision: ReaderAnswer, signal: AbortSignal): Promise<void> {
    this.#shown = decision;
    await this.#wire.ask("bolt", signal, () => undefined);
  }

  /** @param tell reports what it is shown; resolves when that is committed, and answered where there is an answer. */
  async ask(tell: () => Promise<void>): Promise<ActEffect> {
    this.#shown = undefined;
    await tell();
    return { effect: effects[this.#shown ?? "ignored"] };
  }
}

const effects = { admit: "opened", deny: "denied", ignored: "done" } as const;
