import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KindLimits } from "../../agent/domain/abilities.ts";
import { drawPin, misfit } from "../../agent/domain/pin.ts";
import { keeps, type PinRule, pinRules } from "../../agent/domain/pin-rule.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { seeded } from "../../simulator/faults.ts";

const limits = (of: Partial<KindLimits> = {}): KindLimits => ({
  slots: { assigned: 10 },
  lengths: [],
  alphabet: "",
  rules: [],
  ...of,
});
const pin = (digits: string) => ({ kind: "pin", digits: new Secret(digits) }) as const;

const vectors: Readonly<Record<PinRule, { kept: readonly string[]; broken: readonly string[] }>> = {
  no_zeros: { kept: ["1234", "99"], broken: ["0", "1230", "0123"] },
  cannot_start_with_12: { kept: ["2112", "1", "1034"], broken: ["12", "1293"] },
  no_triple_consecutive_ints: { kept: ["1122", "112211"], broken: ["111", "9000", "12223"] },
  no_ascending_or_descending_sequence: {
    kept: ["1235", "1", "9021", "1122"],
    broken: ["12", "1234", "98765", "01234"],
  },
  at_least_three_unique_digits: { kept: ["123", "1231"], broken: ["1212", "1111", "12"] },
  cannot_contain_089: { kept: ["1234567"], broken: ["0", "18", "9"] },
  cannot_contain_0789: { kept: ["123456"], broken: ["0", "7", "18", "9"] },
  no_all_same_digits: { kept: ["1112", "12"], broken: ["1111", "7"] },
};

test.each(pinRules)("keeps.%s knows what keeps it and what breaks it", (rule) => {
  const { kept, broken } = vectors[rule];
  expect(kept.filter((each) => !keeps[rule](each))).toEqual([]);
  expect(broken.filter((each) => keeps[rule](each))).toEqual([]);
});

test("misfit() names the first limit that a credential breaks", () => {
  const strict = limits({ lengths: [4, 6], alphabet: "123456", rules: ["no_all_same_digits"] });
  expect(misfit(pin("1234"), undefined)).toBe("kind_not_supported");
  expect(misfit(pin("12345"), strict)).toBe("length");
  expect(misfit(pin("1239"), strict)).toBe("alphabet");
  expect(misfit(pin("1111"), strict)).toBe("no_all_same_digits");
  expect(misfit(pin("1234"), strict)).toBeUndefined();
});

test("misfit() does not ask of a card what is asked of a PIN", () => {
  const card = { kind: "card", format: "raw", bits: new Secret("1111") } as const;
  expect(misfit(card, limits({ rules: ["no_all_same_digits"] }))).toBeUndefined();
});

const someLimits = fc.record({
  lengths: fc.uniqueArray(fc.integer({ min: 3, max: 14 }), { maxLength: 5 }),
  alphabet: fc.constantFrom("", "0123456789", "123456", "1234567890abcdef"),
  rules: fc.subarray([...pinRules]),
});

test("drawPin() gives a PIN that fits every lock, is not taken and not trivial, or none", () => {
  let drawn = 0;
  fc.assert(
    fc.property(
      fc.array(someLimits, { maxLength: 3 }),
      fc.integer({ min: 4, max: 8 }),
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 1, max: 9 }),
      (locks, length, numbers, taken) => {
        const all = locks.map((each) => limits(each));
        const isTaken = (secret: Secret): boolean => secret.reveal().startsWith(String(taken));
        // Some numbers of any kind, then a count that reaches every digit: an unlucky draw must not be all there is.
        let count = 0;
        const random = (below: number): number =>
          (count++ < 40 ? (numbers.next().value ?? 0) : (count * 7919) >> 3) % below;
        const found = drawPin(all, length, isTaken, random);
        if (!found) return;
        drawn += 1;
        const digits = found.reveal();
        expect(digits).toMatch(/^\d{4,12}$/);
        expect(all.map((each) => misfit(pin(digits), each))).toEqual(all.map(() => undefined));
        expect(isTaken(found)).toBe(false);
        expect(keeps.no_ascending_or_descending_sequence(digits)).toBe(true);
        expect(keeps.at_least_three_unique_digits(digits)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
  expect(drawn).toBeGreaterThan(5);
});

const counting = (): ((below: number) => number) => {
  let last = 12_345;
  return (below) => {
    last = (last * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((last / 2_147_483_648) * below);
  };
};

const lengthDrawn = (locks: readonly KindLimits[]): number | undefined =>
  drawPin(locks, 6, () => false, counting())?.reveal().length;

test("drawPin() takes the wished length where every lock does, else the longest that all take", () => {
  expect(lengthDrawn([])).toBe(6);
  expect(lengthDrawn([limits({ lengths: [4, 6, 8] }), limits({ lengths: [6, 8] })])).toBe(6);
  expect(lengthDrawn([limits({ lengths: [4, 5, 8] }), limits({ lengths: [4, 5] })])).toBe(5);
  expect(lengthDrawn([limits({ lengths: [4] }), limits({ lengths: [5] })])).toBeUndefined();
});

test("drawPin() gives none where there is none", () => {
  expect(drawPin([limits({ alphabet: "1" })], 4, () => false, counting())).toBeUndefined();
  expect(drawPin([limits({ alphabet: "xyz" })], 4, () => false, counting())).toBeUndefined();
  expect(drawPin([limits()], 4, () => true, counting())).toBeUndefined();
});

test("drawPin() draws from nearly all the codes that there are", () => {
  const random = seeded(20_261_124);
  const drawn = Array.from({ length: 20_000 }, () => {
    const found = drawPin(
      [limits({ lengths: [4] })],
      4,
      () => false,
      (below) => Math.floor(random() * below),
    );
    return found?.reveal() ?? "none";
  });
  const possible = Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, "0")).filter(
    (digits) => keeps.no_ascending_or_descending_sequence(digits) && keeps.at_least_three_unique_digits(digits),
  );
  const expected = possible.length * (1 - Math.exp(-drawn.length / possible.length));
  expect(possible.length).toBeGreaterThan(9_000);
  expect(new Set(drawn).size).toBeGreaterThan(0.98 * expected);
  // Each digit as often as any other, in each place.
  for (let place = 0; place < 4; place++) {
    const counts = Array.from("0123456789", (digit) => drawn.filter((code) => code[place] === digit).length);
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.15);
  }
});
