import type { CredentialKind } from "./credential.ts";
import type { Milliseconds } from "./instant.ts";
import type { WindowAbility } from "./lock-window.ts";
import type { PinRule } from "./pin-rule.ts";
import type { SlotName } from "./slot.ts";

/**
 * Where a memory keeps credentials of one kind: in numbered slots that the writer chooses, in up to `assigned` slots
 * whose names the lock chooses, or under the credential itself as the key, up to `keyed` of them.
 */
export type Slots = readonly SlotName[] | { readonly assigned: number } | { readonly keyed: number };

/** What credentials of one kind must look like to be taken. */
export interface KindLimits {
  readonly slots: Slots;
  /** Lengths in characters that the lock takes. Empty: any. */
  readonly lengths: readonly number[];
  /** The characters that the lock takes, e.g. `0123456789`. Empty: any. */
  readonly alphabet: string;
  readonly rules: readonly PinRule[];
}

/** What a lock's memory can hold, and how it answers. */
export interface MemoryLimits {
  readonly kinds: ReadonlyMap<CredentialKind, KindLimits>;
  /** Of each kind one is wanted, both together: one alone opens nothing. */
  readonly together?: boolean;
  /** What of a window it keeps by itself, with the gateway dead. */
  readonly windows: WindowAbility | "none";
  /** A code can be suspended without being deleted, and `read` says whether it is: its memory has `enable`. */
  readonly suspends?: boolean;
  readonly readBack: "full" | "masked" | "occupancy" | "none";
  readonly cost: { readonly read: "cheap" | "battery"; readonly write: "cheap" | "battery" };
  /** An unanswered write may still be executed within this time. Absent: silence means that it will not be. */
  readonly settles?: Milliseconds;
}

/** What a lock is and can do, as it said when last asked. */
export interface Abilities {
  /** What tells this lock from all others, wherever it is taken: serial number, IEEE address, public key. */
  readonly identity: string;
  readonly model?: string;
  readonly memory?: MemoryLimits;
  /** It reports what it is shown, and has it decided. */
  readonly reader?: true;
  /** It can be unlocked from afar; `locks`: locked, too. */
  readonly bolt?: { readonly locks: boolean };
}
