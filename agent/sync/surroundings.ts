import type { Clock, Log } from "../../drivers/driver.ts";
import type { DeviceId, LockId } from "../domain/ids.ts";
import type { Milliseconds } from "../domain/instant.ts";
import type { Ledger } from "./ledger.ts";
import type { Rank } from "./queue.ts";

/** What a round needs beside the lock. */
export interface Surroundings {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves when it is one's turn to compute for a while: who else waits for something goes in between. */
  readonly turn: (isUrgent: () => boolean) => Promise<void>;
  /** After every commit of ours: there may be letters, and news of devices. */
  readonly committed: () => void;
  /** Another device has work because of this round, however the round ends. */
  readonly due: (device: DeviceId) => void;
  /** Whether a lock on the same wire waits for this one that is of this rank, or goes before it. */
  readonly isAwaited: (rank: Rank) => boolean;
  /** Another device whose lock says that it is this one: it is asked again. */
  readonly claimed: (lock: LockId, by: DeviceId) => DeviceId | undefined;
}

/** A step that goes on for longer is silence, whatever the driver is waiting for. */
export const stepTimeout: Milliseconds = 60_000;
