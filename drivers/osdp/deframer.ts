import { decodeFrame, type Frame, type FrameFault, longestFrame, mark, shortestFrame, som } from "./frame.ts";
import { read16 } from "./little-endian.ts";

export interface Received {
  readonly frame: Frame;
  /** Its bytes, SOM to check: what a MAC is proven on. */
  readonly bytes: Uint8Array;
}

/** What was wrong on the line since the start. A damaged frame counts once, whatever seems to begin inside it. */
export type LineCounts = { readonly [Fault in FrameFault | "cut"]: number } & {
  readonly frames: number;
  /** Bytes that belonged to no frame, but for marks. */
  readonly noise: number;
};

/**
 * Finds the frames in what comes from the line, in pieces of whatever size. What cannot be a frame is given up byte by byte,
 * so that a good frame which begins inside a damaged one is found. Holds less than one longest frame.
 */
export class Deframer {
  #held: Uint8Array = new Uint8Array();
  /** So many of the bytes held belong to a frame that was counted as damaged. */
  #suspect = 0;
  readonly #counts = { frames: 0, noise: 0, length: 0, check: 0, layout: 0, cut: 0 };

  get counts(): LineCounts {
    return { ...this.#counts };
  }

  /** How many bytes wait for the rest of their frame: while it is not 0, a frame is under way. */
  get waiting(): number {
    return this.#held.length;
  }

  push(chunk: Uint8Array): readonly Received[] {
    const bytes = new Uint8Array(this.#held.length + chunk.length);
    bytes.set(this.#held);
    bytes.set(chunk, this.#held.length);
    return this.#take(bytes, false);
  }

  /** The line was silent for longer than a frame may pause: what was to be completed never will be. */
  gap(): readonly Received[] {
    return this.#take(this.#held, true);
  }

  #take(bytes: Uint8Array, isLast: boolean): readonly Received[] {
    const found: Received[] = [];
    let at = 0;
    while (at < bytes.length) {
      const left = bytes.length - at;
      const length = bytes[at] === som ? lengthAt(bytes, at) : 0;
      if (!isLast && length > left) break;
      const received = length > 0 ? this.#frame(bytes, at, length) : undefined;
      if (received) found.push(received);
      else if (bytes[at] !== mark) this.#counts.noise += 1;
      const used = received ? length : 1;
      this.#suspect = Math.max(this.#suspect - used, 0);
      at += used;
    }
    this.#held = bytes.slice(at);
    return found;
  }

  #frame(all: Uint8Array, at: number, length: number): Received | undefined {
    const bytes = all.slice(at, at + length);
    const frame = bytes.length < length ? "cut" : decodeFrame(bytes);
    if (typeof frame === "string") {
      if (this.#suspect === 0) {
        this.#counts[frame] += 1;
        this.#suspect = bytes.length;
      }
      return undefined;
    }
    this.#counts.frames += 1;
    return { frame, bytes };
  }
}

/**
 * How long the frame is that seems to begin there, by its own word. Where that has not come: longer than what is there. One
 * that no frame can have is as good as two bytes, which are no frame.
 */
function lengthAt(bytes: Uint8Array, at: number): number {
  if (bytes.length - at < 4) return longestFrame;
  const length = read16(bytes, at + 2);
  return length < shortestFrame || length > longestFrame ? 2 : length;
}
