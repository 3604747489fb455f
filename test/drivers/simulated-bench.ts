import type { When } from "../../agent/domain/lock-window.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotContents, type SlotName, slotName } from "../../agent/domain/slot.ts";
import {
  type ActEffect,
  type Inside,
  type Link,
  LinkError,
  type Memory,
  type PhysicalAct,
  type WriteOutcome,
} from "../../drivers/driver.ts";
import simulated from "../../drivers/simulated/index.ts";
import type { FaultSetting } from "../../simulator/fault.ts";
import { RecordingHost } from "../support/host.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { never } from "./bench.ts";

export const memories = ["numbered", "assigned", "keyed"] as const;
export const readBacks = ["full", "masked", "occupancy", "none"] as const;

/** What a call ended with: an answer, or the error of silence. */
export type Ended = WriteOutcome | SlotContents | LinkError;

/** Beyond every time that a simulated lock takes. */
const patience = 120_000;

/** A simulated lock behind its driver, with a time of its own, and somebody who lets it go wrong. */
export class LyingBench implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly host = new RecordingHost(this.clock);
  readonly #options: Readonly<Record<string, unknown>>;
  #link: Link | undefined;

  private constructor(options: Readonly<Record<string, unknown>>) {
    this.#options = options;
  }

  static async open(options: Readonly<Record<string, unknown>> = {}): Promise<LyingBench> {
    const bench = new LyingBench(options);
    await bench.reopen();
    return bench;
  }

  async reopen(): Promise<void> {
    await this.#link?.[Symbol.asyncDispose]();
    this.#link = await simulated.open(simulated.options.parse(this.#options), this.host);
  }

  get link(): Link {
    if (!this.#link) throw new Error("the bench is not open");
    return this.#link;
  }

  get memory(): Memory {
    const { memory } = this.link.lock("front");
    if (!memory) throw new Error("a simulated lock has a memory");
    return memory;
  }

  async begin(setting: FaultSetting): Promise<void> {
    const { fault, ...rest } = setting;
    const told = await this.link.fault?.("front", { on: true, setting: { fault, ...rest } });
    if (!told || "problem" in told) throw new Error(`the fault was not begun: ${JSON.stringify(told)}`);
  }

  async end(fault: FaultSetting["fault"]): Promise<void> {
    await this.link.fault?.("front", { on: false, setting: { fault } });
  }

  /** Of numbered slots the one of this number. */
  async write(digits: string, number = 1, when: When = "always"): Promise<Ended> {
    const at = (this.#options["memory"] ?? "numbered") === "numbered" ? slotName(String(number)) : undefined;
    return this.ended(this.memory.write(entryOf(digits, when), at, never()));
  }

  /** Writes, and insists. */
  async stored(digits: string, number = 1, when: When = "always"): Promise<SlotName> {
    const outcome = await this.write(digits, number, when);
    if (outcome instanceof LinkError || !("result" in outcome) || outcome.result !== "stored")
      throw new Error(`not stored: ${JSON.stringify(outcome)}`);
    return outcome.slot;
  }

  async clear(slot: SlotName): Promise<Ended> {
    return this.ended(this.memory.clear(slot, never()));
  }

  async enable(slot: SlotName, digits: string, on: boolean): Promise<Ended> {
    if (!this.memory.enable) throw new Error("this lock cannot suspend");
    return this.ended(this.memory.enable(slot, entryOf(digits), on, never()));
  }

  /** Undefined where the lock cannot be asked. */
  async read(slot: SlotName): Promise<Ended | undefined> {
    return this.memory.read && this.ended(this.memory.read(slot, never()));
  }

  /** What somebody at the lock does, and sees. */
  async act(act: PhysicalAct): Promise<ActEffect["effect"] | undefined> {
    return (await this.link.act?.("front", act))?.effect;
  }

  async opens(digits: string): Promise<boolean> {
    return (await this.#look()).slots.some(({ label, opens }) => label === digits && opens);
  }

  /** Whose codes it really holds. */
  async holds(): Promise<readonly string[]> {
    return (await this.#look()).slots.map(({ label }) => label);
  }

  /** Lets time pass until it has ended. */
  async ended<T extends WriteOutcome | SlotContents>(work: Promise<T>): Promise<T | LinkError> {
    const ends: (T | LinkError)[] = [];
    const settled = work.then(
      (value) => ends.push(value),
      (error: unknown) => {
        if (!(error instanceof LinkError)) throw error;
        ends.push(error);
      },
    );
    for (let passed = 0; ends.length === 0; passed += 50) {
      if (passed > patience) throw new Error("it never ended");
      await this.clock.run(50);
    }
    await settled;
    const [end] = ends;
    if (end === undefined) throw new Error("it ended with nothing");
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link?.[Symbol.asyncDispose]();
    this.host[Symbol.dispose]();
  }

  async #look(): Promise<Inside> {
    const inside = await this.link.look?.("front");
    if (!inside) throw new Error("a simulated lock can be looked into");
    return inside;
  }
}

const entryOf = (digits: string, when: When = "always") =>
  ({ credential: { kind: "pin", digits: new Secret(digits) }, when, label: digits }) as const;
