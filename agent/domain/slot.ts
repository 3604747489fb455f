import { type Branded, branded } from "./brand.ts";
import type { Credential, Fingerprint } from "./credential.ts";
import type { When } from "./lock-window.ts";

/** One place in a lock's memory. Only the driver knows what the name means. */
export type SlotName = Branded<string, "SlotName">;
export const slotName = (name: string): SlotName => branded<SlotName>(name);

/**
 * What a lock says is in a slot. `opaque`: something, it will not say what. `disabled`: it is there and does not open.
 * `when` it opens, where the lock tells. `unreadable`: it answered, but not about this slot; that is never taken for empty
 * (Law 3).
 */
export type SlotContents =
  | { readonly state: "empty" }
  | { readonly state: "known"; readonly credential: Credential; readonly disabled?: boolean; readonly when?: When }
  | { readonly state: "opaque"; readonly disabled?: boolean; readonly when?: When }
  | { readonly state: "unreadable" };

/** {@link SlotContents} with the credential replaced by its fingerprint: all that a plan needs to know of it. */
export type Observed =
  | { readonly state: "empty" }
  | { readonly state: "known"; readonly fingerprint: Fingerprint; readonly disabled?: boolean; readonly when?: When }
  | { readonly state: "opaque"; readonly disabled?: boolean; readonly when?: When }
  | { readonly state: "unreadable" };

/** What the lock's word is worth: see DESIGN, Law 4. */
export type Proof = "read_back" | "read_back_masked" | "acknowledged" | "decided_here";
