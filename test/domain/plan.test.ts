import assert from "node:assert/strict";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { MemoryLimits } from "../../agent/domain/abilities.ts";
import type { PlacementId } from "../../agent/domain/ids.ts";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Late } from "../../agent/domain/late.ts";
import { observe } from "../../agent/domain/observe.ts";
import {
  type Belief,
  isAtRest,
  isClean,
  isLeaving,
  type Placement,
  type Refusal,
  slotOf,
} from "../../agent/domain/placement.ts";
import { type LockState, plan, type Step } from "../../agent/domain/plan.ts";
import {
  intendClear,
  intendSwitch,
  intendWrite,
  settleClear,
  settleSwitch,
  settleWrite,
} from "../../agent/domain/settle.ts";
import { type Observed, type SlotName, slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const now = instant(1_000_000);
const soon = later(now, 10 * 60_000);
const slotsOf = (count: number): SlotName[] => Array.from({ length: count }, (_, at) => slotName(String(at + 1)));
const limitsOf = (slots: number): MemoryLimits => ({
  kinds: new Map([["pin", { slots: slotsOf(slots), lengths: [], alphabet: "", rules: [] }]]),
  windows: "none",
  readBack: "full",
  cost: { read: "cheap", write: "cheap" },
});
const stateOf = (placements: readonly Placement[], of: Partial<LockState> = {}): LockState => ({
  placements,
  atRest: new Set(),
  limits: limitsOf(3),
  can: { read: true, list: false },
  occupied: new Set(),
  survey: [],
  now,
  ...of,
});

const start = fc.record({
  wanted: fc.boolean(),
  belief: fc.constantFrom("new", "new", "held", "held", "lost", "suspect", "write", "clear", "late"),
  /** Whether the lock really did what is in doubt. */
  happened: fc.boolean(),
  refusal: fc.constantFrom(undefined, undefined, undefined, "invalid" as const, "full" as const, "not_kept" as const),
  twin: fc.boolean(),
  /** No window is open, and the lock would have to suspend the code. */
  dormant: fc.boolean(),
  /** What the lock really has is suspended; or opens at other times than it was written for. */
  odd: fc.constantFrom(undefined, undefined, "disabled" as const, "otherWindow" as const),
});
type Start = typeof start extends fc.Arbitrary<infer T> ? T : never;

/** A lock that does as it is told, and says what it holds: by slot, whose. */
class Lock {
  readonly holds = new Map<SlotName, string>();
  readonly disabled = new Set<SlotName>();
  readonly otherWindow = new Set<SlotName>();
  readonly unreadable: ReadonlySet<SlotName>;
  readonly slots: readonly SlotName[];
  placements: Placement[] = [];
  occupied = new Set<SlotName>();
  readonly #empty = new Set<SlotName>();

  /** Whether it suspends codes. */
  readonly suspends: boolean;

  constructor(
    slots: readonly SlotName[],
    owners: readonly boolean[],
    unreadable: readonly boolean[],
    suspends: boolean,
  ) {
    this.suspends = suspends;
    this.slots = slots;
    // The owner's are the last slots, so that there are some for us.
    for (const [at, slot] of slots.toReversed().entries()) if (owners[at]) this.holds.set(slot, "owner");
    this.unreadable = new Set(slots.filter((slot, at) => unreadable[at] && !this.holds.has(slot)));
  }

  add(at: number, begins: Start): void {
    const { wanted, belief: kind, happened, refusal, twin, dormant } = begins;
    const identity = `person-${twin ? Math.max(at - 1, 0) : at}`;
    const slot = this.slots.find((each) => !this.holds.has(each) && !this.unreadable.has(each) && !this.#isOurs(each));
    const { belief, isThere } = kind === "new" || !slot ? fresh : beliefs(kind, slot, happened);
    const placement = placementOf(`${identity}-${at}`, {
      wanted,
      dormant: wanted && dormant,
      belief: isThere ? oddly(belief, begins.odd) : belief,
      identity: placementOf(identity).identity,
      suspect: kind === "suspect" || kind === "lost",
      late: kind === "late" && slot ? lateIn(slot) : undefined,
      refusal: wanted && belief.at === "nowhere" ? refusalOf(refusal) : undefined,
    });
    if (slot && isThere) this.#put(slot, placement.id, begins.odd);
    if (wanted || !isClean(placement)) this.placements.push(placement);
  }

  #put(slot: SlotName, id: PlacementId, odd: Start["odd"]): void {
    this.holds.set(slot, id);
    if (odd) this[odd].add(slot);
  }

  #isOurs(slot: SlotName): boolean {
    return this.placements.some((placement) => slotOf(placement) === slot || placement.late?.slot === slot);
  }

  plan(): ReturnType<typeof plan> {
    const limits = { ...limitsOf(this.slots.length), suspends: this.suspends };
    const can = { read: true, list: false, enable: this.suspends };
    const whole = plan(stateOf(this.placements, { limits, can, occupied: this.occupied }));
    const atRest = new Set(this.placements.filter(isAtRest).flatMap((placement) => slotOf(placement) ?? []));
    const atWork = this.placements.filter((placement) => !isAtRest(placement));
    // What is at rest changes nothing but where there is room.
    assert.deepEqual(plan(stateOf(atWork, { limits, can, occupied: this.occupied, atRest })), whole);
    return whole;
  }

  read(slot: SlotName): Observed {
    if (this.unreadable.has(slot)) return { state: "unreadable" };
    const holder = this.holds.get(slot);
    if (holder === undefined) return { state: "empty" };
    const ours = this.placements.find(({ id }) => id === holder);
    return {
      state: "known",
      fingerprint: ours?.fingerprint ?? placementOf("owner").fingerprint,
      disabled: this.disabled.has(slot),
      when: this.otherWindow.has(slot) ? { ...nothing, endsAt: soon, zone: "UTC" } : "always",
    };
  }

  /** As the steps of a round do it. */
  do(step: Step): void {
    switch (step.do) {
      case "survey":
      case "find":
        throw new Error("a numbered lock is never listed");
      case "verify":
        return this.change(step.placement, (placement) => observe(placement, step.slot, this.read(step.slot), now));
      case "look":
        if (this.read(step.slot).state === "empty") this.#empty.add(step.slot);
        else this.occupied.add(step.slot);
        return;
      case "write":
        return this.write(step.placement, step.slot);
      case "enable":
        return this.enable(step.placement, step.slot, step.on);
      case "clear":
        return this.clear(step.placement, step.slot);
    }
  }

  write(id: PlacementId, slot: SlotName | undefined): void {
    if (slot === undefined) throw new Error("the writer chooses the slot");
    // Only where the look before it said empty.
    if (!this.#empty.delete(slot)) return;
    assert.equal(this.holds.has(slot) || this.unreadable.has(slot), false);
    const others = this.placements.filter((placement) => placement.id !== id);
    assert.equal(others.map(({ late }) => late?.slot).includes(slot), false);
    assert.equal(others.map(slotOf).includes(slot), false);
    this.change(id, (before) => {
      assert.equal(before.wanted && before.belief.at === "nowhere" && !before.dormant, true);
      this.holds.set(slot, id);
      const sent = intendWrite(before, slot, now, undefined);
      return settleWrite(sent, before, { result: "stored", slot, proof: "read_back" }, now, undefined);
    });
  }

  clear(id: PlacementId, slot: SlotName): void {
    assert.notEqual(this.holds.get(slot), "owner");
    this.change(id, (before) => {
      assert.equal(isLeaving(before), true);
      assert.equal(before.belief.at, "held");
      this.holds.delete(slot);
      this.disabled.delete(slot);
      this.otherWindow.delete(slot);
      return settleClear(intendClear(before, slot), before, { result: "stored", slot, proof: "read_back" }, now);
    });
  }

  enable(id: PlacementId, slot: SlotName, on: boolean): void {
    assert.equal(this.suspends, true);
    this.change(id, (before) => {
      assert.equal(before.wanted && before.dormant !== on, true);
      assert.equal(this.holds.get(slot), id);
      if (on) this.disabled.delete(slot);
      else this.disabled.add(slot);
      const stored = { result: "stored", slot, proof: "read_back" } as const;
      return settleSwitch(intendSwitch(before, slot, on, now, undefined), before, stored);
    });
  }

  change(id: PlacementId, by: (placement: Placement) => Placement): void {
    this.placements = this.placements.map((placement) => (placement.id === id ? by(placement) : placement));
  }
}

const nothing = { startsAt: undefined, endsAt: undefined, weekly: undefined };
const oddly = (belief: Belief, odd: Start["odd"]): Belief =>
  belief.at === "held" && odd ? { ...belief, ...oddities[odd] } : belief;
const oddities = { disabled: { disabled: "by_us" }, otherWindow: { otherWindow: true } } as const;
const lateIn = (slot: SlotName): Late => ({ slot, writes: 1, since: now, until: soon, check: soon });
const refusalOf = (reason: Refusal | undefined): Placement["refusal"] => reason && { reason, detail: undefined };

const fresh = { belief: { at: "nowhere", proof: "never_sent" } as const, isThere: false };
function beliefs(kind: string, slot: SlotName, happened: boolean): { belief: Belief; isThere: boolean } {
  switch (kind) {
    case "held":
      return { belief: { at: "held", slot, proof: "read_back" }, isThere: true };
    case "lost":
      return { belief: { at: "held", slot, proof: "read_back" }, isThere: false };
    case "suspect":
      return { belief: { at: "held", slot, proof: "read_back" }, isThere: true };
    case "write":
      return { belief: { at: "write", slot, wasEmpty: true, inFlight: false }, isThere: happened };
    case "clear":
      return { belief: { at: "clear", slot, inFlight: false }, isThere: !happened };
    default:
      return fresh;
  }
}

const isStanding = (refusal: Refusal | undefined): boolean =>
  refusal === "invalid" || refusal === "duplicate" || refusal === "forbidden" || refusal === "kind_not_supported";

function checkPlan({ placements }: Lock, steps: readonly Step[]): void {
  for (const placement of placements) {
    const mine = steps.filter((step) => "placement" in step && step.placement === placement.id);
    const inDoubt = placement.belief.at === "write" || placement.belief.at === "clear" || placement.suspect;
    if (inDoubt && slotOf(placement) !== undefined) assert.equal(mine[0]?.do, "verify");
    if (inDoubt && placement.belief.at !== "nowhere")
      assert.equal(mine.map((step) => step.do).includes("write"), false);
    if (placement.belief.at === "nowhere" && isStanding(placement.refusal?.reason)) {
      assert.deepEqual(
        mine.filter((step) => step.do !== "verify"),
        [],
      );
    }
  }
  const kinds = steps.map((step) => step.do);
  const firstWrite = kinds.indexOf("write");
  if (firstWrite >= 0) assert.ok(kinds.lastIndexOf("clear") < firstWrite);
  for (const [at, step] of steps.entries()) {
    if (step.do === "write") assert.deepEqual(steps[at - 1], { do: "look", slot: step.slot });
  }
}

test("plan() takes an obedient lock to what is wanted, touches nothing of the owner's, and then plans nothing", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
      fc.array(fc.boolean(), { maxLength: 2 }),
      fc.array(start, { maxLength: 7 }),
      fc.boolean(),
      (slots, owners, unreadable, starts, suspends) => {
        const lock = new Lock(slotsOf(slots), owners, unreadable, suspends);
        for (const [at, each] of starts.entries()) lock.add(at, each);
        const owned = [...lock.holds].filter(([, holder]) => holder === "owner");
        let next = lock.plan();
        for (let pass = 0; next.steps.length > 0; pass++) {
          expect(pass).toBeLessThan(30);
          checkPlan(lock, next.steps);
          for (const step of next.steps) lock.do(step);
          lock.placements = lock.placements.filter(
            ({ wanted, belief, late }) => wanted || belief.at !== "nowhere" || late,
          );
          next = lock.plan();
        }
        expect([...lock.holds].filter(([, holder]) => holder === "owner")).toEqual(owned);
        checkEnd(lock, next.full);
      },
    ),
    { numRuns: 2_000 },
  );
});

function checkEnd(lock: Lock, full: ReadonlySet<PlacementId>): void {
  const held = new Map([...lock.holds].filter(([, holder]) => holder !== "owner").map(([slot, id]) => [id, slot]));
  for (const placement of lock.placements) {
    const isHeld = placement.belief.at === "held";
    assert.equal(held.get(placement.id), slotOf(placement));
    const slot = slotOf(placement);
    const isOpen = slot !== undefined && !lock.disabled.has(slot);
    if (!placement.wanted) assert.equal(isHeld, false);
    else if (placement.dormant) assert.equal(isHeld && isOpen, false);
    else if (isHeld) assert.equal(isOpen || !lock.suspends, true);
    else assert.equal(full.has(placement.id) || isStanding(placement.refusal?.reason), true);
  }
  if (full.size === 0) return;
  const free = lock.slots.filter((slot) => !lock.holds.has(slot) && !lock.unreadable.has(slot));
  assert.equal(
    free.every((slot) => lock.placements.some(({ late }) => late?.slot === slot)),
    true,
  );
}

const [one, two, three] = [slotName("1"), slotName("2"), slotName("3")];
const heldIn = (slot: SlotName): Belief => ({ at: "held", slot, proof: "read_back" });

test("plan() leaves a code in place until its successor is proven, where there is a spare slot", () => {
  const old = placementOf("ann", { wanted: false, belief: heldIn(one) });
  const next = placementOf("ann-new", { identity: old.identity });
  const { steps } = plan(stateOf([old, next]));
  expect(steps).toEqual([
    { do: "look", slot: two },
    { do: "write", placement: next.id, slot: two },
  ]);
  const proven = plan(stateOf([old, { ...next, belief: heldIn(two) }]));
  expect(proven.steps).toEqual([{ do: "clear", placement: old.id, slot: one }]);
});

test("plan() does not wait for the same code to leave where nobody can ever tell whether it is there", () => {
  const old = placementOf("ann", { wanted: false, belief: { at: "clear", slot: one, inFlight: false }, next: soon });
  const again = placementOf("ann-again", { identity: old.identity, fingerprint: old.fingerprint });
  expect(plan(stateOf([old, again])).steps).toEqual([]);
  const unknowable = { ...old, belief: { at: "write", slot: one, wasEmpty: false, inFlight: false } } as const;
  expect(plan(stateOf([unknowable, again])).steps).toEqual([
    { do: "look", slot: two },
    { do: "write", placement: again.id, slot: two },
  ]);
});

test("plan() clears a code first where its successor finds no other slot, or will not be kept", () => {
  const old = placementOf("ann", { wanted: false, belief: heldIn(one) });
  const next = placementOf("ann-new", { identity: old.identity });
  const clear = { do: "clear", placement: old.id, slot: one };
  const inItsPlace = { ...clear, successor: next.id };
  expect(plan(stateOf([old, next], { occupied: new Set([two, three]) })).steps[0]).toEqual(inItsPlace);
  for (const reason of ["not_kept", "duplicate", "forbidden"] as const) {
    const refused = { ...next, refusal: { reason, detail: undefined }, next: soon };
    expect(plan(stateOf([old, refused])).steps).toEqual([clear]);
  }
});

test("plan() fills a full lock oldest first, and says who finds no room", () => {
  const people = ["ann", "ben", "cyd", "dot"].map((name) => placementOf(name));
  const { steps, full } = plan(stateOf(people));
  expect(steps.filter((step) => step.do === "write").map((step) => step.placement)).toEqual([
    "p-ann",
    "p-ben",
    "p-cyd",
  ]);
  expect([...full]).toEqual(["p-dot"]);
});

test("plan() does nothing about what is not due", () => {
  const waiting = placementOf("ann", { next: soon });
  expect(plan(stateOf([waiting])).steps).toEqual([]);
});

test("plan() takes what is put off for longer than we put anything off for due: the clock was set back", () => {
  const waiting = placementOf("ann", { next: later(now, 3600_000) });
  expect(plan(stateOf([waiting])).steps).not.toEqual([]);
});

test("plan() writes again where a write may still arrive, and nowhere else while that slot is taken", () => {
  const late = { slot: two, writes: 1, since: now, until: soon, check: soon };
  const placement = placementOf("ann", { late });
  expect(plan(stateOf([placement])).steps).toContainEqual({ do: "write", placement: placement.id, slot: two });
  expect(plan(stateOf([placement], { occupied: new Set([two]) }))).toEqual({ steps: [], full: new Set() });
});

test("plan() looks at the slot of a late write when it is time, also of one that nobody wants any more", () => {
  const late = { slot: two, writes: 1, since: now, until: soon, check: now };
  const leaving = placementOf("ann", { late, wanted: false });
  expect(plan(stateOf([leaving])).steps).toEqual([{ do: "verify", placement: leaving.id, slot: two }]);
});

test("plan() clears what is revoked on a lock that cannot be asked, whatever happened at it", () => {
  const can = { read: false, list: false };
  const revoked = placementOf("ann", { wanted: false, belief: heldIn(one), suspect: true });
  expect(plan(stateOf([revoked], { can })).steps).toEqual([{ do: "clear", placement: revoked.id, slot: one }]);
  const doubtful = placementOf("ann", { wanted: false, belief: { at: "clear", slot: one, inFlight: false } });
  expect(plan(stateOf([doubtful], { can })).steps).toEqual([{ do: "clear", placement: doubtful.id, slot: one }]);
});

test("plan() lists a lock that chose a slot and whose answer was lost, and writes nothing blindly", () => {
  const lost = placementOf("ann", { belief: { at: "write", slot: undefined, wasEmpty: true, inFlight: false } });
  expect(plan(stateOf([lost], { can: { read: true, list: true } })).steps).toEqual([
    { do: "find", placement: lost.id },
  ]);
  expect(plan(stateOf([lost])).steps).toEqual([]);
});
