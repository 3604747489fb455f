import type { Abilities } from "../../agent/domain/abilities.ts";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { SlotName } from "../../agent/domain/slot.ts";
import {
  type Bolt,
  type Entry,
  type Host,
  LinkError,
  type LockDevice,
  type Memory,
  type WriteOutcome,
} from "../driver.ts";
import type { Turns } from "../shared/turns.ts";
import { untilAny } from "../shared/until-any.ts";
import { boltOf } from "./bolt.ts";
import { movedIn } from "./codec-bolt.ts";
import {
  type Happening,
  happeningIn,
  happeningOf,
  isDuplicate,
  isSomeChange,
  type Notification,
  type Reported,
} from "./codec-event.ts";
import { slotOf } from "./codec-user-code.ts";
import {
  type Ask,
  answered,
  asking,
  invalid,
  orSilence,
  type PinEntry,
  Refusal,
  type SlotWork,
} from "./conversation.ts";
import { limitsOf } from "./limits.ts";
import { LockTime } from "./lock-time.ts";
import { Looks } from "./looks.ts";
import { noSuchSlot } from "./memory-user-code.ts";
import { UserCredentialMemory } from "./memory-user-credential.ts";
import { identityOf, type NodeParts, partsOf } from "./node-parts.ts";
import { type Ready, readyFor, type Wire } from "./ready.ts";
import { Users } from "./users.ts";
import { reading } from "./verbs.ts";

export interface ZwaveLockParts {
  readonly address: string;
  readonly host: Pick<Host, "clock" | "state" | "isTimeTrusted">;
  /** One for the whole wire. */
  readonly turns: Turns;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  /** @throws LinkError where the node cannot be asked now. */
  wire(): Wire;
  report(event: Happening | { readonly event: "online" | "offline" }): void;
}

/** One lock of a Z-Wave network. */
export class ZwaveLock implements LockDevice {
  readonly #parts: ZwaveLockParts;
  readonly #who: string;
  readonly #looks: Looks;
  readonly #memory = this.#memoryOf();
  readonly #bolt: Bolt;
  /** What the node is, as far as it is known: until then it has what a lock has. */
  #has: NodeParts = { codes: true, bolt: true, notifications: true };
  /** Of the lock that was there when it was last asked: another one at this place has users and a clock of its own. */
  #users: Users | undefined;
  #time: LockTime | undefined;
  #suspends = false;
  #duplicates = 0;
  #battery = 1;
  /** The slot that is worked on: what the lock tells of it meanwhile is about that. */
  #busy: SlotName | undefined;
  #told: "online" | "offline" | undefined;

  constructor(parts: ZwaveLockParts) {
    this.#parts = parts;
    this.#who = `node ${parts.address}`;
    this.#looks = new Looks(parts.host.clock);
    this.#bolt = boltOf({ ...parts, who: this.#who, clock: parts.host.clock });
  }

  /** As far as the lock is known: whether it can suspend a code is among what it is asked first. */
  get memory(): Memory | undefined {
    if (!this.#whatItHas().codes) return undefined;
    return this.#suspends ? { ...this.#memory, enable: (...given) => this.#enable(...given) } : this.#memory;
  }

  get bolt(): Bolt | undefined {
    return this.#whatItHas().bolt ? this.#bolt : undefined;
  }

  abilities(signal: AbortSignal): Promise<Abilities> {
    return this.#turn(signal, async (ask, wire) => {
      const model = wire.node.deviceConfig?.label;
      const { codes, bolt } = this.#whatItHas();
      const itself = {
        identity: identityOf(wire),
        ...(model === undefined ? {} : { model }),
        ...(bolt ? { bolt: { locks: true } } : {}),
      };
      if (!codes && bolt) {
        const state = wire.node.commandClasses["Door Lock"].withOptions(reading);
        await answered(
          this.#who,
          ask(() => state.get()),
        );
        return itself;
      }
      const { work, capacity, setClock } = await this.#ready(wire, ask);
      const limits = limitsOf(await capacity());
      if (work instanceof UserCredentialMemory) await work.tidy(ask);
      const isUntimed = setClock && (await orSilence(setClock())) === false;
      return {
        ...itself,
        memory: isUntimed ? { ...limits, windows: "none" } : limits,
      };
    });
  }

  /** Reports whether it can be reached, where that is news. */
  tell(is: "online" | "offline"): void {
    if (is === "offline") this.#looks.forgetAll();
    if (is === this.#told) return;
    this.#time?.doubt();
    this.#told = is;
    this.#parts.report({ event: is });
  }

  notified(notification: Notification): void {
    if (isDuplicate(notification)) this.#duplicates += 1;
    const happening = happeningOf(notification);
    if (!happening && isSomeChange(notification)) this.#looks.forgetAll();
    this.#happened(happening);
  }

  reported(value: Reported): void {
    this.#happened(happeningIn(value) ?? (this.#whatItHas().notifications ? undefined : movedIn(value)));
  }

  /** A User Credential lock has told that a user or a PIN has changed. */
  changed(slot: number, byOwner: boolean): void {
    this.#happened({ event: "changed", slot: slotOf(slot), ...(byOwner ? { by: "owner" } : {}) });
  }

  /** zwave-js has set its clock, by this machine's zone. */
  clockWasSet(): void {
    this.#time?.doubt();
  }

  /** Puts its clock right, where it is time to look at it. Rejects with LinkError where the lock does not answer. */
  async mindClock(): Promise<void> {
    if (!this.#time?.isDueUnasked || !this.#isTimeTrusted) return;
    this.#time.try();
    await this.#turn(this.#parts.closing, async (ask, wire) => (await this.#ready(wire, ask)).setClock?.());
  }

  /** The time on the wall of its door, as if it were UTC: undefined where no window counts by it. */
  get wall(): Milliseconds | undefined {
    const time = this.#time;
    return time?.zone && this.#isTimeTrusted ? time.wall(time.zone) : undefined;
  }

  #happened(happening: Happening | undefined): void {
    if (!happening) return;
    if (happening.event === "all_deleted") this.#looks.forgetAll();
    if (happening.event === "battery") {
      // With other batteries it may have lost the time.
      if (happening.level > this.#battery) this.#time?.doubt();
      this.#battery = happening.level;
    }
    if (happening.event === "changed") {
      // What we do ourselves is read back, and told by its outcome; what the owner does meanwhile may come after that.
      if (happening.slot === this.#busy && happening.by !== "owner") return;
      this.#looks.forget(happening.slot);
    }
    this.#parts.report(happening);
  }

  #enable(slot: SlotName, entry: Entry, on: boolean, signal: AbortSignal): Promise<WriteOutcome> {
    return this.#change(slot, signal, async (work, _, ask) => {
      const pin = pinEntry(entry);
      if ("result" in pin) return pin;
      return work.enable?.(slot, pin, on, ask) ?? invalid("this lock cannot suspend a code");
    });
  }

  #memoryOf(): Memory {
    return {
      write: (entry, at, signal) =>
        this.#change(at, signal, async (work, slot, ask) => {
          const pin = pinEntry(entry);
          return "result" in pin ? pin : work.write(pin, slot, ask);
        }),
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
    const inTurn = async (waiting: AbortSignal): Promise<T> => {
      const wire = this.#parts.wire();
      return untilAny([waiting, wire.gone], (until) => work(asking(this.#who, until), wire));
    };
    return untilAny([signal, closing], (waiting) => turns.take(() => inTurn(waiting), waiting));
  }

  #ready(wire: Wire, ask: Ask): Promise<Ready> {
    const { address, host } = this.#parts;
    const identity = identityOf(wire);
    const ready = readyFor(wire, ask, {
      who: this.#who,
      address,
      state: host.state,
      looks: this.#looks,
      users: () => this.#usersOf(identity),
      time: () => this.#timeOf(identity),
      isTimeTrusted: () => this.#isTimeTrusted,
      duplicates: () => this.#duplicates,
      lost: () => {
        this.#time?.lose();
        this.#canLess();
      },
      untimed: () => this.#canLess(),
    });
    return ready.then((found) => {
      this.#suspends = found.work.enable !== undefined;
      return found;
    });
  }

  #usersOf(identity: string): Users {
    if (this.#users?.lock !== identity) this.#users = new Users(identity, this.#parts.host.state);
    return this.#users;
  }

  #timeOf(identity: string): LockTime {
    const { state, clock } = this.#parts.host;
    if (this.#time?.lock !== identity) this.#time = new LockTime(identity, state, clock);
    return this.#time;
  }

  #whatItHas(): NodeParts {
    try {
      const { node, library } = this.#parts.wire();
      this.#has = partsOf(node, library);
    } catch (error) {
      // It is away: it has what it had.
      if (!(error instanceof LinkError)) throw error;
    }
    return this.#has;
  }

  get #isTimeTrusted(): boolean {
    return this.#parts.host.isTimeTrusted?.() ?? true;
  }

  /** From now on it says that it keeps no windows: who is told so asks it again. */
  #canLess(): void {
    this.#parts.report({ event: "online" });
  }
}

/** An outcome where the entry is none for such a lock. */
function pinEntry({ credential, when }: Entry): PinEntry | WriteOutcome {
  return credential.kind === "pin" ? { credential, when } : invalid("this lock takes PINs only");
}
