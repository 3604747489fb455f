import type { Memory } from "../../drivers/driver.ts";
import type { Observed, SlotContents, SlotName } from "../domain/slot.ts";
import { within } from "./deadline.ts";
import { type Surroundings, stepTimeout } from "./surroundings.ts";

/** Asks one lock in one round, with an end to each answer's time; a code is told by its fingerprint from here on. */
export class Asking {
  readonly #memory: Memory;
  readonly #around: Pick<Surroundings, "ledger" | "clock">;
  readonly #signal: AbortSignal;

  constructor(memory: Memory, around: Pick<Surroundings, "ledger" | "clock">, signal: AbortSignal) {
    this.#memory = memory;
    this.#around = around;
    this.#signal = signal;
  }

  /** @throws LinkError where the lock was silent. */
  ask<T>(act: (memory: Memory, signal: AbortSignal) => Promise<T>): Promise<T> {
    return within(stepTimeout, this.#around.clock, this.#signal, (signal) => act(this.#memory, signal));
  }

  get lists(): boolean {
    return this.#memory.list !== undefined;
  }

  async read(slot: SlotName): Promise<Observed> {
    const contents = await this.ask(async (memory, signal) => memory.read?.(slot, signal));
    return contents ? this.#observed(contents) : { state: "unreadable" };
  }

  /** Every slot that is not empty, until `until` has found what it looks for. */
  async list(until: (slot: SlotName, contents: Observed) => boolean): Promise<void> {
    await this.ask(async (memory, signal) => {
      for await (const { slot, contents } of memory.list?.(signal) ?? []) {
        if (until(slot, this.#observed(contents))) return;
      }
    });
  }

  #observed(contents: SlotContents): Observed {
    if (contents.state !== "known") return contents;
    const { credential, ...rest } = contents;
    return { ...rest, fingerprint: this.#around.ledger.fingerprint(credential) };
  }
}
