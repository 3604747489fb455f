import type { Frame } from "../drivers/osdp/frame.ts";

interface Turn {
  readonly sequence: number;
  readonly code: number;
  readonly command: Uint8Array;
  readonly said: Uint8Array;
}

/** `next`: a command that is to be answered. `lost`: neither the next one nor the last one again. */
export type Place = "next" | "lost" | { readonly again: Uint8Array };

/**
 * Where a reader and its panel are in their conversation (reference 1.4): the number of a command says whether it is the
 * next one, which makes what was said to the last one heard, or that one again.
 */
export class OsdpTurns {
  #last: Turn | undefined;

  /** The beginning: nothing was said yet. */
  restart(): void {
    this.#last = undefined;
  }

  /** @param byCode a repeat is told by number and code, whatever else it says. */
  place({ sequence, code }: Frame, command: Uint8Array, byCode: boolean): Place {
    if (sequence === 0) return "next";
    if (!this.#last) return "lost";
    if (sequence === (this.#last.sequence % 3) + 1) return "next";
    const isSame = byCode ? code === this.#last.code : Buffer.compare(command, this.#last.command) === 0;
    return sequence === this.#last.sequence && isSame ? { again: this.#last.said } : "lost";
  }

  /** It was answered. */
  answered({ sequence, code }: Frame, command: Uint8Array, said: Uint8Array): void {
    this.#last = { sequence, code, command, said };
  }
}
