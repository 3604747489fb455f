import { z } from "zod";
import type { MemoryLimits } from "../agent/domain/abilities.ts";
import type { Credential } from "../agent/domain/credential.ts";
import { type Instant, later } from "../agent/domain/instant.ts";
import { type SlotContents, type SlotName, slotName } from "../agent/domain/slot.ts";
import type { Entry, WriteOutcome } from "../drivers/driver.ts";
import { type Battery, batterySchema, fullBattery, levelAt, lowBattery, reaches } from "./battery.ts";
import { type FaultName, type FaultSetting, type RequestKind, usual } from "./fault.ts";
import { type Fate, Faults, type RunningFault, runningFault } from "./faults.ts";
import { type Chip, type LockModel, SimulatedLock } from "./lock.ts";

/** What a lock itself answers to a change: no proof of anything. */
export type Reply =
  | { readonly says: "yes"; readonly slot: SlotName }
  | { readonly says: "no"; readonly reason: Refusal["reason"]; readonly detail?: string };
type Refusal = WriteOutcome & { readonly result: "refused" };

/** What is wrong with a lock. */
export interface Condition {
  readonly faults: readonly RunningFault[];
  readonly battery: Battery;
}
/** As a file has it, in JSON. */
export const conditionSchema = z.strictObject({ faults: z.array(runningFault), battery: batterySchema });
export const soundCondition: Condition = { faults: [], battery: fullBattery };

/** The name of what its owner has put into it. */
const ownersLabel = "owner";

const atLowBattery = { least: 500, most: 1_500 } as const;

/**
 * A simulated lock that tells every lie in the book, as its faults have it. Pure: what is asked of it has a {@link Fate},
 * by which whoever stands between lets time pass and loses answers; what the lock does to it, it does here.
 */
export class LyingLock {
  readonly #model: LockModel;
  readonly #faults: Faults;
  #lock: SimulatedLock;
  #battery: Battery;

  /** @param seed of its misfortunes: the same ones for the same seed. */
  constructor(model: LockModel, chip: Chip, condition: Condition = soundCondition, seed = 0) {
    this.#model = model;
    this.#lock = new SimulatedLock(model, chip);
    this.#faults = new Faults(seed, condition.faults);
    this.#battery = condition.battery;
  }

  get chip(): Chip {
    return this.#lock.chip;
  }

  get limits(): MemoryLimits {
    return this.#lock.limits;
  }

  condition(now: Instant): Condition {
    return { faults: this.#faults.running(now), battery: { level: this.battery(now), at: now } };
  }

  /** See {@link SimulatedLock.keyOf}. */
  keyOf(credential: Credential): SlotName | undefined {
    return this.#lock.keyOf(credential);
  }

  /** 0 to 1. */
  battery(now: Instant): number {
    return levelAt(this.#battery, this.#faults.latest("battery_dying"), now);
  }

  /** What it tells of its battery next, a tenth emptier than now, and when: where that is running out. */
  nextBatteryReport(now: Instant): { readonly at: Instant; readonly level: number } | undefined {
    const dying = this.#faults.get("battery_dying", now);
    const tenths = Math.ceil(this.battery(now) * 10 - 1e-6) - 1;
    if (!dying || tenths <= 0) return undefined;
    return { at: reaches(this.#battery, dying, tenths / 10), level: tenths / 10 };
  }

  /** In the place of the same fault, where that is on. */
  begin(setting: FaultSetting, now: Instant): void {
    this.#battery = { level: this.battery(now), at: now };
    this.#faults.begin(setting, now);
  }

  end(fault: FaultName, now: Instant): void {
    this.#battery = { level: this.battery(now), at: now };
    this.#faults.end(fault);
  }

  /** Another battery is put in, or this one is as full as that from one moment to the next. */
  charge(level: number, now: Instant): void {
    this.#battery = { level, at: now };
  }

  /** What becomes of the next request to it. */
  fate(request: RequestKind, now: Instant): Fate {
    const fate = this.#faults.next(request, now);
    const level = this.battery(now);
    if (level <= 0) return { ...fate, becomes: "unheard" };
    const { least, most } = atLowBattery;
    return level < lowBattery
      ? { ...fate, delay: fate.delay + least + (1 - level / lowBattery) * (most - least) }
      : fate;
  }

  /** Whether what happens at it now is told. */
  tells(now: Instant): boolean {
    const [isDeaf, isMute] = [this.#faults.strikes("deaf", now), this.#faults.strikes("tells_nothing", now)];
    return !isDeaf && !isMute && this.battery(now) > 0;
  }

  read(slot: SlotName, { strikes }: Pick<Fate, "strikes">): SlotContents {
    return masked(this.#lock.read(slot), strikes);
  }

  list({ strikes }: Pick<Fate, "strikes">): readonly { slot: SlotName; contents: SlotContents }[] {
    return this.#lock.list().map(({ slot, contents }) => ({ slot, contents: masked(contents, strikes) }));
  }

  write(entry: Entry, at: SlotName | undefined, { strikes }: Pick<Fate, "strikes">): Reply {
    return this.#change((lock) => lock.write(entry, at), strikes);
  }

  clear(slot: SlotName, { strikes }: Pick<Fate, "strikes">): Reply {
    return this.#change((lock) => lock.clear(slot), strikes);
  }

  enable(slot: SlotName, on: boolean, { strikes }: Pick<Fate, "strikes">): Reply {
    return this.#change((lock) => lock.enable(slot, on), strikes);
  }

  get isLocked(): boolean {
    return this.#lock.isLocked;
  }

  /** Where its bolt is; undefined where it does not say. */
  tellBolt({ strikes }: Pick<Fate, "strikes">): "locked" | "unlocked" | undefined {
    if (strikes.has("unreadable")) return undefined;
    return this.isLocked ? "locked" : "unlocked";
  }

  /** It is told to lock or unlock the door. */
  move(to: "locked" | "unlocked", { strikes }: Pick<Fate, "strikes">): "yes" | "no" {
    if (strikes.has("refuses")) return "no";
    if (!strikes.has("says_yes_stores_nothing")) this.#move(to);
    return strikes.has("says_no_and_stores") ? "no" : "yes";
  }

  /** Someone types a PIN or shows a card: the slot that opens, or undefined where the lock denies. */
  present(credential: Credential, now: Instant): SlotName | undefined {
    const slot = this.#lock.present(credential, this.#clock(now));
    if (slot !== undefined) this.#move("unlocked");
    return slot;
  }

  /** Whether what is in a slot opens now, by its clock. */
  opens(slot: SlotName, now: Instant): boolean {
    return this.#lock.opens(slot, this.#clock(now));
  }

  /** Its owner writes at the keypad, to the highest slot that is free where none is named. */
  program(credential: Credential, at: SlotName | undefined): Reply {
    const isNumbered = this.#model.memory === "numbered";
    const to = isNumbered ? (at ?? this.#highestFree()) : undefined;
    if (isNumbered && to === undefined) return no("full");
    const entry: Entry = { credential, when: "always", label: ownersLabel };
    return this.#change((lock) => lock.write(entry, to), noStrikes);
  }

  /** Its owner deletes at the keypad: one slot, or all of them. */
  erase(slot: SlotName | "all"): void {
    if (slot !== "all") return void this.#change((lock) => lock.clear(slot), noStrikes);
    this.#rewrite({ ...this.chip, entries: {} });
  }

  /** Its power is gone for a moment. */
  losePower(now: Instant): void {
    const left = Object.entries(this.chip.entries).filter(() => !this.#faults.strikes("forgets_on_power_loss", now));
    if (left.length < Object.keys(this.chip.entries).length)
      this.#rewrite({ ...this.chip, entries: Object.fromEntries(left) });
  }

  /** What time it is to the lock. */
  #clock(now: Instant): Instant {
    const skew = this.#faults.get("clock_skewed", now)?.setting;
    return skew ? later(now, 1_000 * (skew.by_seconds ?? usual.bySeconds)) : now;
  }

  /** What an honest lock would do and say, and then what this one makes of it. */
  #change(act: (lock: SimulatedLock) => WriteOutcome, strikes: Fate["strikes"]): Reply {
    if (strikes.has("refuses")) return no("forbidden", "this lock lets nobody change its codes");
    const trial = new SimulatedLock({ ...this.#model, duplicates: strikes.has("takes_duplicates") }, this.chip);
    const said = replyOf(act(trial));
    if (said.says === "no") return said;
    if (strikes.has("full") && !(said.slot in this.chip.entries)) return no("full");
    if (strikes.has("says_yes_stores_nothing")) return said;
    const wipes = strikes.get("wipes_windows_on_update");
    this.#rewrite(wipes ? withoutWindow(trial.chip, wipes.of === "written" ? said.slot : "all") : trial.chip);
    return strikes.has("says_no_and_stores") ? no("forbidden", "this lock says no") : said;
  }

  #move(to: "locked" | "unlocked"): void {
    if (this.isLocked === (to === "locked")) return;
    const moved = new SimulatedLock(this.#model, this.chip);
    moved.move(to);
    this.#lock = moved;
  }

  #rewrite(chip: Chip): void {
    this.#lock = new SimulatedLock(this.#model, chip);
  }

  #highestFree(): SlotName | undefined {
    const { slots, firstSlot = 1 } = this.#model;
    const names = Array.from({ length: slots }, (_, index) => slotName(String(firstSlot + index)));
    return names.findLast((name) => !(name in this.chip.entries));
  }
}

const noStrikes: Fate["strikes"] = new Map();

const no = (reason: Refusal["reason"], detail?: string): Reply => ({
  says: "no",
  reason,
  ...(detail === undefined ? {} : { detail }),
});

function replyOf(outcome: WriteOutcome): Reply {
  switch (outcome.result) {
    case "stored":
      return { says: "yes", slot: outcome.slot };
    case "refused":
      return no(outcome.reason, outcome.detail);
    case "unconfirmed":
      return no("invalid");
  }
}

function masked(contents: SlotContents, strikes: Fate["strikes"]): SlotContents {
  if (strikes.has("unreadable")) return { state: "unreadable" };
  if (contents.state !== "known" || !strikes.has("masks_codes")) return contents;
  const { credential: _, ...rest } = contents;
  return { ...rest, state: "opaque" };
}

function withoutWindow(chip: Chip, of: SlotName | "all"): Chip {
  const entries = Object.entries(chip.entries).map(([slot, { when, ...entry }]) =>
    of === "all" || of === slot || when === undefined ? [slot, entry] : [slot, { ...entry, when }],
  );
  return { ...chip, entries: Object.fromEntries(entries) };
}
