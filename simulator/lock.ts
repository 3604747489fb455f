import { createHash } from "node:crypto";
import { z } from "zod";
import type { KindLimits, MemoryLimits, Slots } from "../agent/domain/abilities.ts";
import {
  type Credential,
  type CredentialKind,
  credentialKinds,
  sameCredential,
  secretOf,
} from "../agent/domain/credential.ts";
import { type Instant, instant, type Milliseconds } from "../agent/domain/instant.ts";
import { canKeep, type TimedWindow, type When } from "../agent/domain/lock-window.ts";
import { misfit } from "../agent/domain/pin.ts";
import type { PinRule } from "../agent/domain/pin-rule.ts";
import { isOpen } from "../agent/domain/schedule.ts";
import { Secret } from "../agent/domain/secret.ts";
import { type Proof, type SlotContents, type SlotName, slotName } from "../agent/domain/slot.ts";
import { TimeZone } from "../agent/domain/time-zone.ts";
import { weekdays } from "../agent/domain/weekly.ts";
import type { Entry, WriteOutcome } from "../drivers/driver.ts";

/** How a simulated lock is built. */
export interface LockModel {
  /**
   * `numbered`: the writer chooses the slot. `assigned`: the lock does. `keyed`: the credential is the slot. `none`: it is a
   * reader, which asks.
   */
  readonly memory: "numbered" | "assigned" | "keyed" | "none";
  readonly slots: number;
  /** The number of the first numbered slot: 1, but 0 on a Zigbee lock. */
  readonly firstSlot?: number;
  readonly kinds: readonly CredentialKind[];
  readonly lengths: readonly number[];
  readonly rules: readonly PinRule[];
  readonly readBack: MemoryLimits["readBack"];
  /** What it keeps of a window, by a clock of its own. */
  readonly windows?: MemoryLimits["windows"];
  /** It can suspend a code without deleting it. */
  readonly suspends?: boolean;
  /** It takes a code that another slot has. */
  readonly duplicates?: boolean;
  /** A write that it has not answered may still be carried out within this time. */
  readonly settles?: Milliseconds | undefined;
}

const moment = z.number().transform(instant).optional();
const timedWindow = z
  .strictObject({
    startsAt: moment,
    endsAt: moment,
    weekly: z.array(z.strictObject({ days: z.array(z.enum(weekdays)), from: z.int(), to: z.int() })).optional(),
    zone: z.string(),
  })
  .transform(({ startsAt, endsAt, weekly, zone }): TimedWindow => ({ startsAt, endsAt, weekly, zone }));
const storedEntry = z.strictObject({
  kind: z.enum(credentialKinds),
  format: z.string().optional(),
  value: z.string(),
  label: z.string(),
  /** Absent: always. */
  when: timedWindow.optional(),
  disabled: z.boolean().optional(),
});
type StoredEntry = Readonly<z.output<typeof storedEntry>>;
/** As a file has it, in JSON. */
export const chipSchema = z.strictObject({
  serial: z.string(),
  counter: z.int(),
  entries: z.record(z.string(), storedEntry),
  unlocked: z.literal(true).optional(),
});

/** What the lock remembers through a power cut: its memory chip, with the codes in clear as real locks have them. */
export interface Chip {
  /** Differs from lock to lock: its identity, and what its keyed slot names are derived with. */
  readonly serial: string;
  readonly counter: number;
  readonly entries: Readonly<Record<string, StoredEntry>>;
  /** Absent: its bolt is out. */
  readonly unlocked?: true | undefined;
}

export const blankChip = (serial: string): Chip => ({ serial, counter: 0, entries: {} });

/** An imaginary lock with a keypad and a card reader. Pure of I/O: wires are put on it elsewhere. */
export class SimulatedLock {
  readonly #model: LockModel;
  #chip: Chip;

  constructor(model: LockModel, chip: Chip) {
    this.#model = model;
    this.#chip = chip;
  }

  get chip(): Chip {
    return this.#chip;
  }

  get limits(): MemoryLimits {
    const { kinds, lengths, rules, readBack, windows = "none", suspends = false, settles } = this.#model;
    const limits = (): KindLimits => ({ slots: this.#slots(), lengths, alphabet: "0123456789", rules });
    const card = (): KindLimits => ({ slots: this.#slots(), lengths: [], alphabet: "", rules: [] });
    return {
      kinds: new Map(kinds.map((kind) => [kind, kind === "pin" ? limits() : card()])),
      windows,
      ...(suspends ? { suspends } : {}),
      readBack,
      cost: { read: "cheap", write: "cheap" },
      ...(settles === undefined ? {} : { settles }),
    };
  }

  /** The slot that is a credential's own, where the credential is the key. */
  keyOf(credential: Credential): SlotName | undefined {
    if (this.#model.memory !== "keyed") return undefined;
    return keyOf(this.#chip, credential);
  }

  #slots(): Slots {
    const { memory, slots, firstSlot = 1 } = this.#model;
    switch (memory) {
      case "numbered":
        return Array.from({ length: slots }, (_, index) => slotName(String(firstSlot + index)));
      case "assigned":
        return { assigned: slots };
      case "keyed":
        return { keyed: slots };
      case "none":
        return [];
    }
  }

  read(slot: SlotName): SlotContents {
    const stored = this.#chip.entries[slot];
    if (!stored) return { state: "empty" };
    const { readBack, windows = "none", suspends = false } = this.#model;
    const more: { readonly when?: When; readonly disabled?: boolean } = {
      ...(windows === "none" ? {} : { when: stored.when ?? "always" }),
      ...(suspends ? { disabled: stored.disabled ?? false } : {}),
    };
    return readBack === "full"
      ? { state: "known", credential: credentialOf(stored), ...more }
      : { state: "opaque", ...more };
  }

  list(): readonly { slot: SlotName; contents: SlotContents }[] {
    return Object.keys(this.#chip.entries).map((name) => ({
      slot: slotName(name),
      contents: this.read(slotName(name)),
    }));
  }

  write({ credential, when, label }: Entry, at: SlotName | undefined): WriteOutcome {
    if (when !== "always" && !canKeep(this.limits.windows, when, new TimeZone(when.zone))) {
      return { result: "refused", reason: "invalid", detail: "this lock cannot keep such a window" };
    }
    const broken = misfit(credential, this.limits.kinds.get(credential.kind));
    if (broken) return { result: "refused", reason: "invalid", detail: broken };
    const slot = this.#slotFor(credential, at);
    if (typeof slot === "object") return slot;
    const twin = this.#find(credential);
    if (twin !== undefined && twin !== slot && !this.#model.duplicates)
      return { result: "refused", reason: "duplicate" };
    const masked = slot in this.#chip.entries;
    this.#chip = {
      ...this.#chip,
      counter: this.#chip.counter + 1,
      entries: { ...this.#chip.entries, [slot]: storedOf(credential, label, when) },
    };
    return { result: "stored", slot, proof: this.#proof(masked) };
  }

  clear(slot: SlotName): WriteOutcome {
    const { [slot]: _, ...entries } = this.#chip.entries;
    this.#chip = { ...this.#chip, entries };
    return { result: "stored", slot, proof: this.#model.readBack === "none" ? "acknowledged" : "read_back" };
  }

  /** Suspends what is in a slot, or lets it open again. */
  enable(slot: SlotName, on: boolean): WriteOutcome {
    const stored = this.#chip.entries[slot];
    if (!stored) return { result: "refused", reason: "invalid", detail: `nothing is in slot ${slot}` };
    const { disabled: _, ...entry } = stored;
    const entries = { ...this.#chip.entries, [slot]: on ? entry : { ...entry, disabled: true } };
    this.#chip = { ...this.#chip, entries };
    return { result: "stored", slot, proof: this.#proof(false) };
  }

  get isLocked(): boolean {
    return this.#chip.unlocked !== true;
  }

  /** Moves its bolt. */
  move(to: "locked" | "unlocked"): void {
    const { unlocked: _, ...chip } = this.#chip;
    this.#chip = to === "locked" ? chip : { ...chip, unlocked: true };
  }

  /** Someone types a PIN or shows a card: the slot that opens, or undefined where the lock denies. `at`: by its clock. */
  present(credential: Credential, at: Instant): SlotName | undefined {
    const slot = this.#find(credential);
    return slot !== undefined && this.opens(slot, at) ? slot : undefined;
  }

  /** Whether what is in a slot opens. `at`: by its clock. */
  opens(slot: SlotName, at: Instant): boolean {
    const stored = this.#chip.entries[slot];
    if (!stored || stored.disabled) return false;
    return !stored.when || isOpen(stored.when, new TimeZone(stored.when.zone), at);
  }

  #slotFor(credential: Credential, at: SlotName | undefined): SlotName | WriteOutcome {
    const { memory, slots, firstSlot = 1 } = this.#model;
    const full = Object.keys(this.#chip.entries).length >= slots;
    switch (memory) {
      case "numbered": {
        const number = Number(at);
        if (at === undefined || !Number.isInteger(number) || number < firstSlot || number >= firstSlot + slots) {
          return { result: "refused", reason: "invalid", detail: `no slot ${at ?? "given"}` };
        }
        return at;
      }
      case "assigned":
        if (at !== undefined) return { result: "refused", reason: "invalid", detail: "this lock chooses its slots" };
        return full ? { result: "refused", reason: "full" } : slotName(`id-${this.#chip.counter + 1}`);
      case "keyed": {
        const name = keyOf(this.#chip, credential);
        return full && !(name in this.#chip.entries) ? { result: "refused", reason: "full" } : name;
      }
      case "none":
        return { result: "refused", reason: "invalid", detail: "a reader has no memory" };
    }
  }

  #find(credential: Credential): SlotName | undefined {
    const found = Object.entries(this.#chip.entries).find(([, stored]) =>
      sameCredential(credentialOf(stored), credential),
    );
    return found && slotName(found[0]);
  }

  #proof(overwrote: boolean): Proof {
    switch (this.#model.readBack) {
      case "full":
        return "read_back";
      case "masked":
      case "occupancy":
        return overwrote ? "acknowledged" : "read_back_masked";
      case "none":
        return "acknowledged";
    }
  }
}

const credentialOf = ({ kind, format, value }: StoredEntry): Credential =>
  kind === "pin" ? { kind, digits: new Secret(value) } : { kind, format: format ?? "raw", bits: new Secret(value) };

const storedOf = (credential: Credential, label: string, when: When): StoredEntry => ({
  kind: credential.kind,
  ...(credential.kind === "card" ? { format: credential.format } : {}),
  value: secretOf(credential).reveal(),
  label,
  ...(when === "always" ? {} : { when }),
});

/** No two locks have the same name for a credential. */
const keyOf = ({ serial }: Chip, credential: Credential): SlotName =>
  slotName(
    createHash("sha256")
      .update(JSON.stringify([serial, storedOf(credential, "", "always")]))
      .digest("hex")
      .slice(0, 24),
  );
