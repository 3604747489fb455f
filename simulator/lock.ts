import { createHash } from "node:crypto";
import type { KindLimits, MemoryLimits, Slots } from "../agent/domain/abilities.ts";
import { type Credential, type CredentialKind, sameCredential, secretOf } from "../agent/domain/credential.ts";
import { misfit } from "../agent/domain/pin.ts";
import type { PinRule } from "../agent/domain/pin-rule.ts";
import { Secret } from "../agent/domain/secret.ts";
import { type Proof, type SlotContents, type SlotName, slotName } from "../agent/domain/slot.ts";
import type { Entry, WriteOutcome } from "../drivers/driver.ts";

/** How a simulated lock is built. */
export interface LockModel {
  /** `numbered`: the writer chooses the slot. `assigned`: the lock does. `keyed`: the credential is the slot. */
  readonly memory: "numbered" | "assigned" | "keyed";
  readonly slots: number;
  /** The number of the first numbered slot: 1, but 0 on a Zigbee lock. */
  readonly firstSlot?: number;
  readonly kinds: readonly CredentialKind[];
  readonly lengths: readonly number[];
  readonly rules: readonly PinRule[];
  readonly readBack: MemoryLimits["readBack"];
}

/** What the lock remembers through a power cut: its memory chip, with the codes in clear as real locks have them. */
export interface Chip {
  /** Differs from lock to lock: its identity, and what its keyed slot names are derived with. */
  readonly serial: string;
  readonly counter: number;
  readonly entries: Readonly<Record<string, StoredEntry>>;
}
type StoredEntry = {
  readonly kind: CredentialKind;
  readonly format?: string | undefined;
  readonly value: string;
  readonly label: string;
};

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
    const { kinds, lengths, rules, readBack } = this.#model;
    const limits = (): KindLimits => ({ slots: this.#slots(), lengths, alphabet: "0123456789", rules });
    const card = (): KindLimits => ({ slots: this.#slots(), lengths: [], alphabet: "", rules: [] });
    return {
      kinds: new Map(kinds.map((kind) => [kind, kind === "pin" ? limits() : card()])),
      windows: "none",
      readBack,
      cost: { read: "cheap", write: "cheap" },
    };
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
    }
  }

  read(slot: SlotName): SlotContents {
    const stored = this.#chip.entries[slot];
    if (!stored) return { state: "empty" };
    return this.#model.readBack === "full" ? { state: "known", credential: credentialOf(stored) } : { state: "opaque" };
  }

  list(): readonly { slot: SlotName; contents: SlotContents }[] {
    return Object.keys(this.#chip.entries).map((name) => ({
      slot: slotName(name),
      contents: this.read(slotName(name)),
    }));
  }

  write({ credential, label }: Entry, at: SlotName | undefined): WriteOutcome {
    const broken = misfit(credential, this.limits.kinds.get(credential.kind));
    if (broken) return { result: "refused", reason: "invalid", detail: broken };
    const slot = this.#slotFor(credential, at);
    if (typeof slot === "object") return slot;
    const twin = this.#find(credential);
    if (twin !== undefined && twin !== slot) return { result: "refused", reason: "duplicate" };
    const masked = slot in this.#chip.entries;
    this.#chip = {
      ...this.#chip,
      counter: this.#chip.counter + 1,
      entries: { ...this.#chip.entries, [slot]: storedOf(credential, label) },
    };
    return { result: "stored", slot, proof: this.#proof(masked) };
  }

  clear(slot: SlotName): WriteOutcome {
    const { [slot]: _, ...entries } = this.#chip.entries;
    this.#chip = { ...this.#chip, entries };
    return { result: "stored", slot, proof: this.#model.readBack === "none" ? "acknowledged" : "read_back" };
  }

  /** Someone types a PIN or shows a card: the slot that opens, or undefined where the lock denies. */
  present(credential: Credential): SlotName | undefined {
    return this.#find(credential);
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
        const name = slotName(
          createHash("sha256")
            .update(JSON.stringify([this.#chip.serial, storedOf(credential, "")]))
            .digest("hex")
            .slice(0, 24),
        );
        return full && !(name in this.#chip.entries) ? { result: "refused", reason: "full" } : name;
      }
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

const storedOf = (credential: Credential, label: string): StoredEntry => ({
  kind: credential.kind,
  ...(credential.kind === "card" ? { format: credential.format } : {}),
  value: secretOf(credential).reveal(),
  label,
});
