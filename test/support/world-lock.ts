import type { MemoryLimits } from "../../agent/domain/abilities.ts";
import { secretOf } from "../../agent/domain/credential.ts";
import type { Instant, Milliseconds } from "../../agent/domain/instant.ts";
import type { WindowAbility } from "../../agent/domain/lock-window.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotContents, type SlotName, slotName } from "../../agent/domain/slot.ts";
import { LinkError, type LinkEvent, type LockDevice, type WriteOutcome } from "../../drivers/driver.ts";
import { blankChip, type LockModel, SimulatedLock } from "../../simulator/lock.ts";
import { reasonOf, type VirtualClock } from "./virtual-clock.ts";

export interface LockSpec {
  readonly memory: "numbered" | "assigned" | "keyed";
  readonly readBack: "full" | "masked";
  readonly slots: number;
  readonly settles?: Milliseconds | undefined;
  /** It keeps windows by itself, of any kind and in its own time. */
  readonly keepsWindows?: boolean;
  readonly suspends?: boolean;
}
const anyWindow: WindowAbility = {
  dates: 1,
  weekly: { perEntry: 50, of: "windows", resolution: 1 },
  together: true,
  base: "local",
};

/** One run of the agent: when it is killed, nothing that it waits for comes back. */
export interface Process {
  dead: boolean;
}

/** What can go wrong between the agent and a lock, and at the lock. */
export const faults = [
  "not_sent",
  "silent",
  "lost_reply",
  "unconfirmed",
  "refused",
  "lie",
  "late",
  "unreadable",
  "spoiled",
] as const;
export type Fault = (typeof faults)[number];

/** A write to a slot whose last command went unanswered, and that was not read since. */
export const blindRewrite = "blind_rewrite";
type Way = "write" | "clear" | "switch";
export const owner = "owner";
/** For whoever has to find out why a world failed. @param details are written out when somebody looks. */
export type Note = (what: string, details?: object) => void;
/** Each time another one: it would remember all who wait for it. */
export const never = (): Promise<never> => new Promise(() => undefined);

/** A simulated lock at the end of a bad wire. It outlives every agent, and knows what no agent can. */
export class WorldLock {
  readonly spec: LockSpec;
  readonly name: string;
  /** Undefined while it is at no door. */
  address: string | undefined;
  /** What it has said that it is, the last one now. */
  readonly identities: string[];
  /** Codes of ours that the owner took away, and that nobody has told us of yet. */
  untold = 0;
  /** It has not said who it is since it came to where it is. */
  isStranger = true;
  /** How likely each call to it goes wrong. */
  trouble = 0;
  /** Rounds of the agent since something was changed by others than the agent. */
  #rounds = 0;
  /** The last of these in which the agent has changed its memory. */
  #settled = 0;
  /** What the agent did that it must never do. */
  readonly sins: string[] = [];
  /** Codes that the lock has refused without a reason that could pass: whose, which, and why. */
  readonly refused = new Set<string>();
  /** Codes of ours that the owner has taken out or suspended: whose, and which. */
  readonly byHand = new Set<string>();
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #note: Note;
  readonly #count: (fault: string) => void;
  readonly #report: (event: LinkEvent) => void;
  #lock: SimulatedLock;
  /** Writes that are still to be executed. */
  #late: { label: string }[] = [];
  /** Slots that are to be read before it is written to, as it took another's place. */
  readonly #unread = new Set<SlotName>();
  #readFor: string | undefined;
  /** The device that it is for, where it is. */
  door: () => string | undefined = () => undefined;
  /** Commands that nobody has had an answer to, and that nobody has read back since. */
  readonly #doubts = new Set<string>();
  /** When the agent was last told what is in a slot. */
  readonly #told = new Map<SlotName, Instant>();
  readonly #limits: MemoryLimits;
  readonly #ownerSince = new Map<SlotName, Instant>();
  /** Codes that were last written with a window: whose, and which. */
  readonly #windowed = new Set<string>();

  constructor(
    name: string,
    spec: LockSpec,
    clock: VirtualClock,
    random: () => number,
    count: (fault: string) => void,
    report: (event: LinkEvent) => void,
    note: Note,
  ) {
    this.#note = note;
    this.name = name;
    this.identities = [name];
    this.spec = spec;
    this.#clock = clock;
    this.#random = random;
    this.#count = count;
    this.#report = report;
    this.#lock = new SimulatedLock(this.#model, blankChip(name));
    const { settles } = spec;
    this.#limits = { ...this.#lock.limits, ...(settles === undefined ? {} : { settles }) };
  }

  get #model(): LockModel {
    const { keepsWindows, suspends = false, memory, readBack, slots } = this.spec;
    const windows = keepsWindows ? anyWindow : "none";
    const pins = { kinds: ["pin"], lengths: [4, 5, 6, 7, 8], rules: [] } as const;
    return { memory, readBack, slots, windows, suspends, ...pins };
  }

  /** What it would open for now. */
  opening(): readonly { label: string; value: string }[] {
    return this.held().filter(({ slot, value }) => {
      const credential = { kind: "pin", digits: new Secret(value) } as const;
      return this.#lock.present(credential, this.#clock.now()) === slot;
    });
  }

  /** What is in its memory, or is still on its way into it: slot, whose, and which code. */
  held(): readonly { slot: SlotName; label: string; value: string }[] {
    return Object.entries(this.#lock.chip.entries).map(([slot, { label, value }]) => ({
      slot: slotName(slot),
      label,
      value,
    }));
  }

  get identity(): string {
    return this.identities.at(-1) ?? this.name;
  }

  /** The same lock with the same memory, known to its network by another name from now on. */
  rejoin(): void {
    this.identities.push(`${this.name}~${this.identities.length}`);
    // What the network still had for it under the old name is lost, and nobody is in doubt about a lock of the new one.
    this.#late = [];
    this.#doubts.clear();
  }

  /** The agent has said that it took another's place. */
  toBeRead(): void {
    this.#readFor = this.door();
    if (this.spec.memory !== "numbered") return void this.#unread.add(slotName("any"));
    for (let slot = 1; slot <= this.spec.slots; slot++) this.#unread.add(slotName(String(slot)));
  }

  /** Whose code, and which, may still be written. */
  get arriving(): readonly string[] {
    return this.#late.map(({ label }) => label);
  }

  /** A round of the agent begins. */
  begun(): void {
    this.#rounds += 1;
  }

  /** What it holds, or is to hold, changes. After how many rounds it held what it did until now. */
  disturbed(): number {
    const settled = this.#settled;
    this.#rounds = 0;
    this.#settled = 0;
    return settled;
  }

  device(agent: Process): LockDevice {
    const { memory, suspends } = this.spec;
    return {
      abilities: (signal) =>
        this.#ask(agent, signal, () => {
          this.isStranger = false;
          return { identity: this.identity, model: "simulated", memory: this.#limits };
        }),
      memory: {
        write: (entry, at, signal) => {
          const whose = `${entry.label}/${secretOf(entry.credential).reveal()}`;
          const name = at ?? whose;
          const act = (): WriteOutcome => this.#lock.write(entry, at);
          if (entry.when === "always") this.#windowed.delete(whose);
          else this.#windowed.add(whose);
          return this.#command(agent, "write", name, whose, act, signal);
        },
        clear: (slot, signal) => this.#command(agent, "clear", slot, "", () => this.#lock.clear(slot), signal),
        ...(suspends
          ? {
              enable: (slot, entry, on, signal) => {
                const whose = `${entry.label}/${secretOf(entry.credential).reveal()}`;
                return this.#command(agent, "switch", slot, whose, () => this.#lock.enable(slot, on), signal);
              },
            }
          : {}),
        read: (slot, signal) => this.#ask(agent, signal, () => this.#read(slot)),
        ...(memory === "numbered" ? {} : { list: (signal: AbortSignal) => this.#list(agent, signal) }),
      },
    };
  }

  // Acts of the owner, at the lock.

  ownerWrites(code: string, over: "empty" | "any"): SlotName | undefined {
    const slot = this.#slotForOwner(over);
    if (slot !== undefined) this.#takenOut(slot);
    const outcome = this.#lock.write(
      { credential: { kind: "pin", digits: new Secret(code) }, when: "always", label: owner },
      slot,
    );
    this.#note(`${this.name} owner writes ${code}`, outcome);
    if (outcome.result !== "stored") return undefined;
    this.#ownerSince.set(outcome.slot, this.#clock.now());
    return outcome.slot;
  }

  clears(slot: SlotName): void {
    this.#note(`${this.name} owner clears ${slot}`);
    this.#takenOut(slot);
    this.#lock.clear(slot);
    this.#ownerSince.delete(slot);
  }

  /** Suspends a code of ours. */
  suspends(slot: SlotName): void {
    this.#note(`${this.name} owner suspends ${slot}`);
    this.#takenOut(slot);
    this.#lock.enable(slot, false);
  }

  /** A code of ours loses its window: it would open at any time from now on. */
  loosens(slot: SlotName): void {
    this.#note(`${this.name} owner loosens ${slot}`);
    const { chip } = this.#lock;
    const { [slot]: entry, ...entries } = chip.entries;
    if (!entry) return;
    const { when: _, ...rest } = entry;
    this.#lock = new SimulatedLock(this.#model, { ...chip, entries: { ...entries, [slot]: rest } });
  }

  #takenOut(slot: SlotName): void {
    const entry = this.#lock.chip.entries[slot];
    if (entry) this.byHand.add(`${entry.label}/${entry.value}`);
  }

  wipe(): void {
    for (const { slot } of this.held()) this.#takenOut(slot);
    this.#lock = new SimulatedLock(this.#model, { ...this.#lock.chip, entries: {} });
    this.#ownerSince.clear();
  }

  changed(slot: SlotName): void {
    this.disturbed();
    this.#note(`${this.name} changed ${slot}`);
    this.tell({ event: "changed", slot });
  }

  tell(
    event: { readonly event: "online" | "all_deleted" } | { readonly event: "changed"; readonly slot: SlotName },
  ): void {
    if (this.address !== undefined) this.#report({ at: this.#clock.now(), address: this.address, ...event });
  }

  #slotForOwner(over: "empty" | "any"): SlotName | undefined {
    if (this.spec.memory !== "numbered") return undefined;
    const slots = Array.from({ length: this.spec.slots }, (_, index) => slotName(String(index + 1)));
    const { entries } = this.#lock.chip;
    const free = slots.toReversed().filter((slot) => over === "any" || !(slot in entries));
    return free[Math.floor(this.#random() * free.length)] ?? slotName("0");
  }

  // The wire.

  #draw(of: readonly Fault[]): Fault | undefined {
    if (this.#random() >= this.trouble) return undefined;
    const fault = of[Math.floor(this.#random() * of.length)];
    if (fault) this.#count(fault);
    return fault;
  }

  /** What is only asked changes nothing. */
  async #ask<T extends object>(agent: Process, signal: AbortSignal, answer: () => T): Promise<T> {
    const fault = this.#draw(["not_sent", "silent"]);
    const { address } = this;
    if (fault === "not_sent") throw new LinkError("no line", { sent: false });
    this.#note(`${this.name} asked`);
    await orAborted(this.#clock.sleep(this.#latency()), signal);
    if (agent.dead) return never();
    if (fault === "silent" || this.address !== address) return orAborted(this.#silence(agent), signal);
    return answer();
  }

  #read(slot: SlotName): SlotContents {
    this.#unread.delete(slot);
    if (this.#draw(["unreadable"]) === "unreadable") return { state: "unreadable" };
    this.#tell(slot);
    const contents = this.#lock.read(slot);
    this.#note(`${this.name} read ${slot}: ${contents.state} ${this.#lock.chip.entries[slot]?.label ?? ""}`);
    return contents;
  }

  async *#list(agent: Process, signal: AbortSignal): AsyncGenerator<{ slot: SlotName; contents: SlotContents }> {
    const { found } = await this.#ask(agent, signal, () => ({ found: this.#lock.list() }));
    this.#note(`${this.name} list: ${found.map(({ slot }) => slot).join()}`);
    this.#doubts.clear();
    this.#unread.clear();
    for (const { slot } of found) this.#tell(slot);
    yield* found;
  }

  #tell(slot: SlotName): void {
    this.#doubts.delete(slot);
    this.#told.set(slot, this.#clock.now());
  }

  async #command(
    agent: Process,
    way: Way,
    name: string,
    label: string,
    act: () => WriteOutcome,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const slot = slotName(name);
    const fault = this.#draw(this.#faultsOf(way, label));
    this.#note(`${this.name} ${way} ${name} ${label} ${fault ?? ""}`);
    if (fault === "not_sent") throw new LinkError("no line", { sent: false });
    if (way === "write" && this.#unread.size > 0 && this.door() === this.#readFor)
      this.sins.push(`a write before ${this.name} was read as a whole`);
    if (way === "write" && this.#doubts.has(name)) {
      this.#count(blindRewrite);
      this.sins.push(`blind write to ${name}`);
    }
    this.#doubts.add(name);
    const outcome = await orAborted(this.#carryOut(agent, fault, slot, way, label, act), signal);
    if (outcome.result !== "unconfirmed" || outcome.slot !== undefined) this.#doubts.delete(name);
    if (outcome.result === "unconfirmed" && outcome.slot !== undefined) this.#doubts.add(outcome.slot);
    if (outcome.result === "stored") this.#tell(outcome.slot);
    if (outcome.result === "refused" && fault === "refused") this.refused.add(`${label} ${outcome.reason}`);
    return outcome;
  }

  #faultsOf(way: Way, label: string): readonly Fault[] {
    const common = ["not_sent", "silent", "lost_reply", "unconfirmed", "refused"] as const;
    if (way === "clear") return common;
    if (way === "write" && this.#windowed.has(label)) return [...common, "spoiled", "spoiled"];
    // Late ones most of all: only some locks have them, and a run in which none comes proves nothing.
    const late = Array.from({ length: 6 }, () => "late" as const);
    return this.spec.settles === undefined ? [...common, "lie"] : [...common, "lie", ...late];
  }

  async #carryOut(
    agent: Process,
    fault: Fault | undefined,
    slot: SlotName,
    way: Way,
    label: string,
    act: () => WriteOutcome,
  ): Promise<WriteOutcome> {
    const { address } = this;
    await this.#clock.sleep(this.#latency());
    if (this.address !== address) return this.#silence(agent);
    if (agent.dead) {
      // It was on the wire when the agent died: it arrives, or it does not.
      const arrives = this.#random() < 0.5;
      this.#count(arrives ? "killed_after_sending" : "killed_before_sending");
      if (arrives) this.#executed(slot, way, act);
      return never();
    }
    return this.#answer(agent, fault, slot, way, label, act);
  }

  async #answer(
    agent: Process,
    fault: Fault | undefined,
    slot: SlotName,
    way: Way,
    label: string,
    act: () => WriteOutcome,
  ): Promise<WriteOutcome> {
    switch (fault) {
      case "silent":
        return this.#silence(agent);
      case "lost_reply":
        this.#executed(slot, way, act);
        return this.#silence(agent, "killed_after_storing");
      case "unconfirmed":
        if (this.#random() < 0.5) this.#executed(slot, way, act);
        return { result: "unconfirmed" };
      case "refused": {
        const reasons = ["duplicate", "invalid", "forbidden"] as const;
        return { result: "refused", reason: reasons[Math.floor(this.#random() * 3)] ?? "forbidden" };
      }
      case "lie":
        void this.#clock.sleep(this.#latency() + 5_000).then(() => this.changed(slot));
        return { result: "stored", slot, proof: "acknowledged" };
      case "late":
        this.#executeLater(slot, label, act);
        return this.#random() < 0.5 ? { result: "unconfirmed" } : this.#silence(agent);
      case "spoiled": {
        const outcome = this.#executed(slot, way, act);
        if (outcome.result !== "stored") return outcome;
        this.loosens(outcome.slot);
        return { result: "unconfirmed", slot: outcome.slot };
      }
      case "not_sent":
      case "unreadable":
      case undefined:
        return this.#executed(slot, way, act);
    }
  }

  /** Who is killed meanwhile does not even hear that. */
  async #silence(agent: Process, ifKilled?: string): Promise<never> {
    await this.#clock.sleep(this.#patience());
    if (!agent.dead) throw new LinkError("no answer");
    if (ifKilled !== undefined) this.#count(ifKilled);
    return never();
  }

  #executed(slot: SlotName, way: string, act: () => WriteOutcome): WriteOutcome {
    const since = this.#ownerSince.get(slot);
    const told = this.#told.get(slot);
    if (since !== undefined && (told === undefined || told > since)) this.sins.push(`${way} of the owner's ${slot}`);
    const outcome = act();
    this.#settled = this.#rounds;
    this.#note(`${this.name} executed ${way} ${slot}:`, outcome);
    if (since !== undefined && outcome.result === "stored") this.#ownerSince.delete(slot);
    return outcome;
  }

  #executeLater(slot: SlotName, label: string, act: () => WriteOutcome): void {
    const write = { label };
    this.#late.push(write);
    const arrive = async (): Promise<void> => {
      await this.#clock.sleep(this.#random() * (this.spec.settles ?? 0) * 0.9);
      if (!this.#late.includes(write)) return;
      this.#note(`${this.name} executed late write ${slot}:`, act());
      this.disturbed();
      this.#ownerSince.delete(slot);
      this.#late = this.#late.filter((other) => other !== write);
    };
    void arrive();
  }

  #latency(): Milliseconds {
    return 20 + Math.floor(this.#random() * 800);
  }

  /** How long the driver waits for an answer: at times for longer than the agent does. */
  #patience(): Milliseconds {
    return this.#random() < 0.8 ? 3_000 : 90_000;
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(reasonOf(signal));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
