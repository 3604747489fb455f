import type { SlotName } from "../../agent/domain/slot.ts";
import type { Clock } from "../driver.ts";
import type { Schedules } from "./codec-schedule.ts";
import { settledAfter } from "./limits.ts";
import type { Place } from "./memory-user-credential.ts";
import { Seen } from "./seen.ts";

/** What was read of one lock's slots a moment ago, and where something was sent that may still be carried out. */
export class Looks {
  readonly slots: Seen<"empty" | "taken">;
  readonly places: Seen<Place>;
  readonly schedules: Seen<Schedules>;
  readonly doubts: Seen<true>;

  constructor(clock: Clock) {
    this.slots = new Seen(clock);
    this.places = new Seen(clock);
    this.schedules = new Seen(clock);
    this.doubts = new Seen(clock, settledAfter);
  }

  /** Something has happened in a slot. */
  forget(slot: SlotName): void {
    for (const seen of [this.slots, this.places, this.schedules]) seen.forget(slot);
  }

  forgetAll(): void {
    for (const seen of [this.slots, this.places, this.schedules]) seen.forgetAll();
  }
}
