import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type DoorDecision, together } from "../../agent/domain/door-decision.ts";
import { doorLimits, doorRules, mostDigits, presented } from "../../agent/domain/door-rule.ts";
import { userIdentityId } from "../../agent/domain/ids.ts";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import { type Entry, type Gathered, gather, keyTimeout, type Typed } from "../../agent/domain/keypad.ts";
import { isLockedOut, type LockOut, wrongCode } from "../../agent/domain/lock-out.ts";
import { Secret } from "../../agent/domain/secret.ts";

const start = instant(1_750_000_000_000);
const keys = fc.string({ unit: fc.constantFrom(...Array.from("0123456789#*")), maxLength: 60 });
const said = (entry: Entry): string => (entry.entry === "code" ? entry.digits.reveal() : entry.entry);

function typed(chunks: readonly string[], pause: (at: number) => number = () => 0, length?: number): Gathered {
  let before: Typed | undefined;
  let now: Instant = start;
  const entries: Entry[] = [];
  for (const [at, chunk] of chunks.entries()) {
    now = later(now, pause(at));
    const gathered = gather(before, new Secret(chunk), now, length);
    before = gathered.typed;
    entries.push(...gathered.entries);
  }
  return { typed: before, entries };
}

test("gather() comes to the same however the keys are cut into pieces, as long as each comes in time", () => {
  fc.assert(
    fc.property(
      keys,
      fc.array(fc.nat({ max: keyTimeout - 1 })),
      fc.option(fc.integer({ min: 4, max: 12 })),
      (all, pauses, fixed) => {
        const length = fixed ?? undefined;
        const whole = typed([all], undefined, length);
        const single = typed(Array.from(all), (at) => pauses[at % Math.max(pauses.length, 1)] ?? 0, length);
        expect(single.entries.map(said)).toEqual(whole.entries.map(said));
        expect(single.typed?.digits.reveal()).toBe(whole.typed?.digits.reveal());
      },
    ),
  );
});

test("gather() enters the digits since the last * or #, and never more than a code can have", () => {
  fc.assert(
    fc.property(keys, (all) => {
      const expected = all.match(/\d*[*#]/g) ?? [];
      const told = expected.flatMap((part) => {
        if (part.endsWith("*")) return ["cleared"];
        if (part === "#") return [];
        return part.length - 1 > mostDigits ? ["too_long"] : [part.slice(0, -1)];
      });
      expect(typed([all]).entries.map(said)).toEqual(told);
    }),
  );
});

test("gather() forgets what waits for its next key for five seconds, and what was typed by a clock that was ahead", () => {
  expect(typed(["47", "11#"], (at) => (at === 0 ? 0 : keyTimeout - 1)).entries.map(said)).toEqual(["4711"]);
  expect(typed(["47", "11#"], (at) => (at === 0 ? 0 : keyTimeout)).entries.map(said)).toEqual(["11"]);
  expect(typed(["47", "11#"], (at) => (at === 0 ? 0 : -1)).entries.map(said)).toEqual(["11"]);
});

test("gather() enters a code of fixed length with its last digit, and passes over the # after it", () => {
  expect(typed(["4711#0815"], undefined, 4).entries.map(said)).toEqual(["4711", "0815"]);
  expect(typed(["47*1147"], undefined, 4).entries.map(said)).toEqual(["cleared", "1147"]);
});

test("what is typed prints nowhere, neither gathered nor entered", () => {
  expect(JSON.stringify(typed(["4711#08"]))).not.toMatch(/4711|08/);
});

const pin = { kind: "pin", digits: new Secret("4711") } as const;
const card = { kind: "card", format: "wiegand26", bits: new Secret("bd88eb80") } as const;

test("presented() asks of each kind that a rule takes, and refuses the other", () => {
  const steps = doorRules.map((rule) => [
    rule,
    presented(pin, undefined, rule, start).step,
    presented(card, undefined, rule, start).step,
  ]);
  expect(steps).toEqual([
    ["pin_or_card", "ask", "ask"],
    ["pin", "ask", "refuse"],
    ["card", "refuse", "ask"],
    ["card_and_pin", "wait", "wait"],
  ]);
});

test("presented() waits ten seconds for the second of two, in either order, and takes no two of one kind", () => {
  const first = presented(card, undefined, "card_and_pin", start);
  if (first.step !== "wait") throw new Error("it waits");
  expect(presented(pin, first.half, "card_and_pin", later(start, 9_999))).toEqual({
    step: "ask",
    credentials: [card, pin],
  });
  expect(presented(pin, first.half, "card_and_pin", later(start, 10_000)).step).toBe("wait");
  expect(presented(card, first.half, "card_and_pin", start).step).toBe("wait");
});

test("presented() does not join two between which the clock was set back", () => {
  const first = presented(card, undefined, "card_and_pin", start);
  if (first.step !== "wait") throw new Error("it waits");
  expect(presented(pin, first.half, "card_and_pin", later(start, -1)).step).toBe("wait");
});

test("doorLimits() takes the kinds of the rule, and PINs of the length that the keypad enters", () => {
  expect([...doorLimits({ rule: "card_and_pin", pinLength: undefined }).kinds.keys()].toSorted()).toEqual([
    "card",
    "pin",
  ]);
  expect(doorLimits({ rule: "pin", pinLength: 5 }).kinds.get("pin")?.lengths).toEqual([5]);
  expect(doorLimits({ rule: "pin_or_card", pinLength: 5 }).together).toBeUndefined();
});

const admitted = (who: string, kind: "pin" | "card"): DoorDecision => ({
  decision: "admit",
  presenter: { identity: userIdentityId(who), kind, code: undefined },
});

test("together() admits one person, by the card, and nobody whose halves are of two", () => {
  const deny: DoorDecision = { decision: "deny", reason: "unknown_code", presenter: undefined };
  expect(together([admitted("ann", "pin"), admitted("ann", "card")])).toEqual(admitted("ann", "card"));
  expect(together([admitted("ann", "card"), admitted("bob", "pin")])).toMatchObject({
    decision: "deny",
    reason: "wrong_pair",
  });
  expect(together([admitted("ann", "card"), deny])).toEqual(deny);
  expect(together([])).toMatchObject({ decision: "deny" });
});

test("wrongCode() locks out at the count, for its time, and never while the wrong ones come one at a time", () => {
  const limit = fc.record({ count: fc.integer({ min: 1, max: 8 }), for: fc.integer({ min: 1, max: 10_000 }) });
  fc.assert(
    fc.property(limit, fc.array(fc.nat({ max: 20_000 }), { maxLength: 30 }), (of, pauses) => {
      let now: Instant = start;
      let state: LockOut | undefined;
      let inRow = 0;
      for (const pause of pauses) {
        const before = state;
        now = later(now, pause);
        if (isLockedOut(state, now)) continue;
        const follows = before !== undefined && before.until === undefined && now < later(before.last, of.for);
        inRow = follows ? inRow + 1 : 1;
        state = wrongCode(state, now, of);
        expect(isLockedOut(state, now)).toBe(inRow >= of.count);
        const after = [of.for - 1, of.for].map((ms) => isLockedOut(state, later(now, ms)));
        expect(after).toEqual([inRow >= of.count, false]);
      }
    }),
  );
});

test("wrongCode() does not end a lock-out, and a clock that is set back keeps nobody out for longer", () => {
  const limit = { count: 2, for: 60_000 };
  const first = wrongCode(undefined, start, limit);
  const locked = wrongCode(first, later(start, 1_000), limit);
  expect(wrongCode(locked, later(start, 2_000), limit)).toBe(locked);
  expect(isLockedOut(locked, later(start, 2_000))).toBe(true);
  expect(isLockedOut(locked, later(start, -365 * 24 * 3_600_000))).toBe(false);
  expect(isLockedOut(wrongCode(first, later(start, -1), limit), later(start, -1))).toBe(false);
});
