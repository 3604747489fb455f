import { inspect } from "node:util";
import { afterEach, beforeEach } from "vitest";
import type { Instant } from "../../agent/domain/instant.ts";
import type { When, WindowAbility } from "../../agent/domain/lock-window.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotName, slotName } from "../../agent/domain/slot.ts";
import { type Entry, type Link, LinkError, type Memory, type WriteOutcome } from "../../drivers/driver.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";

/** What a wire's far end can be made to do. `mode` is of the lock; `leave` and `comeBack` of what stands before it. */
export interface Peer {
  mode(mode: "ok" | "reject" | "lie" | "mask" | "dead" | "storenoreply"): Promise<void>;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

/** One driver with one empty lock at the far end. */
export interface Bench {
  readonly address: string;
  open(host: RecordingHost): Promise<Link>;
  /** Whether the door opens for a PIN, now or at another moment by its own clock: the truth, past the driver. */
  opens(pin: string, link: Link, at?: Instant): Promise<boolean>;
  readonly peer?: Peer;
  /** How many ends of its wire this process has open. Absent: TCP sockets are counted. */
  wires?(): number;
  close(): Promise<void>;
}

/** What the lock at the bench is able to do: its answers are held against this. */
export interface Able {
  readonly memory: "numbered" | "assigned" | "keyed";
  readonly readBack: "full" | "masked" | "occupancy" | "none";
  /** Its wire has a {@link Peer}, who can be silent. */
  readonly wire: boolean;
  /** It can say which slots are taken, all at once. */
  readonly lists: boolean;
  /** What it keeps of a window by itself. Absent: nothing. */
  readonly windows?: WindowAbility;
  /** It can suspend a code without deleting it. */
  readonly suspends?: boolean;
  /** By how much the driver's time goes faster than ours. */
  readonly pace?: number;
}

export const never = (): AbortSignal => new AbortController().signal;
export const entry = (digits: string, when: When = "always"): Entry => ({
  credential: { kind: "pin", digits: new Secret(digits) },
  when,
  label: "test",
});

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown> | undefined): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was not rejected");
}

/** A bench with the link to it open. After each test it looks for the test's PINs in all that the driver said. */
export class Stand {
  readonly bench: Bench;
  readonly host: RecordingHost;
  readonly #able: Able;
  readonly #pins: string[] = [];
  readonly #errors: unknown[] = [];
  #link: Link;

  private constructor(able: Able, bench: Bench, host: RecordingHost, link: Link) {
    this.#able = able;
    this.bench = bench;
    this.host = host;
    this.#link = link;
  }

  /** For the tests of one describe. */
  static forEach(able: Able, setup: () => Promise<Bench>): () => Stand {
    let stand: Stand | undefined;
    beforeEach(async () => {
      const bench = await setup();
      const host = new RecordingHost(hurriedClock(able.pace ?? 1));
      stand = new Stand(able, bench, host, await bench.open(host));
    });
    afterEach(async () => {
      await stand?.close();
    });
    return () => {
      if (!stand) throw new Error("only within a test");
      return stand;
    };
  }

  get link(): Link {
    return this.#link;
  }

  get memory(): Memory {
    const { memory } = this.#link.lock(this.bench.address);
    if (!memory) throw new Error("this part of the suite is for locks with a memory");
    return memory;
  }

  get peer(): Peer {
    if (!this.bench.peer) throw new Error("a bench with a wire has a peer");
    return this.bench.peer;
  }

  /** A PIN of 8 digits, found wherever it leaks. */
  pin(): string {
    const digits = String(91_000_001 + this.#pins.length * 357_913);
    this.#pins.push(digits);
    return digits;
  }

  async reopen(): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
    this.#link = await this.bench.open(this.host);
  }

  async write(digits: string, index: number, signal = never(), when: When = "always"): Promise<WriteOutcome> {
    const slot = this.#able.memory === "numbered" ? slotName(String(index)) : undefined;
    return this.memory.write(entry(digits, when), slot, signal);
  }

  /** Writes, and insists. */
  async stored(digits: string, index: number, when: When = "always"): Promise<SlotName> {
    const outcome = await this.write(digits, index, never(), when);
    if (outcome.result !== "stored") throw new Error(`not stored: ${JSON.stringify(outcome)}`);
    return outcome.slot;
  }

  /** What work ended with: an outcome, or the error of silence. */
  async tried(work: Promise<WriteOutcome>): Promise<WriteOutcome | LinkError> {
    try {
      return await work;
    } catch (error) {
      this.#errors.push(error);
      if (error instanceof LinkError) return error;
      throw error;
    }
  }

  async opens(digits: string, at?: Instant): Promise<boolean> {
    return this.bench.opens(digits, this.#link, at);
  }

  async close(): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
    await this.bench.close();
    this.host[Symbol.dispose]();
    const errors = this.#errors.map((error) => inspect(error, { depth: 10, showHidden: true }));
    const said = [...this.host.said, ...errors].join("\n");
    if (this.#pins.some((digits) => said.includes(digits)))
      throw new Error("the driver let a PIN out into what it said");
  }
}
