import { type Instant } from "../agent/domain/instant.ts";
import { Secret } from "../agent/domain/secret.ts";
import { slotName } from "../agent/domain/slot.ts";
import type { FaultName, FaultSetting, RequestKind } from "./fault.ts";
import type { Fate, RunningFault } from "./faults.ts";
import type { Chip } from "./lock.ts";
import { LyingLock, soundCondition } from "./lying-lock.ts";

/**
 * How the lock treats what is sent to it, by the names of old: each is a fault, and `ok` is none of them. `reject`: answers
 * "failure". `lie`: answers "success" and does nothing. `mask`: says stars for digits. `dead`: neither does nor answers.
 * `storenoreply`: does, and the answer is lost.
 */
export const doorModes = ["ok", "reject", "lie", "mask", "dead", "storenoreply"] as const;
export type DoorMode = (typeof doorModes)[number];
const faultOf = {
  reject: "refuses",
  lie: "says_yes_stores_nothing",
  mask: "masks_codes",
  dead: "deaf",
  storenoreply: "loses_replies",
} as const satisfies Readonly<Record<Exclude<DoorMode, "ok">, FaultName>>;

/** What a lock of this make tells of its memory: ZCL attributes 0x12, 0x17, 0x18. */
const memory = { numOfPinUsersSupported: 30, maxPinLen: 8, minPinLen: 4 } as const;
const attributes = Object.entries(memory);

/** A request over the air to the lock. */
export type Request =
  | { readonly to: "setPinCode"; readonly user: number; readonly pin: string }
  | { readonly to: "clearPinCode" | "getPinCode"; readonly user: number }
  | { readonly to: "lockDoor" | "unlockDoor" }
  | { readonly to: "read"; readonly attributes: readonly string[] };

/** What comes back. */
export type Answer =
  | { readonly to: "setPinCode" | "clearPinCode" | "lockDoor" | "unlockDoor"; readonly success: boolean }
  | { readonly to: "getPinCode"; readonly user: number; readonly status: "available" | "enabled"; readonly pin: string }
  | { readonly to: "read"; readonly values: Readonly<Record<string, number>> };

export interface Misfortunes {
  readonly seed: number;
  /** Those that are on whatever its mode is. */
  readonly usual: readonly RunningFault[];
}

/** A Zigbee door lock at the far end of a radio: a simulated lock with numbered slots from 0, and its lies. Pure. */
export class ZigbeeDoor {
  readonly #lock: LyingLock;
  readonly #usual: readonly RunningFault[];

  constructor(chip: Chip, { seed, usual }: Misfortunes = { seed: 0, usual: [] }) {
    const { minPinLen, maxPinLen } = memory;
    const lengths = Array.from({ length: maxPinLen - minPinLen + 1 }, (_, more) => minPinLen + more);
    this.#usual = usual;
    this.#lock = new LyingLock(
      {
        memory: "numbered",
        slots: memory.numOfPinUsersSupported,
        firstSlot: 0,
        kinds: ["pin"],
        lengths,
        rules: [],
        readBack: "full",
      },
      chip,
      { ...soundCondition, faults: usual },
      seed,
    );
  }

  get place(): "locked" | "unlocked" {
    return this.#lock.isLocked ? "locked" : "unlocked";
  }

  /** Somebody turns its knob. */
  turn(to: "locked" | "unlocked"): void {
    this.#lock.move(to, { strikes: new Map() });
  }

  get chip(): Chip {
    return this.#lock.chip;
  }

  /** Ends what another mode has begun. */
  setMode(mode: DoorMode, now: Instant): void {
    for (const fault of Object.values(faultOf)) this.#lock.end(fault, now);
    for (const { setting } of this.#usual) this.#lock.begin(setting, now);
    if (mode !== "ok") this.#lock.begin({ fault: faultOf[mode] }, now);
  }

  begin(setting: FaultSetting, now: Instant): void {
    this.#lock.begin(setting, now);
  }

  end(fault: FaultName, now: Instant): void {
    this.#lock.end(fault, now);
  }

  /** What becomes of the next request to it. */
  fate(request: Request, now: Instant): Fate {
    return this.#lock.fate(kindOf(request), now);
  }

  /** Does what it is asked, or not, as its fate has it. */
  receive(request: Request, { strikes }: Pick<Fate, "strikes">): Answer {
    switch (request.to) {
      case "setPinCode":
        return { to: "setPinCode", success: this.#set(request.user, request.pin, strikes) };
      case "clearPinCode": {
        const { says } = this.#lock.clear(slotName(String(request.user)), { strikes });
        return { to: "clearPinCode", success: says === "yes" };
      }
      case "getPinCode":
        return { to: "getPinCode", user: request.user, ...this.#get(request.user, strikes) };
      case "lockDoor":
      case "unlockDoor": {
        const to = request.to === "lockDoor" ? "locked" : "unlocked";
        return { to: request.to, success: this.#lock.move(to, { strikes }) === "yes" };
      }
      case "read": {
        const values = new Map<string, number>([...attributes, ["lockState", this.place === "locked" ? 1 : 2]]);
        return { to: "read", values: Object.fromEntries(request.attributes.flatMap((name) => valueOf(name, values))) };
      }
    }
  }

  /** Someone types a PIN: the user whose it is, or undefined where the lock denies. */
  type(digits: Secret, now: Instant): number | undefined {
    const slot = this.#lock.present({ kind: "pin", digits }, now);
    return slot === undefined ? undefined : Number(slot);
  }

  /** Whether what happens at it now is told. */
  tells(now: Instant): boolean {
    return this.#lock.tells(now);
  }

  #set(user: number, pin: string, strikes: Fate["strikes"]): boolean {
    const entry = { credential: { kind: "pin", digits: new Secret(pin) }, when: "always", label: "" } as const;
    return this.#lock.write(entry, slotName(String(user)), { strikes }).says === "yes";
  }

  #get(user: number, strikes: Fate["strikes"]): { status: "available" | "enabled"; pin: string } {
    const held = this.chip.entries[user]?.value;
    if (held === undefined) return { status: "available", pin: "" };
    return { status: "enabled", pin: strikes.has("masks_codes") ? "*".repeat(held.length) : held };
  }
}

const kinds = {
  setPinCode: "write",
  clearPinCode: "clear",
  getPinCode: "read",
  lockDoor: "bolt",
  unlockDoor: "bolt",
  read: "meet",
} as const;
const kindOf = (request: Request): RequestKind =>
  request.to === "read" && request.attributes.includes("lockState") ? "read" : kinds[request.to];

const valueOf = (name: string, values: ReadonlyMap<string, number>): [string, number][] => {
  const value = values.get(name);
  return value === undefined ? [] : [[name, value]];
};
