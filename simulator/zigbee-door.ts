import { instant } from "../agent/domain/instant.ts";
import { Secret } from "../agent/domain/secret.ts";
import { slotName } from "../agent/domain/slot.ts";
import { type Chip, SimulatedLock } from "./lock.ts";

/**
 * How the lock treats what is sent to it. `reject`: answers "failure". `lie`: answers "success" and does nothing. `mask`:
 * says stars for digits. `dead`: neither does nor answers. `storenoreply`: does, and the answer is lost.
 */
export const doorModes = ["ok", "reject", "lie", "mask", "dead", "storenoreply"] as const;
export type DoorMode = (typeof doorModes)[number];

/** What a lock of this make tells of its memory: ZCL attributes 0x12, 0x17, 0x18. */
const memory = { numOfPinUsersSupported: 30, maxPinLen: 8, minPinLen: 4 } as const;
const attributes = new Map<string, number>(Object.entries(memory));

/** A request over the air to the lock. */
export type Request =
  | { readonly to: "setPinCode"; readonly user: number; readonly pin: string }
  | { readonly to: "clearPinCode" | "getPinCode"; readonly user: number }
  | { readonly to: "read"; readonly attributes: readonly string[] };

/** What comes back: `undefined` is silence. */
export type Answer =
  | { readonly to: "setPinCode" | "clearPinCode"; readonly success: boolean }
  | { readonly to: "getPinCode"; readonly user: number; readonly status: "available" | "enabled"; readonly pin: string }
  | { readonly to: "read"; readonly values: Readonly<Record<string, number>> };

/** A Zigbee door lock at the far end of a radio: a simulated lock with numbered slots from 0. Pure. */
export class ZigbeeDoor {
  mode: DoorMode = "ok";
  readonly #lock: SimulatedLock;

  constructor(chip: Chip) {
    const { minPinLen, maxPinLen } = memory;
    const lengths = Array.from({ length: maxPinLen - minPinLen + 1 }, (_, more) => minPinLen + more);
    this.#lock = new SimulatedLock(
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
    );
  }

  get chip(): Chip {
    return this.#lock.chip;
  }

  /** Does what it is asked, or not, as its mode has it. */
  receive(request: Request): Answer | undefined {
    if (this.mode === "dead") return undefined;
    const answer = this.#answer(request);
    return this.mode === "storenoreply" ? undefined : answer;
  }

  /** Someone types a PIN: the user whose it is, or undefined where the lock denies. */
  type(digits: Secret): number | undefined {
    const slot = this.#lock.present({ kind: "pin", digits }, instant(Date.now()));
    return slot === undefined ? undefined : Number(slot);
  }

  #answer(request: Request): Answer {
    switch (request.to) {
      case "setPinCode":
        return { to: "setPinCode", success: this.#set(request.user, request.pin) };
      case "clearPinCode":
        if (this.mode !== "reject" && this.mode !== "lie") this.#lock.clear(slotName(String(request.user)));
        return { to: "clearPinCode", success: this.mode !== "reject" };
      case "getPinCode":
        return { to: "getPinCode", user: request.user, ...this.#get(request.user) };
      case "read":
        return { to: "read", values: Object.fromEntries(request.attributes.flatMap(valueOf)) };
    }
  }

  #set(user: number, pin: string): boolean {
    if (this.mode === "reject") return false;
    if (this.mode === "lie") return true;
    const entry = { credential: { kind: "pin", digits: new Secret(pin) }, when: "always", label: "" } as const;
    return this.#lock.write(entry, slotName(String(user))).result === "stored";
  }

  #get(user: number): { status: "available" | "enabled"; pin: string } {
    const held = this.#lock.chip.entries[user]?.value;
    if (held === undefined) return { status: "available", pin: "" };
    return { status: "enabled", pin: this.mode === "mask" ? "*".repeat(held.length) : held };
  }
}

const valueOf = (name: string): [string, number][] => {
  const value = attributes.get(name);
  return value === undefined ? [] : [[name, value]];
};
