import type { ZWaveNode } from "zwave-js";
import type { Abilities } from "../../agent/domain/abilities.ts";
import { Secret } from "../../agent/domain/secret.ts";
import type { SlotName } from "../../agent/domain/slot.ts";
import { type Entry, type Host, LinkError, type LockDevice, type Memory, type WriteOutcome } from "../driver.ts";
import type { Turns } from "../shared/turns.ts";
import {
  type Happening,
  happeningIn,
  happeningOf,
  isDuplicate,
  isSomeChange,
  type Notification,
  type Reported,
} from "./codec-event.ts";
import { saysCodes, slotOf, type UserCodeAnswer } from "./codec-user-code.ts";
import { type Ask, asking, Refusal, type SlotWork } from "./conversation.ts";
import type { Library } from "./library.ts";
import { type Capacity, limitsOf, mostSlots } from "./limits.ts";
import { noSuchSlot, userCodeWork } from "./memory-user-code.ts";
import { type Place, UserCredentialMemory } from "./memory-user-credential.ts";
import type { Send } from "./questions.ts";
import { Seen } from "./seen.ts";
import { Users } from "./users.ts";
import { userCodes, userCredentials } from "./verbs.ts";

/** A node of the network, while there is one. */
export interface Wire {
  readonly library: Library;
  readonly homeId: number;
  readonly node: ZWaveNode;
  readonly send: Send;
  /** Aborted when the controller is gone. */
  readonly gone: AbortSignal;
}

export interface ZwaveLockParts {
  readonly address: string;
  readonly host: Pick<Host, "clock" | "state">;
  /** One for the whole wire. */
  readonly turns: Turns;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  /** @throws LinkError where the node cannot be asked now. */
  wire(): Wire;
  report(event: Happening | { readonly event: "online" | "offline" }): void;
}

/** What a lock can be asked to do, and what it says of itself. */
interface Ready {
  readonly work: SlotWork;
  readonly capacity: () => Promise<Capacity>;
}

/** One lock of a Z-Wave network. */
export class ZwaveLock implements LockDevice {
  readonly memory: Memory;
  readonly #parts: ZwaveLockParts;
  readonly #who: string;
  /** Of the lock that was there when it was last asked: another one at this place has users of its own. */
  #users: Users | undefined;
  readonly #slots: Seen<"empty" | "taken">;
  readonly #places: Seen<Place>;
  #duplicates = 0;
  /** The slot that is worked on: what the lock tells of it meanwhile is about that. */
  #busy: SlotName | undefined;
  #told: "online" | "offline" | undefined;

  constructor(parts: ZwaveLockParts) {
    this.#parts = parts;
    this.#who = `node ${parts.address}`;
    this.#slots = new Seen(parts.host.clock);
    this.#places = new Seen(parts.host.clock);
    this.memory = this.#memory();
  }

  abilities(signal: AbortSignal): Promise<Abilities> {
    return this.#turn(signal, async (ask, wire) => {
      const { work, capacity } = await this.#ready(wire, ask);
      const limits = limitsOf(await capacity());
      if (work instanceof UserCredentialMemory) await work.tidy(ask);
      const model = wire.node.deviceConfig?.label;
      return { identity: identityOf(wire), ...(model === undefined ? {} : { model }), memory: limits };
    });
  }

  /** Reports whether it can be reached, where that is news. */
  tell(is: "online" | "offline"): void {
    if (is === "offline") this.#forgetAll();
    if (is === this.#told) return;
    this.#told = is;
    this.#parts.report({ event: is });
  }

  notified(notification: Notification): void {
    if (isDuplicate(notification)) this.#duplicates += 1;
    const happening = happeningOf(notification);
    if (!happening && isSomeChange(notification)) this.#forgetAll();
    this.#happened(happening);
  }

  reported(value: Reported): void {
    this.#happened(happeningIn(value));
  }

  /** A User Credential lock has told that a user or a PIN has changed. */
  changed(slot: number, byOwner: boolean): void {
    this.#happened({ event: "changed", slot: slotOf(slot), ...(byOwner ? { by: "owner" } : {}) });
  }

  #happened(happening: Happening | undefined): void {
    if (!happening) return;
    if (happening.event === "all_deleted") this.#forgetAll();
    if (happening.event === "changed") {
      // What we do ourselves is read back, and told by its outcome; what the owner does meanwhile may come after that.
      if (happening.slot === this.#busy && happening.by !== "owner") return;
      this.#slots.forget(happening.slot);
      this.#places.forget(happening.slot);
    }
    this.#parts.report(happening);
  }

  #forgetAll(): void {
    this.#slots.forgetAll();
    this.#places.forgetAll();
  }

  #memory(): Memory {
    return {
      write: (entry, at, signal) => this.#change(at, signal, (work, slot, ask) => write(work, entry, slot, ask)),
      clear: (slot, signal) => this.#change(slot, signal, (work, _, ask) => work.clear(slot, ask)),
      read: (slot, signal) =>
        this.#turn(signal, async (ask, wire) => (await this.#ready(wire, ask)).work.read(slot, ask)),
      list: (signal) => this.#list(signal),
    };
  }

  async *#list(signal: AbortSignal): ReturnType<SlotWork["list"]> {
    // Each question is a turn of its own, so that a long list does not keep the wire from the others.
    const ask: Ask = (command) => this.#turn(signal, (once) => once(command));
    const { work } = await this.#ready(this.#parts.wire(), ask);
    yield* work.list(ask);
  }

  async #change(
    slot: SlotName | undefined,
    signal: AbortSignal,
    act: (work: SlotWork, slot: SlotName, ask: Ask) => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    return this.#turn(signal, async (ask, wire) => {
      if (slot === undefined) return noSuchSlot(slot);
      this.#busy = slot;
      try {
        return await act((await this.#ready(wire, ask)).work, slot, ask);
      } catch (error) {
        if (error instanceof Refusal) return error.outcome;
        throw error;
      } finally {
        this.#busy = undefined;
      }
    });
  }

  async #turn<T>(signal: AbortSignal, work: (ask: Ask, wire: Wire) => Promise<T>): Promise<T> {
    const { closing, turns } = this.#parts;
    const waiting = AbortSignal.any([signal, closing]);
    return turns.take(async () => {
      const wire = this.#parts.wire();
      return work(asking(this.#who, AbortSignal.any([waiting, wire.gone])), wire);
    }, waiting);
  }

  async #ready({ node, library, homeId, send }: Wire, ask: Ask): Promise<Ready> {
    const onBattery = !node.isListening;
    const known = node.accessControl?.getUserCapabilitiesCached().maxUsers;
    if (node.supportsCC(library.CommandClasses["User Credential"])) {
      const { verbs, pins } = userCredentials(node, library, send);
      const capacity = await this.#present(pins(ask));
      const users = known || (await this.#present(ask(() => verbs.countUsers())));
      const slots = Math.min(users, capacity.slots, mostSlots);
      const { shortest, longest } = capacity;
      return {
        work: new UserCredentialMemory({
          slots,
          shortest,
          longest,
          who: this.#who,
          verbs,
          users: this.#usersOf(identityOf({ node, homeId })),
          seen: this.#places,
        }),
        capacity: async () => {
          await this.#present(ask(() => verbs.countUsers()));
          return { ...capacity, slots, characters: undefined, onBattery };
        },
      };
    }
    if (node.supportsCC(library.CommandClasses["User Code"])) {
      const { verbs, supervised, version, characters } = userCodes(node, library, send);
      const slots = Math.min(known || (await this.#present(ask(() => verbs.countUsers()))), mostSlots);
      return {
        work: userCodeWork({
          who: this.#who,
          slots,
          isSupervised: supervised,
          verbs,
          seen: this.#slots,
          duplicates: () => this.#duplicates,
          heard: (answer) => this.#heard(answer, version),
        }),
        capacity: async () => {
          const counted = await this.#present(ask(() => verbs.countUsers()));
          // The lengths that the command class has; it has no way for a lock to say its own.
          return {
            slots: counted,
            shortest: 4,
            longest: 10,
            characters,
            saysCodes: this.#saysCodes(version),
            onBattery,
          };
        },
      };
    }
    throw new LinkError(`${this.#who} has no codes`, {
      sent: false,
      hint: "check that it is a lock with a keypad, and that it was included with its security keys",
    });
  }

  #usersOf(identity: string): Users {
    if (this.#users?.lock !== identity) this.#users = new Users(identity, this.#parts.host.state);
    return this.#users;
  }

  async #present<T>(answer: Promise<T | undefined>): Promise<T> {
    const said = await answer;
    if (said !== undefined) return said;
    throw new LinkError(`${this.#who} does not answer`, {
      sent: false,
      hint: "check the lock's batteries and its distance to the controller or a repeater",
    });
  }

  /** Version 1 allows a lock to answer stars, and many do: it is held for one of them until it has said a code. */
  #saysCodes(version: number): boolean {
    const kept = this.#parts.host.state.get(this.#saysKey)?.reveal();
    return kept === undefined ? version >= 2 : kept === "yes";
  }

  #heard(answer: UserCodeAnswer, version: number): void {
    const says = saysCodes(answer);
    if (says === undefined || says === this.#saysCodes(version)) return;
    this.#parts.host.state.set(this.#saysKey, new Secret(says ? "yes" : "no"));
  }

  get #saysKey(): string {
    return `says_codes.${this.#parts.address}`;
  }
}

async function write(work: SlotWork, { credential }: Entry, slot: SlotName, ask: Ask): Promise<WriteOutcome> {
  if (credential.kind !== "pin") return { result: "refused", reason: "invalid", detail: "this lock takes PINs only" };
  return work.write(credential, slot, ask);
}

/**
 * The key that a lock was made with, where it was included by it; else the place that it was given in this network, which
 * no other lock gets without being included anew, with what it is.
 */
function identityOf({ node, homeId }: Pick<Wire, "node" | "homeId">): string {
  if (node.dsk) return `dsk-${Buffer.from(node.dsk).toString("hex")}`;
  const product = [node.manufacturerId, node.productType, node.productId].map(hex).join("-");
  return `zwave-${homeId.toString(16)}-${node.id}-${product}`;
}

const hex = (number: number | undefined): string => (number ?? 0).toString(16).padStart(4, "0");
