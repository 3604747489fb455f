import { earliest, type Instant, later } from "../agent/domain/instant.ts";
import type { OutputOrder } from "../drivers/osdp/commands.ts";

/** An output went on or off. */
export interface Switched {
  readonly output: number;
  readonly on: boolean;
  readonly at: Instant;
}

interface Output {
  /** How it is when no timer runs. */
  lasting: boolean;
  timed: { readonly on: boolean; readonly until: Instant } | undefined;
}

/** The unit of a timer. */
const tenth = 100;

/** The relays of a reader (reference 2.1, OUT): each has a lasting state, and may be in another one for a time. Pure. */
export class Outputs {
  readonly #outputs: readonly Output[];
  #switched: Switched[] = [];

  constructor(count: number) {
    this.#outputs = Array.from({ length: count }, () => ({ lasting: false, timed: undefined }));
  }

  get on(): readonly boolean[] {
    return this.#outputs.map(isOn);
  }

  /** When the next timer ends. */
  get next(): Instant | undefined {
    return earliest(this.#outputs.map(({ timed }) => timed?.until));
  }

  /** Whether it is an output and a code that there is. A timed one without a time is none: no source says what it means. */
  admits({ output, code, timer }: OutputOrder): boolean {
    return output < this.#outputs.length && code <= 6 && (code < 5 || timer > 0);
  }

  /** Does what an order says that it {@link admits}. */
  set({ output: number, code, timer }: OutputOrder, now: Instant): void {
    const output = this.#outputs[number];
    if (!output) return;
    const before = isOn(output);
    switch (code) {
      case 1:
      case 2:
        output.lasting = code === 2;
        output.timed = undefined;
        break;
      case 3:
      case 4:
        output.lasting = code === 4;
        break;
      case 5:
      case 6:
        output.timed = { on: code === 5, until: later(now, timer * tenth) };
        break;
    }
    this.#note(number, before, now);
  }

  /** Off, all of them, and no timer runs: the power is gone. */
  drop(now: Instant): void {
    for (const output of this.#outputs.keys()) this.set({ output, code: 1, timer: 0 }, now);
  }

  /** Lets time run on; what has switched since the last call, in order. */
  tick(now: Instant): readonly Switched[] {
    for (const [number, output] of this.#outputs.entries()) {
      if (!output.timed || output.timed.until > now) continue;
      const before = isOn(output);
      const at = output.timed.until;
      output.timed = undefined;
      this.#note(number, before, at);
    }
    if (this.#switched.length === 0) return [];
    const switched = this.#switched.toSorted((one, other) => one.at - other.at);
    this.#switched = [];
    return switched;
  }

  #note(output: number, before: boolean, at: Instant): void {
    const on = this.on[output] ?? false;
    if (on !== before) this.#switched.push({ output, on, at });
  }
}

const isOn = ({ lasting, timed }: Output): boolean => timed?.on ?? lasting;
