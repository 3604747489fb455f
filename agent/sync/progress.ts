import { backoff } from "../domain/backoff.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import { later, type Milliseconds } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import type { Surroundings } from "./surroundings.ts";

const firstPause: Milliseconds = 1_000;
const lastPause: Milliseconds = 5 * 60_000;
const whileMasked: Milliseconds = 30 * 60_000;

/** What the steps of one round have come to: written down with each, and how many left something in doubt. */
export class Progress {
  readonly #device: DeviceId;
  readonly #around: Surroundings;
  #settled = 0;
  #doubted = 0;

  constructor(device: DeviceId, around: Surroundings) {
    this.#device = device;
    this.#around = around;
  }

  /** A step ended in doubt: the lock is deaf, or does not do what it is told. */
  get hasDoubt(): boolean {
    return this.#doubted > 0;
  }

  /** The lock was asked for something, and nothing of it is proven or refused. */
  get isUnconfirmed(): boolean {
    return this.#doubted > 0 && this.#settled === 0;
  }

  /**
   * On disk when it resolves. False where the placement is no longer one of the lock at this device: then nothing of it is to be
   * done here.
   */
  async change(id: PlacementId, by: (placement: Placement) => Placement): Promise<boolean> {
    const changed = this.#around.ledger.change(this.#device, id, by);
    await this.#around.ledger.onDisk();
    // A round on a slow lock takes minutes: what a step has proven is told at once.
    this.#around.committed();
    return changed !== undefined;
  }

  /** After a step that was answered: what it left in doubt waits, so that it does not hold up the others. */
  concluded(placement: Placement, isProven: boolean): Placement {
    if (isProven) this.#settled += 1;
    else this.#doubted += 1;
    return isProven ? placement : this.paused(placement);
  }

  /** The lock has answered all that it can: it is asked again in a while, in case that somebody has cleared the slot. */
  leftAlone(placement: Placement): Placement {
    this.#settled += 1;
    return { ...placement, next: later(this.#around.clock.now(), whileMasked) };
  }

  /** Where the lock is silent, the placement that was asked about waits, so that it does not hold up the others. */
  async pausing<T>(id: PlacementId, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      await this.change(id, (placement) => this.paused(placement));
      throw error;
    }
  }

  paused(placement: Placement): Placement {
    const pauses = placement.pauses + 1;
    const pause = backoff(pauses, firstPause, lastPause, this.#around.random);
    return { ...placement, pauses, next: later(this.#around.clock.now(), pause) };
  }
}
