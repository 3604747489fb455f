import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AsOf,
  ageOf,
  asOfInstant,
  asOfNumber,
  isFarAhead,
  type Mark,
  markAfter,
  toWire,
} from "../../agent/domain/as-of.ts";
import { instant } from "../../agent/domain/instant.ts";

const number = (value: number): AsOf => asOfNumber(value)!;
const at = (text: string): AsOf => asOfInstant(text)!;
const closedAt = (highest: AsOf): Mark => ({ highest, closed: true });

test("asOfNumber() takes whole numbers that a double holds exactly, and sorts them as numbers", () => {
  for (const wrong of [-1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(asOfNumber(wrong)).toBeUndefined();
  }
  const count = fc.maxSafeNat();
  fc.assert(
    fc.property(count, count, (a, b) => {
      expect(number(a) < number(b)).toBe(a < b);
      expect(toWire(number(a))).toBe(a);
    }),
  );
});

const two = (value: number): string => String(value).padStart(2, "0");
/** A moment as a clock `offset` minutes ahead of UTC shows it. */
const writtenAs = (epochNanos: bigint, offset: number): string => {
  const second = 10n ** 9n;
  const rest = ((epochNanos % second) + second) % second;
  const local = new Date(Number((epochNanos - rest) / second) * 1000 + offset * 60_000);
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${local.toISOString().slice(0, 19)}.${String(rest).padStart(9, "0")}${zone}`;
};

test("asOfInstant() sorts by the moment, whatever the offset and however fine", () => {
  const nanos = fc.bigInt({ min: -62_000_000_000n * 10n ** 9n, max: 250_000_000_000n * 10n ** 9n });
  const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 });
  fc.assert(
    fc.property(nanos, fc.integer({ min: -3, max: 3 }), minutes, minutes, (moment, apart, here, there) => {
      const other = moment + BigInt(apart);
      expect(at(writtenAs(moment, here)) < at(writtenAs(other, there))).toBe(moment < other);
      expect(at(writtenAs(moment, here)) === at(writtenAs(moment, there))).toBe(true);
    }),
  );
});

test.each([
  ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"],
  ["2026-01-31T09:30:00.120+02:00", "2026-01-31T07:30:00.12Z"],
  ["2026-01-31T00:00:00.000000001-01:00", "2026-01-31T01:00:00.000000001Z"],
])("toWire() writes %s as %s", (written, told) => {
  expect(toWire(at(written))).toBe(told);
});

test.each([
  ["finer than nanoseconds", "2026-01-31T09:30:00.0000000001Z"],
  ["before the year 0", "0000-01-01T00:00:00+14:00"],
  ["after the year 9999", "9999-12-31T23:59:59-14:00"],
])("asOfInstant() does not take what is %s", (_, text) => {
  expect(asOfInstant(text)).toBeUndefined();
});

test("numbers and instants say nothing of each other, and a revoke begins anew with its own kind", () => {
  expect(ageOf(at("9999-01-01T00:00:00Z"), closedAt(number(1)))).toBe("incomparable");
  expect(ageOf(number(1), closedAt(at("0000-01-01T00:00:00Z")))).toBe("incomparable");
  expect(markAfter("revoke", number(1), closedAt(at("2026-01-01T00:00:00Z")))).toEqual(closedAt(number(1)));
});

const command = fc.constantFrom("grant" as const, "revoke" as const);
const sent = fc.record({ command, version: fc.option(fc.nat(4), { nil: undefined }) });

test("the mark says of every grant what all that was carried out says, and is never lowered", () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 12 }), (messages) => {
      let mark: Mark | undefined;
      const versions: number[] = [];
      /** A grant of this version, and of any lower one, is stale. */
      let closedUpTo = -1;
      for (const { command: verb, version } of messages) {
        const asOf = version === undefined ? undefined : number(version);
        const highest = Math.max(-1, ...versions);
        const isStale = version !== undefined && (version < highest || version <= closedUpTo);
        expect(asOf !== undefined && ageOf(asOf, mark) === "superseded").toBe(isStale);
        if (isStale && verb === "grant") continue;
        mark = markAfter(verb, asOf, mark);
        if (version !== undefined) versions.push(version);
        if (verb === "revoke") closedUpTo = Math.max(closedUpTo, version ?? highest);
        expect(mark?.highest).toBe(versions.length === 0 ? undefined : number(Math.max(...versions)));
      }
    }),
  );
});

test("isFarAhead() gives a publisher's clock a day, and does not go by a clock that was never set", () => {
  const now = instant(Date.parse("2026-01-31T09:30:00Z"));
  expect(isFarAhead(at("2026-02-01T09:29:59Z"), now)).toBe(false);
  expect(isFarAhead(at("2026-02-01T09:30:01Z"), now)).toBe(true);
  expect(isFarAhead(at("2026-02-01T09:30:01Z"), instant(0))).toBe(false);
  expect(isFarAhead(number(Number.MAX_SAFE_INTEGER), now)).toBe(false);
});
