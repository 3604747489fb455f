import type { DeviceId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import type { Choices } from "./choices.ts";
import type { Chooser } from "./chooser.ts";
import type { ConfiguredDevice, Devices } from "./devices.ts";

/** Pairs for which it is chosen in the transaction that made them due; what is beyond it waits for the round of the device. */
const mostAtOnce = 1_000;

interface Parts {
  readonly choices: Choices;
  readonly chooser: Chooser;
  readonly devices: Devices;
}

/** Where we decide who may open a door, a grant is live, and a revoke gone, with the commit that says so (Law 4). */
export class DecisionsHere {
  readonly #parts: Parts;
  readonly #doors: readonly DeviceId[];
  #due = new Set<DeviceId>();

  constructor(configured: readonly ConfiguredDevice[], parts: Parts) {
    this.#parts = parts;
    this.#doors = configured.flatMap(({ id, doorman }) => (doorman ? [id] : []));
  }

  /** At the end of every transaction, in it. */
  settle(now: Instant): void {
    const { choices, chooser, devices } = this.#parts;
    let left = mostAtOnce;
    for (const door of this.#doors) {
      for (let due = choices.of(door, 1).length; due > 0 && left > 0; due = choices.of(door, 1).length) {
        for (const other of chooser.chooseFor(door, devices.limits(door), now)) this.#due.add(other);
        left -= chooser.atOnce;
      }
    }
  }

  /** Devices that are due because of it, since this was last asked. */
  takeDue(): ReadonlySet<DeviceId> {
    const taken = this.#due;
    this.#due = new Set();
    return taken;
  }
}
