import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../../../agent/domain/secret.ts";
import { bitsOf, cardFormats, cardOf, numbersOf } from "../../../drivers/osdp/card-format.ts";

const vectors = [
  ["h10301", 26, { facility: 118, number: 1603 }, "bb032180"],
  ["h10301", 26, { facility: 123, number: 4567 }, "bd88eb80"],
  ["h10301", 26, { facility: 255, number: 65535 }, "7fffffc0"],
  ["h10301", 26, { facility: 0, number: 1 }, "00000080"],
  ["h10306", 34, { facility: 1234, number: 56789 }, "82696eea80"],
  ["corporate1000_35", 35, { facility: 1234, number: 567890 }, "d34a2a9480"],
  ["corporate1000_35", 35, { facility: 4095, number: 1 }, "fffc000040"],
  ["h10302", 37, { number: 12345678901 }, "adfdc1c350"],
  ["h10304", 37, { facility: 65535, number: 524287 }, "7ffffffff8"],
  ["h10304", 37, { facility: 4321, number: 123456 }, "88709e2408"],
] as const;

test.each(vectors)("a card of %s with %i bits and %o is %s", (format, bits, numbers, hex) => {
  const text = `${bits}:${hex}`;
  const card = cardOf(new Secret(text), [format]);
  expect(card).toMatchObject({ kind: "card", format });
  if (typeof card === "string") throw new Error(card);
  expect(card.bits.reveal()).toBe(text);
  expect(numbersOf(card)).toEqual(numbers);
  expect(bitsOf(format, numbers)?.reveal()).toBe(text);
});

test.each(vectors)(
  "cardOf() refuses a card of %s with %i bits and %o where any bit is wrong",
  (format, bits, _, hex) => {
    const bytes = Buffer.from(hex, "hex");
    for (let bit = 0; bit < bits; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      expect(cardOf(new Secret(`${bits}:${changed.toString("hex")}`), [format])).toBe("parity");
    }
  },
);

test("cardOf() goes by the site's formats, not by the number of bits", () => {
  const card = new Secret("37:88709e2408");
  expect(cardOf(card, ["h10301", "h10304", "h10302"])).toMatchObject({ format: "h10304" });
  expect(cardOf(card, ["h10302", "h10304"])).toMatchObject({ format: "h10302" });
  expect(cardOf(card, ["h10301", "h10306"])).toBe("length");
  expect(cardOf(card, [])).toBe("length");
  expect(cardOf(card, ["h10301", "raw"])).toMatchObject({ format: "raw" });
});

const rawOf = (text: string): unknown => {
  const card = cardOf(new Secret(text), ["raw"]);
  return typeof card === "string" ? card : card.bits.reveal();
};

test("cardOf() takes a card for the same whatever fills its last byte up, and for another with other bits", () => {
  expect(rawOf("26:bd88ebbf")).toBe(rawOf("26:bd88eb80"));
  expect(rawOf("27:bd88eb80")).not.toBe(rawOf("26:bd88eb80"));
});

test("numbersOf() reads what bitsOf() wrote, in every format", () => {
  const widths = { h10301: [8, 16], h10306: [16, 16], corporate1000_35: [12, 20], h10302: [0, 35], h10304: [16, 19] };
  const card = fc
    .constantFrom(
      "h10301" as const,
      "h10306" as const,
      "corporate1000_35" as const,
      "h10302" as const,
      "h10304" as const,
    )
    .chain((format) => {
      const [facility = 0, number = 0] = widths[format];
      return fc.record({
        format: fc.constant(format),
        facility: fc.integer({ min: 0, max: 2 ** facility - 1 }),
        number: fc.integer({ min: 0, max: 2 ** number - 1 }),
      });
    });
  fc.assert(
    fc.property(card, ({ format, facility, number }) => {
      const read = cardOf(bitsOf(format, { facility, number })!, [format]);
      expect(read).toBeTypeOf("object");
      expect({ facility: 0, ...numbersOf(read as Exclude<typeof read, string>) }).toEqual({ facility, number });
    }),
  );
});

test("bitsOf() has no bits for numbers that a format has no room for, nor for raw", () => {
  expect(bitsOf("h10301", { facility: 256, number: 1 })).toBe(undefined);
  expect(bitsOf("h10301", { facility: 1, number: 65536 })).toBe(undefined);
  expect(bitsOf("h10302", { facility: 1, number: 1 })).toBe(undefined);
  expect(bitsOf("h10301", { facility: -1, number: 1.5 })).toBe(undefined);
  expect(bitsOf("raw", { number: 1 })).toBe(undefined);
});

test("a card of raw bits says no numbers", () => {
  expect(cardFormats).toContain("raw");
  expect(numbersOf({ kind: "card", format: "raw", bits: new Secret("26:bd88eb80") })).toBe(undefined);
  expect(numbersOf({ kind: "card", format: "of another site", bits: new Secret("26:bd88eb80") })).toBe(undefined);
});
