import type { Command } from "./commands.ts";

/** Who can read what is said: everybody, as with the key that all readers know; or who has the reader's own key. */
export type Protection = "clear" | "default_key" | "own_key";

/** A command that was sent and not answered yet. */
export interface Pending {
  readonly command: Command;
  readonly code: number;
  readonly sequence: number;
  /** Without the mark. A repeat is the same bytes: a reader then says again what it said, and does nothing twice. */
  readonly bytes: Uint8Array;
  /** The whole MAC of the frame, in the channel. */
  readonly mac?: Uint8Array;
  readonly protection: Protection;
}
