import assert from "node:assert/strict";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { branded } from "../../agent/domain/brand.ts";
import type { Fingerprint } from "../../agent/domain/credential.ts";
import { returned } from "../../agent/domain/displaced.ts";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import type { Late } from "../../agent/domain/late.ts";
import type { TimedWindow } from "../../agent/domain/lock-window.ts";
import { observe } from "../../agent/domain/observe.ts";
import { doubted, interrupted, isClean, isShut, type Placement, slotOf } from "../../agent/domain/placement.ts";
import { intendClear, intendWrite, type Settlement, settleClear, settleWrite } from "../../agent/domain/settle.ts";
import { type Observed, slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const slot = slotName("3");
const settles = 60_000;
const foreign = branded<Fingerprint>("f-owner");
const there = { at: "held", slot, proof: "read_back" } as const;
const suspended = { ...there, disabled: "by_us" } as const;
const lateHere: Late = { slot, writes: 1, since: instant(0), until: instant(settles), check: instant(1_000) };
const hours: TimedWindow = { startsAt: undefined, endsAt: instant(90_000), weekly: undefined, zone: "UTC" };

type Act =
  | {
      readonly act: "write" | "clear";
      readonly goes: "answered" | "unanswered" | "lost" | "refused" | "not_sent" | "late";
    }
  | { readonly act: "read"; readonly answer: "plain" | "unreadable" }
  | { readonly act: "owner"; readonly puts: "empty" | "foreign" }
  | { readonly act: "wish" | "wait" | "crash" };
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    act: fc.constantFrom("write" as const, "write" as const, "clear" as const),
    goes: fc.constantFrom(...(["answered", "answered", "unanswered", "lost", "refused", "not_sent", "late"] as const)),
  }),
  fc.record({
    act: fc.constant("read" as const),
    answer: fc.constantFrom("plain" as const, "plain" as const, "unreadable" as const),
  }),
  fc.record({ act: fc.constant("owner" as const), puts: fc.constantFrom("empty" as const, "foreign" as const) }),
  fc.record({ act: fc.constantFrom("wish" as const, "wait" as const, "wait" as const, "crash" as const) }),
);

/** One slot of a lock that tells what it holds and may be late, and what is believed of it. */
class Slot {
  placement: Placement = placementOf("ann");
  holds: "empty" | "ours" | "foreign" = "empty";
  now: Instant = instant(1_000_000);
  /** Until when writes may still be executed. */
  pending: Instant[] = [];
  ownerActed = false;

  do(act: Act): void {
    this.now = later(this.now, 1_000);
    this.pending = this.pending.filter((until) => until > this.now);
    switch (act.act) {
      case "write":
        return this.write(act.goes);
      case "clear":
        return this.clear(act.goes);
      case "read":
        return this.read(act.answer);
      case "owner":
        this.holds = act.puts;
        this.ownerActed = true;
        return;
      case "wish":
        this.placement = { ...this.placement, wanted: !this.placement.wanted };
        return;
      case "wait":
        this.wait();
        return;
      case "crash":
        this.placement = interrupted(this.placement);
    }
  }

  wait(): void {
    // Half of what is late arrives, the other half never does.
    if (this.pending.length % 2 === 1) this.holds = "ours";
    this.pending = this.pending.slice(1);
    this.now = later(this.now, 20_000);
  }

  write(goes: string): void {
    const before = this.placement;
    if (before.belief.at !== "nowhere" || this.holds !== "empty") return;
    const intended = intendWrite(before, slot, this.now, settles);
    assert.equal(isClean(intended), false);
    if (goes === "answered" || goes === "lost") this.holds = "ours";
    if (goes === "late") this.pending.push(later(this.now, settles));
    this.placement = settleWrite(intended, before, settlementOf(goes), this.now, settles);
    if (goes === "not_sent") assert.deepEqual(this.placement, before);
  }

  clear(goes: string): void {
    const before = this.placement;
    if (before.belief.at !== "held") return;
    const intended = intendClear(before, slot);
    assert.equal(isClean(intended), false);
    if (goes === "answered" || goes === "lost") this.holds = "empty";
    const told = goes === "late" ? "unanswered" : goes;
    this.placement = settleClear(intended, before, settlementOf(told), this.now);
    if (told === "not_sent" || told === "refused") assert.deepEqual(this.placement.belief, before.belief);
  }

  read(answer: "plain" | "unreadable"): void {
    const before = this.placement;
    const contents: Observed = answer === "unreadable" ? { state: "unreadable" } : this.contents();
    this.placement = observe(before, slot, contents, this.now);
    const { belief, late } = this.placement;
    if (answer === "unreadable") {
      // What nobody wants any more is taken for there, so that it is cleared.
      if (before.wanted || before.belief.at === "nowhere") assert.deepEqual(this.placement, before);
      else assert.equal(this.placement.belief.at, "held");
      return;
    }
    this.ownerActed = false;
    assert.equal(belief.at === "held" && belief.proof === "read_back", this.holds === "ours");
    if (this.holds !== "ours") assert.equal(belief.at, "nowhere");
    assert.equal(late === undefined || late.until > this.now, true);
    assert.equal(late === undefined || late.check > this.now, true);
  }

  contents(): Observed {
    if (this.holds === "empty") return { state: "empty" };
    return { state: "known", fingerprint: this.holds === "ours" ? this.placement.fingerprint : foreign };
  }

  check(): void {
    // What the owner did since the last read nobody can know.
    if (this.ownerActed) return;
    if (!isClean(this.placement)) return;
    assert.notEqual(this.holds, "ours");
    assert.deepEqual(this.pending, []);
  }
}

function settlementOf(goes: string): Settlement {
  switch (goes) {
    case "answered":
      return { result: "stored", slot, proof: "read_back" };
    case "refused":
      return { result: "refused", reason: "invalid" };
    case "not_sent":
      return { result: "not_sent" };
    default:
      return { result: "unconfirmed" };
  }
}

test("a placement is held by read_back only where the lock held the code, and clean only where nothing of it is left", () => {
  let held = 0;
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 25 }), (sequence) => {
      const world = new Slot();
      for (const act of sequence) {
        world.do(act);
        world.check();
        if (world.placement.belief.at === "held") held += 1;
      }
    }),
    { numRuns: 1_000 },
  );
  expect(held).toBeGreaterThan(100);
});

test("observe() of a masked slot believes a code to be ours only where the slot was empty before", () => {
  const written = placementOf("ann", { belief: { at: "write", slot, wasEmpty: true, inFlight: false } });
  const opaque = { state: "opaque" } as const;
  expect(observe(written, slot, opaque, instant(0)).belief).toMatchObject({ at: "held", proof: "read_back_masked" });
  const overwritten = placementOf("ann", { belief: { at: "write", slot, wasEmpty: false, inFlight: false } });
  expect(observe(overwritten, slot, opaque, instant(0)).belief.at).toBe("write");
  expect(observe(placementOf("ann"), slot, opaque, instant(0)).belief.at).toBe("nowhere");
});

test("observe() keeps watch for a write that was not answered, though its code is there: it may be sent once more", () => {
  const late = { slot, writes: 1, since: instant(0), until: instant(600_000), check: instant(1_000) };
  const written = placementOf("ann", { late, belief: { at: "write", slot, wasEmpty: true, inFlight: false } });
  const known = { state: "known", fingerprint: written.fingerprint } as const;
  for (const placement of [written, placementOf("ann", { late })]) {
    const seen = observe(placement, slot, known, instant(5_000));
    expect(seen).toMatchObject({ belief: { at: "held" }, late: { until: 600_000 } });
    const leaving = intendClear({ ...seen, wanted: false }, slot);
    const cleared = settleClear(leaving, seen, { result: "stored", slot, proof: "read_back" }, instant(9_000));
    expect(isClean(cleared)).toBe(false);
    expect(isClean(observe(cleared, slot, { state: "empty" }, instant(600_000)))).toBe(true);
  }
});

test("observe() takes a masked code for a late write of ours, in its time and after it", () => {
  const late = { slot, writes: 1, since: instant(0), until: instant(60_000), check: instant(1_000) };
  for (const at of [30_000, 90_000]) {
    const seen = observe(placementOf("ann", { late }), slot, { state: "opaque" }, instant(at));
    expect(seen).toMatchObject({ belief: { at: "held", proof: "read_back_masked" }, late: undefined });
  }
});

test("observe() of another slot says nothing of the one that a credential is in", () => {
  const held = placementOf("ann", { belief: { at: "held", slot, proof: "read_back" } });
  expect(observe(held, slotName("4"), { state: "empty" }, instant(0)).belief).toEqual(held.belief);
});

test("a write that is read back empty three times is not_kept, and tried again in half an hour", () => {
  let placement = placementOf("ann");
  for (const attempt of [1, 2, 3]) {
    expect(placement.refusal).toBeUndefined();
    const intended = intendWrite(placement, slot, instant(0), undefined);
    expect(intended.attempts).toBe(attempt);
    const silent = settleWrite(intended, placement, { result: "unconfirmed" }, instant(0), undefined);
    placement = observe(silent, slot, { state: "empty" }, instant(0));
  }
  expect(placement).toMatchObject({ refusal: { reason: "not_kept" }, next: 30 * 60_000, attempts: 0 });
});

test("a wish that changes while a step is under way stays changed, whatever the answer", () => {
  for (const goes of ["answered", "unanswered", "refused", "not_sent"]) {
    const before = placementOf("ann");
    const revoked = { ...intendWrite(before, slot, instant(0), settles), wanted: false };
    expect(settleWrite(revoked, before, settlementOf(goes), instant(0), settles).wanted).toBe(false);
  }
});

test("interrupted() keeps the doubt and ends the waiting", () => {
  const sent = intendWrite(placementOf("ann"), slot, instant(0), undefined);
  expect(interrupted(sent)).toMatchObject({ belief: { at: "write", slot, inFlight: false } });
  expect(slotOf(interrupted(sent))).toBe(slot);
});

test("a write that turned up does not vouch for an earlier one that may still be executed", () => {
  const first = placementOf("ann");
  const unanswered = settleWrite(
    intendWrite(first, slot, instant(0), settles),
    first,
    { result: "unconfirmed" },
    instant(0),
    settles,
  );
  const empty = observe(unanswered, slot, { state: "empty" }, instant(1_000));
  const second = intendWrite(empty, slot, instant(2_000), settles);
  const held = settleWrite(second, empty, { result: "stored", slot, proof: "read_back" }, instant(2_000), settles);
  const cleared = settleClear(
    intendClear(held, slot),
    held,
    { result: "stored", slot, proof: "read_back" },
    instant(9_000),
  );
  expect(isClean(cleared)).toBe(false);
  expect(isClean(observe(cleared, slot, { state: "empty" }, instant(62_000)))).toBe(true);
});

test("a code that is looked for and found does not vouch for an earlier write that may still be executed", () => {
  const late = { slot, writes: 1, since: instant(0), until: instant(60_000), check: instant(1_000) };
  const held = placementOf("ann", { belief: { at: "held", slot, proof: "read_back" }, late });
  for (const contents of [{ state: "known", fingerprint: held.fingerprint } as const, { state: "opaque" } as const]) {
    const found = observe(doubted(held), slot, contents, instant(30_000));
    expect(found).toMatchObject({ belief: { at: "held" }, late: { slot } });
  }
});

test("observe() takes what nobody wants any more in a slot that cannot be read for there, so that it is cleared", () => {
  const doubtful = placementOf("ann", {
    wanted: false,
    belief: { at: "write", slot, wasEmpty: true, inFlight: false },
  });
  const seen = observe(doubtful, slot, { state: "unreadable" }, instant(0));
  expect(seen.belief).toEqual({ at: "held", slot, proof: "acknowledged" });
  const wanted = { ...doubtful, wanted: true };
  expect(observe(wanted, slot, { state: "unreadable" }, instant(0))).toEqual(wanted);
  // Its lock was elsewhere, and its owner may have put a code of his own there.
  const strange = returned({ ...doubtful, attempts: 1 });
  expect(observe(strange, slot, { state: "unreadable" }, instant(0))).toEqual(strange);
});

test.each<[string, Partial<Placement>, boolean]>([
  ["is nowhere", {}, true],
  ["is nowhere, and may still come", { late: lateHere }, false],
  ["is nowhere, and may still come with its hours", { late: lateHere, when: hours }, true],
  ["is there, and opens", { belief: there }, false],
  ["is suspended", { belief: suspended }, true],
  ["is suspended, and may be let open by what still comes", { belief: suspended, late: lateHere }, false],
  ["is in its hours, which the lock keeps", { belief: there, when: hours }, false],
  ["is out of its hours, which the lock keeps", { belief: there, when: hours, dormant: true }, true],
  [
    "opens at other times than it should",
    { belief: { ...there, otherWindow: true }, when: hours, dormant: true },
    false,
  ],
  [
    "is in doubt",
    { belief: { at: "write", slot, wasEmpty: true, inFlight: false }, when: hours, dormant: true },
    false,
  ],
])(
  "isShut() of a code that %s: so it is while it is wanted, and else only where nothing is left of it",
  (_, of, shut) => {
    const placement = placementOf("ann", of);
    expect(isShut(placement)).toBe(shut);
    const revoked = { ...placement, wanted: false };
    expect(isShut(revoked)).toBe(isClean(revoked));
  },
);
