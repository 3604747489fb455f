import { canKeep, type TimedWindow, type WindowAbility } from "../../agent/domain/lock-window.ts";
import type { SlotContents, SlotName } from "../../agent/domain/slot.ts";
import type { TimeZone } from "../../agent/domain/time-zone.ts";
import { LinkError, type WriteOutcome } from "../driver.ts";
import {
  isScheduled,
  noSchedules,
  type Schedules,
  type SlotCounts,
  sameSchedules,
  schedulesOf,
  whenOf,
} from "./codec-schedule.ts";
import {
  type Ask,
  answered,
  invalid,
  orSilence,
  type Pin,
  type PinEntry,
  Refusal,
  type SlotWork,
} from "./conversation.ts";
import type { LockTime } from "./lock-time.ts";
import { type CodeWork, keepsNoWindow, noSuchSlot } from "./memory-user-code.ts";
import type { ScheduleMemory } from "./schedule-memory.ts";
import type { Seen } from "./seen.ts";

export interface WindowedParts {
  readonly who: string;
  readonly codes: CodeWork;
  readonly schedules: ScheduleMemory;
  readonly counts: SlotCounts;
  readonly ability: WindowAbility | "none";
  readonly time: LockTime;
  /** In which its clock runs, where we have never set it: this machine's, by which zwave-js sets it. */
  readonly zone: TimeZone;
  /** Slots to which something was sent that the lock may carry out later. */
  readonly doubts: Seen<true>;
  /** Sets the lock's clock by a zone, where it is off or was not looked at for long: false where it will not be set. */
  readonly setClock: (zone: TimeZone) => Promise<boolean>;
  /** The lock was seen not to keep a window. */
  readonly lost: () => void;
}

/**
 * The memory of a lock with User Code and Schedule Entry Lock, which knows codes and windows apart. A code that is to open
 * in a window only is sent when the lock has that window: until then the slot is empty, or the code is there and suspended.
 */
export class WindowedMemory implements SlotWork {
  readonly #parts: WindowedParts;
  readonly enable?: NonNullable<SlotWork["enable"]>;

  constructor(parts: WindowedParts) {
    this.#parts = parts;
    const { enable } = parts.codes;
    if (enable) this.enable = (slot, entry, on, ask) => this.#enable(enable, slot, entry, on, ask);
  }

  async write({ credential, when }: PinEntry, slot: SlotName, ask: Ask): Promise<WriteOutcome> {
    const user = this.#parts.codes.userIn(slot);
    if (user === undefined) return noSuchSlot(slot);
    const at = { slot, user };
    return this.#doubting(slot, () =>
      when === "always" ? this.#writeAlways(credential, at, ask) : this.#writeTimed(credential, when, at, ask),
    );
  }

  async clear(slot: SlotName, ask: Ask): Promise<WriteOutcome> {
    const { codes, schedules, time, doubts } = this.#parts;
    const outcome = await codes.clear(slot, ask);
    const user = codes.userIn(slot);
    if (user === undefined) return outcome;
    schedules.forget(user);
    // Where the code may come once more, late, the window stays to hold it; whoever writes there next looks for it.
    if (outcome.result === "stored" && time.hasWindow(user) && !doubts.get(slot)) await this.#erase(user, ask);
    return outcome;
  }

  async read(slot: SlotName, ask: Ask): Promise<SlotContents> {
    return this.#withWhen(slot, await this.#parts.codes.read(slot, ask), ask);
  }

  async *list(ask: Ask): ReturnType<SlotWork["list"]> {
    for await (const { slot, contents } of this.#parts.codes.list(ask)) {
      yield { slot, contents: await this.#withWhen(slot, contents, ask) };
    }
  }

  async #withWhen(slot: SlotName, contents: SlotContents, ask: Ask): Promise<SlotContents> {
    const { codes, schedules, who, time, zone } = this.#parts;
    const user = codes.userIn(slot);
    if (user === undefined || (contents.state !== "known" && contents.state !== "opaque")) return contents;
    const said = await answered(who, schedules.look(user, ask));
    return { ...contents, when: whenOf(said, time.zone ?? zone) };
  }

  async #writeAlways(credential: Pin, at: Place, ask: Ask): Promise<WriteOutcome> {
    const { codes, schedules } = this.#parts;
    const { slot, user } = at;
    const seen = schedules.seen(user);
    if (seen && isScheduled(seen)) return this.#writeOver(credential, at, ask);
    const wasEmpty = await codes.isEmpty(slot, ask);
    const outcome = await this.#put(credential, { as: "enabled", wasEmpty }, at, ask);
    if (outcome.result !== "stored" || seen) return outcome;
    // A window that was left there keeps the code from opening, and never lets it open more: it may be looked for now.
    const left = await orSilence(schedules.look(user, ask));
    if (!left) return unconfirmed(slot);
    return isScheduled(left) ? this.#writeOver(credential, at, ask) : outcome;
  }

  /** Where a window was left. */
  async #writeOver(credential: Pin, at: Place, ask: Ask): Promise<WriteOutcome> {
    const { slot, user } = at;
    // The code goes first, lest it opens when its window is gone; and some locks deny a code whose window was taken away
    // for as long as it is there.
    const wasEmpty = await this.#parts.codes.isEmpty(slot, ask);
    if (!wasEmpty && !(await this.#empty(at, ask))) return unconfirmed(slot);
    const isErased = await this.#erase(user, ask);
    const outcome = await this.#put(credential, { as: "enabled", wasEmpty: true }, at, ask);
    if (outcome.result === "refused" && !wasEmpty) return unconfirmed(slot);
    // Some locks take away windows of users with a code only.
    return outcome.result !== "stored" || isErased || (await this.#erase(user, ask)) ? outcome : unconfirmed(slot);
  }

  async #writeTimed(credential: Pin, when: TimedWindow, at: Place, ask: Ask): Promise<WriteOutcome> {
    const { codes, schedules, who, time } = this.#parts;
    const { slot, user } = at;
    const wanted = await this.#keepable(when);
    if ("result" in wanted) return wanted;
    const wasEmpty = await codes.isEmpty(slot, ask);
    const before = schedules.seen(user) ?? (await answered(who, schedules.look(user, ask)));
    time.begin(user);
    const has = sameSchedules(before, wanted);
    const ended = has ? undefined : await this.#prepare({ credential, wanted, wasEmpty }, at, ask);
    if (ended) return ended;
    const isEmpty = wasEmpty || (!has && !codes.enable);
    const outcome = await this.#put(credential, { as: "enabled", wasEmpty: isEmpty }, at, ask);
    if (outcome.result === "refused" && !has) return this.#undone(outcome, wasEmpty, at, ask);
    if (outcome.result !== "stored") return outcome;
    const stillHas = await schedules.stillHas(user, wanted, ask);
    if (stillHas !== false) return stillHas ? outcome : unconfirmed(slot);
    // It opens at any time: that must not wait for whoever reads it next.
    this.#parts.lost();
    return this.#undone(invalid("the lock has lost the window when the code came"), wasEmpty, at, ask);
  }

  /** The window is there, and no code that opens. @returns an outcome where the write ends here. */
  async #prepare(
    { credential, wanted, wasEmpty }: { credential: Pin; wanted: Schedules; wasEmpty: boolean },
    at: Place,
    ask: Ask,
  ): Promise<WriteOutcome | undefined> {
    const { codes, schedules } = this.#parts;
    const { slot, user } = at;
    if (codes.enable) {
      // Most locks take windows of users with a code only.
      const outcome = await this.#put(credential, { as: "disabled", wasEmpty }, at, ask);
      if (outcome.result !== "stored") return outcome;
    } else if (!wasEmpty && !(await this.#empty(at, ask))) return unconfirmed(slot);
    switch (await schedules.put(user, wanted, ask)) {
      case "kept":
        return undefined;
      case "unanswered":
        return unconfirmed(slot);
      case "refused":
        this.#parts.lost();
        return this.#undone(invalid("the lock does not keep the window"), wasEmpty, at, ask);
    }
  }

  /** A refusal leaves a slot as it was: where that cannot be, who asks next is told. */
  async #undone(refused: WriteOutcome, wasEmpty: boolean, at: Place, ask: Ask): Promise<WriteOutcome> {
    const isGone = (await orSilence(this.#empty(at, ask))) ?? false;
    if (isGone) await this.#erase(at.user, ask);
    return isGone && wasEmpty ? refused : unconfirmed(at.slot);
  }

  async #enable(
    enable: NonNullable<SlotWork["enable"]>,
    slot: SlotName,
    entry: PinEntry,
    on: boolean,
    ask: Ask,
  ): Promise<WriteOutcome> {
    const { codes, schedules, who } = this.#parts;
    const user = codes.userIn(slot);
    if (user === undefined) return noSuchSlot(slot);
    if (!on) return enable(slot, entry, false, ask);
    const { when } = entry;
    const wanted = when === "always" ? noSchedules : await this.#keepable(when);
    if ("result" in wanted) return wanted;
    const before = await answered(who, schedules.look(user, ask));
    if (!sameSchedules(before, wanted)) return unconfirmed(slot);
    return this.#doubting(slot, async () => {
      const outcome = await enable(slot, entry, true, ask);
      const stillHas = outcome.result === "stored" && (await schedules.stillHas(user, wanted, ask));
      if (outcome.result !== "stored" || stillHas) return outcome;
      if (stillHas === false) {
        this.#parts.lost();
        await orSilence(enable(slot, entry, false, ask));
      }
      return unconfirmed(slot);
    });
  }

  /** What the lock is to hold for a window, by a clock that is right; an outcome where it cannot hold it. */
  async #keepable(when: TimedWindow): Promise<Schedules | WriteOutcome> {
    const { ability, counts, time, setClock } = this.#parts;
    const zone = time.zoneOf(when.zone);
    const wanted = canKeep(ability, when, zone) ? schedulesOf(when, counts, zone) : undefined;
    if (!wanted) return keepsNoWindow;
    return (await setClock(zone)) ? wanted : invalid("the lock's clock cannot be set");
  }

  async #erase(user: number, ask: Ask): Promise<boolean> {
    const { schedules, time } = this.#parts;
    const isErased = (await orSilence(schedules.put(user, noSchedules, ask))) === "kept";
    if (isErased) time.end(user);
    return isErased;
  }

  /** What the lock says of a code, or what zwave-js says for it. */
  async #put(credential: Pin, how: Parameters<CodeWork["put"]>[2], at: Place, ask: Ask): Promise<WriteOutcome> {
    const { codes, schedules } = this.#parts;
    schedules.forget(at.user);
    try {
      return await codes.put(credential, at.slot, how, ask);
    } catch (error) {
      if (error instanceof Refusal) return error.outcome;
      throw error;
    }
  }

  async #empty({ slot, user }: Place, ask: Ask): Promise<boolean> {
    this.#parts.schedules.forget(user);
    return (await this.#parts.codes.clear(slot, ask)).result === "stored";
  }

  /** Remembers where something was sent that may be carried out later. */
  async #doubting(slot: SlotName, work: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    const { doubts } = this.#parts;
    try {
      const outcome = await work();
      if (outcome.result === "unconfirmed") doubts.note(slot, true);
      return outcome;
    } catch (error) {
      if (!(error instanceof LinkError) || error.sent) doubts.note(slot, true);
      throw error;
    }
  }
}

/** A slot, and its user, who is the lock's word for the same. */
interface Place {
  readonly slot: SlotName;
  readonly user: number;
}

const unconfirmed = (slot: SlotName): WriteOutcome => ({ result: "unconfirmed", slot });
