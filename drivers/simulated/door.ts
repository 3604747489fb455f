import type { Abilities } from "../../agent/domain/abilities.ts";
import type { Credential } from "../../agent/domain/credential.ts";
import type { Instant, Milliseconds } from "../../agent/domain/instant.ts";
import type { Secret } from "../../agent/domain/secret.ts";
import { type SlotName, slotName } from "../../agent/domain/slot.ts";
import { type FaultSetting, readFault, usual } from "../../simulator/fault.ts";
import type { LyingLock } from "../../simulator/lying-lock.ts";
import type { ActEffect, FaultChange, FaultsOn, Host, Inside, LinkEvent, LockDevice, PhysicalAct } from "../driver.ts";
import { untilAny } from "../shared/until-any.ts";
import { boltOf } from "./bolt.ts";
import { memoryOf } from "./memory.ts";
import { SimulatedReader } from "./reader.ts";
import { Wire } from "./wire.ts";

interface DoorParts {
  readonly address: string;
  readonly lock: LyingLock;
  readonly host: Pick<Host, "clock" | "log" | "report">;
  /** How long an answer may take before it is silence. */
  readonly timeout: Milliseconds;
  readonly hasBolt: boolean;
  /** It has no memory, and asks. */
  readonly isReader: boolean;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  /** Its memory has changed: on disk when it returns. */
  readonly keepMemory: () => void;
  /** What is wrong with it has changed: on disk when it returns. */
  readonly keepCondition: () => void;
}

/** A simulated lock in its door: what the agent talks to, and what people and misfortunes do to it. */
export class SimulatedDoor {
  readonly device: LockDevice;
  readonly #parts: DoorParts;
  /** Undefined where the lock has a memory of its own. */
  readonly #reader: SimulatedReader | undefined;
  #battery = new AbortController();

  constructor(parts: DoorParts) {
    const { lock, host, hasBolt, isReader } = parts;
    this.#parts = parts;
    const wire = new Wire({ ...parts, keep: parts.keepMemory });
    this.#reader = isReader ? new SimulatedReader(wire) : undefined;
    const abilities = (): Abilities => ({
      identity: lock.chip.serial,
      model: "simulated",
      ...(isReader ? { reader: true } : { memory: lock.limits }),
      ...(hasBolt ? { bolt: { locks: true } } : {}),
    });
    const moved = (to: "locked" | "unlocked"): void => {
      const event = { ...this.#here(), event: to, method: "remote" } as const;
      this.#tell(event).catch((error: unknown) => host.log.error({ lock: parts.address, error }, "cannot tell"));
    };
    this.device = {
      abilities: (signal) => wire.ask("meet", signal, abilities),
      ...(this.#reader ? { reader: this.#reader } : { memory: memoryOf(lock, wire, () => host.clock.now()) }),
      ...(hasBolt ? { bolt: boltOf(lock, wire, moved) } : {}),
    };
    this.#watchBattery();
  }

  async act(act: PhysicalAct): Promise<ActEffect> {
    switch (act.act) {
      case "type":
        return this.#type(act.digits);
      case "card":
        return this.#show({ kind: "card", format: act.format, bits: act.bits });
      case "program":
        return this.#program({ kind: "pin", digits: act.digits }, act.slot);
      case "delete":
        return this.#erase(act.slot);
      case "reset":
        this.#changing((lock) => lock.erase("all"));
        await this.#tell({ ...this.#here(), event: "reset" });
        return { effect: "done" };
      case "power":
        this.#changing((lock, now) => lock.losePower(now));
        await this.#tell({ ...this.#here(), event: "offline" });
        await this.#tell({ ...this.#here(), event: "online" });
        return { effect: "done" };
      case "battery":
        this.#parts.lock.charge(act.level, this.#now());
        this.#conditionChanged();
        await this.#tell({ ...this.#here(), event: "battery", level: act.level });
        return { effect: "done" };
    }
  }

  fault({ on, setting: given }: FaultChange): FaultsOn {
    const read = readFault(given);
    if ("problem" in read) return read;
    const problem = on ? this.#misfit(read.setting) : undefined;
    if (problem !== undefined) return { problem };
    const { lock } = this.#parts;
    if (on) lock.begin(read.setting, this.#now());
    else lock.end(read.setting.fault, this.#now());
    this.#conditionChanged();
    return { faults: this.#faults() };
  }

  look(): Inside {
    const { lock } = this.#parts;
    const now = this.#now();
    return {
      slots: Object.entries(lock.chip.entries).map(([slot, entry]) => ({
        slot: slotName(slot),
        kind: entry.kind,
        label: entry.label,
        when: entry.when ?? "always",
        disabled: entry.disabled ?? false,
        opens: lock.opens(slotName(slot), now),
      })),
      locked: lock.isLocked,
      battery: lock.battery(now),
      faults: this.#faults(),
    };
  }

  async #type(digits: Secret): Promise<ActEffect> {
    const reader = this.#reader;
    if (!reader) return this.#present({ kind: "pin", digits }, "keypad");
    return reader.ask(() => this.#tell({ ...this.#here(), event: "keys", digits }));
  }

  async #show(credential: Credential): Promise<ActEffect> {
    const reader = this.#reader;
    if (!reader) return this.#present(credential, "card");
    return reader.ask(() => this.#tell({ ...this.#here(), event: "presented", credential }));
  }

  async #present(credential: Credential, method: "keypad" | "card"): Promise<ActEffect> {
    const slot = this.#changing((lock, now) => lock.present(credential, now));
    if (slot === undefined) {
      await this.#tell({ ...this.#here(), event: "denied", reason: "unknown_code" });
      return { effect: "denied" };
    }
    await this.#tell({ ...this.#here(), event: "unlocked", method, slot });
    return { effect: "opened" };
  }

  async #program(credential: Credential, at: SlotName | undefined): Promise<ActEffect> {
    const reply = this.#changing((lock) => lock.program(credential, at));
    if (reply.says === "no") return { effect: "refused" };
    await this.#tell({ ...this.#here(), event: "changed", slot: reply.slot, by: "owner" });
    return { effect: "done" };
  }

  async #erase(slot: SlotName | "all"): Promise<ActEffect> {
    this.#changing((lock) => lock.erase(slot));
    const event =
      slot === "all" ? ({ event: "all_deleted" } as const) : ({ event: "changed", slot, by: "owner" } as const);
    await this.#tell({ ...this.#here(), ...event });
    return { effect: "done" };
  }

  /** Kept before it is told: who hears of it may pull the plug. */
  #changing<T>(act: (lock: LyingLock, now: Instant) => T): T {
    const { lock, keepMemory } = this.#parts;
    const before = lock.chip;
    const result = act(lock, this.#now());
    if (lock.chip !== before) keepMemory();
    return result;
  }

  async #tell(event: LinkEvent): Promise<void> {
    if (this.#parts.lock.tells(event.at)) await this.#parts.host.report(event);
  }

  #faults(): readonly FaultSetting[] {
    return this.#parts.lock.condition(this.#now()).faults.map(({ setting }) => setting);
  }

  /** A lock that may be late has to say so: else silence means that a write will not be carried out. */
  #misfit({ fault, ms = usual.lateMs }: FaultSetting): string | undefined {
    if (fault !== "executes_late") return undefined;
    const { settles } = this.#parts.lock.limits;
    const [, latest = 0] = ms;
    if (settles !== undefined && latest <= settles) return undefined;
    return `a lock that carries out writes up to ${latest} ms late has to say so: set settles_seconds of its link`;
  }

  #conditionChanged(): void {
    this.#parts.keepCondition();
    this.#watchBattery();
  }

  #watchBattery(): void {
    this.#battery.abort();
    this.#battery = new AbortController();
    const ends = [this.#parts.closing, this.#battery.signal];
    // It ends when it is told to, in the middle of its sleep.
    untilAny(ends, (until) => this.#reportBattery(until)).catch((error: unknown) => {
      if (ends.some(({ aborted }) => aborted)) return;
      this.#parts.host.log.error({ lock: this.#parts.address, error }, "a simulated lock failed");
    });
  }

  async #reportBattery(signal: AbortSignal): Promise<void> {
    const { lock, host } = this.#parts;
    for (let next = lock.nextBatteryReport(this.#now()); next; next = lock.nextBatteryReport(this.#now())) {
      await host.clock.sleep(Math.max(next.at - this.#now(), 1), signal);
      if (this.#now() >= next.at) await this.#tell({ ...this.#here(), event: "battery", level: next.level });
    }
  }

  #here(): { readonly at: Instant; readonly address: string } {
    return { at: this.#now(), address: this.#parts.address };
  }

  #now(): Instant {
    return this.#parts.host.clock.now();
  }
}
