import type { Instant } from "./instant.ts";

/*
 * What people at a gateway do with a wire, and see of it, beside what the agent does with its locks.
 */

export interface ScanRequest {
  readonly port: string;
  /** Rates to try; undefined: those that the driver knows. */
  readonly bauds?: readonly number[] | undefined;
  /** Undefined: those that are usual. */
  readonly addresses?: readonly number[] | undefined;
}
export type ScanStep =
  /** The `nth` question of `of`. */
  | {
      readonly step: "asking";
      readonly baud: number;
      readonly address: string;
      readonly nth: number;
      readonly of: number;
    }
  | {
      readonly step: "found";
      readonly address: string;
      readonly baud: number;
      /** What it says of itself. */
      readonly facts: Readonly<Record<string, string | number | boolean>>;
      /** Why it does not say more. */
      readonly problem?: string;
    }
  | { readonly step: "noticed"; readonly problem: string }
  /** The options of a link on which those are that were found. */
  | { readonly step: "suggestion"; readonly link: Readonly<Record<string, unknown>> };

/**
 * What came of a change of a lock's key, or address. `done`: the lock has proven the new key, or said where it will be.
 * `unchanged`: it has proven the one that it had. `refused`: it is not as it was asked for, for the reason in `detail`.
 * `unknown`: it may be either; both are kept.
 */
export interface ChangeOutcome {
  readonly result: "done" | "unchanged" | "refused" | "unknown";
  /** What there is to know, and to do, for an operator. */
  readonly detail: string;
}

/** @see Link.frames in `drivers/driver.ts` */
export interface WireFrames {
  readonly frames: readonly WireFrame[];
  /** The number to ask with the next time. */
  readonly last: number;
  /** How many there were between, and are not here. */
  readonly missed: number;
}

/** Something that was said on a wire. No secret is in it: where one was there is `[secret]`, and zeros in the bytes. */
export interface WireFrame {
  /** All that is said on a wire is counted, without gaps. */
  readonly number: number;
  readonly at: Instant;
  readonly direction: "sent" | "heard";
  /** Of the lock; absent where nobody can say whose it is. */
  readonly address?: string;
  /** As the protocol calls it. */
  readonly name: string;
  readonly text: string;
  readonly sequence?: number;
  /** Who could read it on the wire: everybody, also under a key that everybody knows, or who has the lock's own key. */
  readonly protection: "clear" | "default_key" | "own_key";
  readonly isRepeat: boolean;
  /** Why it was not used, or is not as it must be. */
  readonly problem?: string;
  /** From its first byte to its last; absent where it was damaged. */
  readonly bytes?: Uint8Array;
}

/** What was counted since the link is open: on the wire, and of each address, with a word for how it is there. */
export interface LinkStanding {
  readonly wire: Counts;
  readonly addresses: Readonly<Record<string, { readonly state: string; readonly counts: Counts }>>;
}
type Counts = Readonly<Record<string, number>>;
