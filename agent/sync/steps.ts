import { type Entry, LinkError, type Memory, type WriteOutcome } from "../../drivers/driver.ts";
import type { MemoryLimits } from "../domain/abilities.ts";
import { backoff } from "../domain/backoff.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { notFound, observe } from "../domain/observe.ts";
import { isLeaving, isToBeShut, isUnknowable, type Placement, slotOf } from "../domain/placement.ts";
import type { Step } from "../domain/plan.ts";
import {
  intendClear,
  intendSwitch,
  intendWrite,
  type Settlement,
  settleClear,
  settleSwitch,
  settleWrite,
} from "../domain/settle.ts";
import type { Observed, SlotName } from "../domain/slot.ts";
import type { Acquaintance } from "./acquaintance.ts";
import { Asking } from "./asking.ts";
import type { Surroundings } from "./surroundings.ts";

const firstPause: Milliseconds = 1_000;
const lastPause: Milliseconds = 5 * 60_000;
const whileMasked: Milliseconds = 30 * 60_000;

/** Carries out the steps of one round, each with a trace before it and a settlement after it. */
export class Steps {
  readonly #device: DeviceId;
  readonly #asking: Asking;
  readonly #limits: MemoryLimits;
  readonly #known: Pick<Acquaintance, "occupied" | "survey" | "noteSent">;
  readonly #around: Surroundings;
  readonly #signal: AbortSignal;
  /** Slots that were read empty in this round, and not written since. */
  readonly #empty = new Set<SlotName>();
  #settled = 0;
  #doubted = 0;

  constructor(
    device: DeviceId,
    memory: Memory,
    limits: MemoryLimits,
    known: Pick<Acquaintance, "occupied" | "survey" | "noteSent">,
    around: Surroundings,
    signal: AbortSignal,
  ) {
    this.#device = device;
    this.#asking = new Asking(memory, around, signal);
    this.#limits = limits;
    this.#known = known;
    this.#around = around;
    this.#signal = signal;
  }

  /** A step ended in doubt: the lock is deaf, or does not do what it is told. */
  get hasDoubt(): boolean {
    return this.#doubted > 0;
  }

  /** The lock was asked for something, and nothing of it is proven or refused. */
  get isUnconfirmed(): boolean {
    return this.#doubted > 0 && this.#settled === 0;
  }

  /**
   * Whether anything was done: where not, what the plan was made from no longer holds, or the step has to wait.
   *
   * @throws LinkError where the lock was silent.
   */
  async perform(step: Step): Promise<boolean> {
    this.#signal.throwIfAborted();
    switch (step.do) {
      case "verify":
        return this.#verify(step.placement, step.slot);
      case "find":
        return this.#find(step.placement);
      case "look":
        return this.#look(step.slot);
      case "survey":
        return this.#survey(step.slot);
      case "write":
        return this.#write(step.placement, step.slot);
      case "enable":
        return this.#enable(step.placement, step.slot, step.on);
      case "clear":
        return this.#clear(step.placement, step.slot, step.successor);
    }
  }

  async #verify(id: PlacementId, slot: SlotName): Promise<boolean> {
    const contents = await this.#pausing(id, () => this.#read(slot));
    if (contents.state === "empty") this.#known.occupied.delete(slot);
    this.#change(id, (placement) => {
      const seen = observe(placement, slot, contents, this.#now());
      if (contents.state === "opaque" && isUnknowable(seen)) return this.#leftAlone(seen);
      return this.#concluded(seen, isSettled(seen) && contents.state !== "unreadable");
    });
    return true;
  }

  async #find(id: PlacementId): Promise<boolean> {
    const placement = this.#around.ledger.placement(id);
    if (!placement || !this.#asking.lists) return false;
    const ours = new Set(
      this.#around.ledger.placements(this.#device).flatMap(({ belief }) => (belief.at === "held" ? [belief.slot] : [])),
    );
    const found: { readonly slot: SlotName; readonly contents: Observed }[] = [];
    let isExplained = true;
    await this.#pausing(id, () =>
      this.#asking.list((slot, contents) => {
        if (contents.state === "known" && contents.fingerprint === placement.fingerprint)
          found.push({ slot, contents });
        else if (contents.state !== "known" && !ours.has(slot)) isExplained = false;
        return found.length > 0;
      }),
    );
    this.#change(id, (now) => {
      const [there] = found;
      if (there) return this.#concluded(observe(now, there.slot, there.contents, this.#now()), true);
      return isExplained ? this.#concluded(notFound(now), true) : this.#concluded(now, false);
    });
    return true;
  }

  async #look(slot: SlotName): Promise<boolean> {
    const contents = await this.#read(slot);
    if (contents.state === "empty") {
      this.#empty.add(slot);
      return true;
    }
    this.#found(slot, contents);
    this.#see(slot, contents);
    return true;
  }

  /** Where it is listed, a slot that it does not name is empty. */
  async #survey(slot: SlotName | undefined): Promise<boolean> {
    const { survey } = this.#known;
    if (slot !== undefined) {
      const contents = await this.#read(slot);
      this.#see(slot, contents);
      if (contents.state === "empty") this.#known.occupied.delete(slot);
      else if (!this.#ours().has(slot)) this.#found(slot, contents);
      survey.answered(slot, contents.state !== "unreadable", this.#now(), this.#around.random);
      return true;
    }
    const listed: [SlotName, Observed][] = [];
    await this.#asking.list((at, contents) => {
      listed.push([at, contents]);
      return false;
    });
    for (const [at, contents] of listed) this.#see(at, contents);
    const ours = this.#ours();
    for (const [at, contents] of listed) if (!ours.has(at)) this.#found(at, contents);
    survey.answered(undefined, true, this.#now(), this.#around.random);
    return true;
  }

  /** Whatever it was looked at for: what waits to be cleared is not, once its owner's code was seen in its place (Law 6). */
  #see(slot: SlotName, contents: Observed): void {
    const isCertain = contents.state === "known" || contents.state === "empty";
    for (const placement of this.#around.ledger.placements(this.#device)) {
      if (placement.late?.slot === slot || (isCertain && slotOf(placement) === slot))
        this.#change(placement.id, (now) => observe(now, slot, contents, this.#now()));
    }
  }

  #ours(): ReadonlySet<SlotName | undefined> {
    const placements = this.#around.ledger.placements(this.#device);
    return new Set(placements.flatMap((placement) => [slotOf(placement), placement.late?.slot]));
  }

  /** In a slot that no placement explains: the owner's, unless it is what we put into the lock under its former name. */
  #found(slot: SlotName, contents: Observed): void {
    if (this.#around.ledger.recognise(this.#device, slot, contents)) this.#around.committed();
    else this.#known.occupied.set(slot, this.#now());
  }

  async #write(id: PlacementId, slot: SlotName | undefined): Promise<boolean> {
    // `delete` tells whether it was there: the slot is no longer known to be empty from here on.
    if (slot !== undefined && !this.#empty.delete(slot)) return false;
    const before = this.#around.ledger.placement(id);
    if (!before?.wanted || before.belief.at !== "nowhere" || isToBeShut(before)) return false;
    const { settles } = this.#limits;
    if (!this.#change(id, (placement) => intendWrite(placement, slot, this.#now(), settles))) return false;
    this.#known.noteSent(intendWrite(before, slot, this.#now(), settles), this.#now());
    const entry = this.#entryOf(before);
    await this.#settling(
      id,
      () => this.#asking.ask((memory, signal) => memory.write(entry, slot, signal)),
      (placement, outcome) => settleWrite(placement, before, outcome, this.#now(), settles),
    );
    return true;
  }

  async #clear(id: PlacementId, slot: SlotName, successor: PlacementId | undefined): Promise<boolean> {
    const before = this.#around.ledger.placement(id);
    if (!before || before.belief.at === "nowhere" || before.belief.slot !== slot) return false;
    if (!this.#change(id, (placement) => intendClear(placement, slot))) return false;
    if (successor) this.#change(successor, (placement) => ({ ...placement, inPlace: true }));
    await this.#settling(
      id,
      () => this.#asking.ask((memory, signal) => memory.clear(slot, signal)),
      (placement, outcome) => settleClear(placement, before, outcome, this.#now()),
    );
    return true;
  }

  async #enable(id: PlacementId, slot: SlotName, on: boolean): Promise<boolean> {
    const before = this.#around.ledger.placement(id);
    if (before?.belief.at !== "held" || before.belief.slot !== slot || before.dormant === on) return false;
    const { settles } = this.#limits;
    if (!this.#change(id, (placement) => intendSwitch(placement, slot, on, this.#now(), settles))) return false;
    const entry = this.#entryOf(before);
    const refused: WriteOutcome = { result: "refused", reason: "forbidden" };
    await this.#settling(
      id,
      () => this.#asking.ask(async (memory, signal) => (await memory.enable?.(slot, entry, on, signal)) ?? refused),
      (placement, outcome) => settleSwitch(placement, before, outcome),
      // It is cleared instead, at once.
      false,
    );
    return true;
  }

  #entryOf({ credential, when, identity }: Placement): Entry {
    return { credential: this.#around.ledger.credential(credential), when, label: identity };
  }

  /** Sends a command to the lock, and writes down what became of it, silence included. */
  async #settling(
    id: PlacementId,
    send: () => Promise<WriteOutcome>,
    settle: (placement: Placement, outcome: Settlement) => Placement,
    isPausedByRefusal = true,
  ): Promise<void> {
    let outcome: Settlement;
    try {
      outcome = await send();
    } catch (error) {
      const wasSent = !(error instanceof LinkError) || error.sent;
      const silence: Settlement = { result: wasSent ? "unconfirmed" : "not_sent" };
      this.#change(id, (placement) => this.#paused(settle(placement, silence)));
      throw error;
    }
    this.#change(id, (placement) => {
      const settled = settle(placement, outcome);
      if (outcome.result === "refused" && isPausedByRefusal && isLeaving(settled)) return this.#paused(settled);
      return this.#concluded(settled, isSettled(settled));
    });
  }

  /** The lock has answered all that it can: it is asked again in a while, in case that somebody has cleared the slot. */
  #leftAlone(placement: Placement): Placement {
    this.#settled += 1;
    return { ...placement, next: later(this.#now(), whileMasked) };
  }

  /** After a step that was answered: what it left in doubt waits, so that it does not hold up the others. */
  #concluded(placement: Placement, isProven: boolean): Placement {
    if (isProven) this.#settled += 1;
    else this.#doubted += 1;
    return isProven ? placement : this.#paused(placement);
  }

  /** Where the lock is silent, the placement that was asked about waits, so that it does not hold up the others. */
  async #pausing<T>(id: PlacementId, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.#change(id, (placement) => this.#paused(placement));
      throw error;
    }
  }

  #paused(placement: Placement): Placement {
    const pauses = placement.pauses + 1;
    const pause = backoff(pauses, firstPause, lastPause, this.#around.random);
    return { ...placement, pauses, next: later(this.#now(), pause) };
  }

  async #read(slot: SlotName): Promise<Observed> {
    // A slot that was read empty for a write that was not sent may have been filled since: only the last word counts.
    this.#empty.delete(slot);
    return this.#asking.read(slot);
  }

  /** False where the placement is no longer one of the lock at this device: then nothing of it is to be done here. */
  #change(id: PlacementId, by: (placement: Placement) => Placement): boolean {
    const changed = this.#around.ledger.change(this.#device, id, by);
    // A round on a slow lock takes minutes: what a step has proven is told at once.
    this.#around.committed();
    return changed !== undefined;
  }

  #now(): Instant {
    return this.#around.clock.now();
  }
}

/** Nothing about it is in doubt. */
const isSettled = ({ belief, suspect }: Placement): boolean =>
  (belief.at === "nowhere" || belief.at === "held") && !suspect;
