import { type Instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { SlotName } from "../../agent/domain/slot.ts";
import type { Clock } from "../driver.ts";

/** Long enough for the write that follows a look, and too short for anybody at the keypad to be forgotten for long. */
const freshFor: Milliseconds = 30_000;

/** What slots were read to hold, a moment ago and with nothing sent to them since: it need not be asked again. */
export class Seen<What> {
  readonly #clock: Clock;
  readonly #freshFor: Milliseconds;
  readonly #slots = new Map<SlotName, { readonly what: What; readonly at: Instant }>();

  constructor(clock: Clock, lasting = freshFor) {
    this.#clock = clock;
    this.#freshFor = lasting;
  }

  get(slot: SlotName): What | undefined {
    const seen = this.#slots.get(slot);
    const now = this.#clock.now();
    return seen && seen.at <= now && now < later(seen.at, this.#freshFor) ? seen.what : undefined;
  }

  note(slot: SlotName, what: What): void {
    this.#slots.set(slot, { what, at: this.#clock.now() });
  }

  /** Something has been sent to the slot, or has happened in it. */
  forget(slot: SlotName): void {
    this.#slots.delete(slot);
  }

  forgetAll(): void {
    this.#slots.clear();
  }
}
