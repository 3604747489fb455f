import { type Entry, LinkError, type Memory, type WriteOutcome } from "../../drivers/driver.ts";
import type { MemoryLimits } from "../domain/abilities.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
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
import { Progress } from "./progress.ts";
import type { Surroundings } from "./surroundings.ts";

/** Carries out the steps of one round, each with a trace before it and a settlement after it. */
export class Steps {
  readonly progress: Progress;
  readonly #device: DeviceId;
  readonly #asking: Asking;
  readonly #limits: MemoryLimits;
  readonly #known: Pick<Acquaintance, "asked" | "occupied" | "survey" | "noteSent">;
  readonly #around: Surroundings;
  readonly #signal: AbortSignal;
  /** Slots that were read empty in this round, and not written since. */
  readonly #empty = new Set<SlotName>();

  constructor(
    device: DeviceId,
    memory: Memory,
    limits: MemoryLimits,
    known: Pick<Acquaintance, "asked" | "occupied" | "survey" | "noteSent">,
    around: Surroundings,
    signal: AbortSignal,
  ) {
    this.progress = new Progress(device, around);
    this.#device = device;
    this.#asking = new Asking(memory, around, signal);
    this.#limits = limits;
    this.#known = known;
    this.#around = around;
    this.#signal = signal;
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
    const contents = await this.progress.pausing(id, () => this.#read(slot));
    if (contents.state === "empty") this.#known.occupied.delete(slot);
    await this.progress.change(id, (placement) => {
      const seen = observe(placement, slot, contents, this.#now());
      // A look at what is in no doubt, and that says nothing, puts nothing in doubt.
      if (contents.state === "unreadable" && isSettled(placement) && !placement.late) return seen;
      if (contents.state === "opaque" && isUnknowable(seen)) return this.progress.leftAlone(seen);
      return this.progress.concluded(seen, isSettled(seen) && contents.state !== "unreadable");
    });
    return true;
  }

  async #find(id: PlacementId): Promise<boolean> {
    const placement = this.#around.ledger.placement(id);
    if (!placement || !this.#asking.lists) return false;
    const { ledger } = this.#around;
    const ours = new Set(ledger.slotsAtRest(this.#device));
    for (const { belief } of ledger.atWork(this.#device)) if (belief.at === "held") ours.add(belief.slot);
    const found: { readonly slot: SlotName; readonly contents: Observed }[] = [];
    let isExplained = true;
    await this.progress.pausing(id, () =>
      this.#asking.list((slot, contents) => {
        // What another placement has put there is explained, also where it is the same code.
        if (ours.has(slot)) return false;
        if (contents.state === "known" && contents.fingerprint === placement.fingerprint)
          found.push({ slot, contents });
        else if (contents.state !== "known") isExplained = false;
        return found.length > 0;
      }),
    );
    await this.progress.change(id, (now) => {
      const [there] = found;
      if (there) return this.progress.concluded(observe(now, there.slot, there.contents, this.#now()), true);
      return isExplained ? this.progress.concluded(notFound(now), true) : this.progress.concluded(now, false);
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
    await this.#see(slot, contents);
    return true;
  }

  /** Where it is listed, a slot that it does not name is empty. */
  async #survey(slot: SlotName | undefined): Promise<boolean> {
    const { survey } = this.#known;
    if (slot !== undefined) {
      const contents = await this.#read(slot);
      await this.#see(slot, contents);
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
    const all = this.#around.ledger.placements(this.#device);
    // All at once: what happens while the disk is waited for is newer than the list.
    await Promise.all(listed.map(([at, contents]) => this.#see(at, contents, all)));
    const ours = this.#ours();
    for (const [at, contents] of listed) if (!ours.has(at)) this.#found(at, contents);
    survey.answered(undefined, true, this.#now(), this.#around.random);
    return true;
  }

  /**
   * Whatever it was looked at for: what waits to be cleared is not, once its owner's code was seen in its place (Law 6).
   *
   * @param among all that it can be about.
   */
  async #see(
    slot: SlotName,
    contents: Observed,
    among: readonly Placement[] = this.#around.ledger.inSlot(this.#device, slot),
  ): Promise<void> {
    const isCertain = contents.state === "known" || contents.state === "empty";
    const about = among.filter(
      (placement) => placement.late?.slot === slot || (isCertain && slotOf(placement) === slot),
    );
    await Promise.all(
      about.map(({ id }) => this.progress.change(id, (now) => observe(now, slot, contents, this.#now()))),
    );
  }

  #ours(): ReadonlySet<SlotName | undefined> {
    const { ledger } = this.#around;
    const atWork = ledger.atWork(this.#device).flatMap((placement) => [slotOf(placement), placement.late?.slot]);
    return new Set([...ledger.slotsAtRest(this.#device), ...atWork]);
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
    if (!(await this.progress.change(id, (placement) => intendWrite(placement, slot, this.#now(), settles))))
      return false;
    const entry = this.#entryOf(before);
    await this.#settling(
      id,
      () => {
        this.#known.noteSent(intendWrite(before, slot, this.#now(), settles), this.#now());
        return this.#asking.ask((memory, signal) => memory.write(entry, slot, signal));
      },
      (placement, outcome) => settleWrite(placement, before, outcome, this.#now(), settles),
      { isStill: () => this.#around.ledger.placement(id)?.wanted === true },
    );
    return true;
  }

  async #clear(id: PlacementId, slot: SlotName, successor: PlacementId | undefined): Promise<boolean> {
    const before = this.#around.ledger.placement(id);
    if (!before || before.belief.at === "nowhere" || before.belief.slot !== slot) return false;
    if (!(await this.progress.change(id, (placement) => intendClear(placement, slot)))) return false;
    if (successor) await this.progress.change(successor, (placement) => ({ ...placement, inPlace: true }));
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
    if (!(await this.progress.change(id, (placement) => intendSwitch(placement, slot, on, this.#now(), settles))))
      return false;
    const entry = this.#entryOf(before);
    const refused: WriteOutcome = { result: "refused", reason: "forbidden" };
    await this.#settling(
      id,
      () => this.#asking.ask(async (memory, signal) => (await memory.enable?.(slot, entry, on, signal)) ?? refused),
      (placement, outcome) => settleSwitch(placement, before, outcome),
      // It is cleared instead, at once.
      { isPausedByRefusal: false },
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
    { isPausedByRefusal = true, isStill = (): boolean => true } = {},
  ): Promise<void> {
    // While the intent went to the disk it may have been taken back, or another lock may have come.
    if (!this.#known.asked || !isStill()) {
      await this.progress.change(id, (placement) => settle(placement, { result: "not_sent" }));
      return;
    }
    let outcome: Settlement;
    try {
      outcome = this.#proven(await send());
    } catch (error) {
      const wasSent = !(error instanceof LinkError) || error.sent;
      const silence: Settlement = { result: wasSent ? "unconfirmed" : "not_sent" };
      await this.progress.change(id, (placement) => this.progress.paused(settle(placement, silence)));
      throw error;
    }
    await this.progress.change(id, (placement) => {
      const settled = settle(placement, outcome);
      if (outcome.result === "refused" && isPausedByRefusal && isLeaving(settled)) return this.progress.paused(settled);
      return this.progress.concluded(settled, isSettled(settled));
    });
  }

  /** The word of a lock that tells its codes proves nothing: it is asked what it holds before anything is said of that. */
  #proven(outcome: WriteOutcome): Settlement {
    const isWord = outcome.result === "stored" && outcome.proof === "acknowledged";
    return isWord && this.#limits.readBack === "full" ? { result: "unconfirmed", slot: outcome.slot } : outcome;
  }

  async #read(slot: SlotName): Promise<Observed> {
    // A slot that was read empty for a write that was not sent may have been filled since: only the last word counts.
    this.#empty.delete(slot);
    return this.#asking.read(slot);
  }

  #now(): Instant {
    return this.#around.clock.now();
  }
}

/** Nothing about it is in doubt. */
const isSettled = ({ belief, suspect }: Placement): boolean =>
  (belief.at === "nowhere" || belief.at === "held") && !suspect;
