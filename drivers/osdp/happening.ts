import type { Secret } from "../../agent/domain/secret.ts";
import type { ReaderAbilities } from "./capabilities.ts";
import type { Key } from "./key.ts";
import type { Identity } from "./replies.ts";
import type { WrapFault } from "./secure-channel.ts";

/** What a session tells whoever drives it. */
export type Happening =
  /** It is asked, and answers, as it should: from now on until it is offline. */
  | { readonly happening: "online" }
  | { readonly happening: "offline" }
  /** Who it says it is, where that counts: not in clear where the channel is required. */
  | { readonly happening: "identity"; readonly identity: Identity }
  | { readonly happening: "abilities"; readonly abilities: ReaderAbilities }
  /** `card`: bits with their count. Stale: it may be from before the (re)connect, and nothing may be decided by it. */
  | {
      readonly happening: "card";
      readonly reader: number;
      readonly format: number;
      readonly card: Secret;
      readonly stale: boolean;
    }
  /** Digits, `*` to clear and `#` to enter. */
  | { readonly happening: "keys"; readonly reader: number; readonly keys: Secret; readonly stale: boolean }
  /** `power`: it has failed. */
  | { readonly happening: "status"; readonly tamper: boolean; readonly power: boolean }
  | { readonly happening: "inputs" | "outputs" | "readers"; readonly states: readonly number[] }
  | { readonly happening: "result"; readonly id: string; readonly result: Result }
  /** It will be there from now on: the sessions of a line have one rate. */
  | { readonly happening: "moved"; readonly address: number; readonly baud: number }
  /** The reader is about to be given this key. It is to be kept beside the others before anything goes to the line. */
  | { readonly happening: "key_sent"; readonly key: Key }
  /** The reader has this key, and no other: what else was kept for it may go. */
  | { readonly happening: "key_proven"; readonly key: Key }
  /** It has not taken the new key, and said so. */
  | { readonly happening: "key_refused"; readonly error: number }
  | { readonly happening: "pairing_over"; readonly paired: boolean }
  /** Somebody pairs it; it answers, and is not in its install mode. Told whenever it was tried. */
  | { readonly happening: "not_installing" }
  /** It is there, and we have no key for it: nothing that it says is used. Told whenever it was looked for. */
  | { readonly happening: "unpaired" }
  /** Somebody does not keep the rules. Alarm: it is time that a person looks. */
  | { readonly happening: "suspect"; readonly why: Suspicion; readonly alarm: boolean };

/** `unsent`: it has surely not left. `unknown`: it may have been carried out. `refused`: by a NAK. */
export type Result =
  | { readonly result: "done" | "unknown" | "unsent" }
  | { readonly result: "refused"; readonly error: number };

/**
 * `clear`: said without the channel. `wrong_key`: it has none of our keys. `default_key`: it asks for the key that everybody
 * knows. `key_refused`: it wants no channel with us. `foreign_panel`: somebody else gives commands on the line.
 * `wants_channel`: it is configured to be spoken to in clear, and does not want to be.
 */
export type Suspicion =
  | WrapFault
  | "clear"
  | "layout"
  | "wrong_key"
  | "default_key"
  | "key_refused"
  | "foreign_panel"
  | "wants_channel";
