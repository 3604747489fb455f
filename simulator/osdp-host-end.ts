import { type Instant, instant, type Milliseconds } from "../agent/domain/instant.ts";
import type { Station } from "./osdp-line.ts";

export interface HostEndOptions {
  readonly baud: number;
  /** What comes is handed over so often, as an adapter on USB does it; 0: as it comes. */
  readonly lumps?: Milliseconds;
  /** The adapter hears what it says itself. */
  readonly echoes?: boolean;
  readonly deliver: (bytes: Uint8Array, at: Instant) => void;
}

/** The end of a line at which the panel's machine is: an adapter with its habits (reference 1.5). */
export class HostEnd implements Station {
  readonly baud: number;
  readonly echoes: boolean;
  readonly #lumps: Milliseconds;
  readonly #deliver: HostEndOptions["deliver"];
  #held: number[] = [];
  #due: Instant | undefined;

  constructor({ baud, lumps = 0, echoes = false, deliver }: HostEndOptions) {
    this.baud = baud;
    this.echoes = echoes;
    this.#lumps = lumps;
    this.#deliver = deliver;
  }

  readonly hear = (bytes: Uint8Array, at: Instant): void => {
    if (this.#lumps === 0) return this.#deliver(bytes, at);
    this.#held.push(...bytes);
    this.#due ??= instant(Math.ceil(at / this.#lumps) * this.#lumps);
  };

  /** When it hands over what it holds. */
  get next(): Instant | undefined {
    return this.#due;
  }

  tick(now: Instant): void {
    if (this.#due === undefined || this.#due > now) return;
    const [bytes, at] = [Uint8Array.from(this.#held), this.#due];
    this.#held = [];
    this.#due = undefined;
    this.#deliver(bytes, at);
  }
}
