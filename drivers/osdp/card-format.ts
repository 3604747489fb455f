import type { Credential } from "../../agent/domain/credential.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { textToBits, withoutFiller } from "./bit-string.ts";

/*
 * What the bits of a card mean (reference 4.1, 4.2). How many there are does not tell: two formats of 37 bits have the same
 * parity. So a site says which formats its cards have.
 */

/** First bit and last of a field, counted from the first that is sent. */
type Span = readonly [number, number];

interface Parity {
  readonly at: number;
  readonly odd: boolean;
  readonly over: readonly number[];
}

interface Layout {
  readonly bits: number;
  readonly facility?: Span;
  readonly number: Span;
  readonly parity: readonly Parity[];
}

const span = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, nth) => from + nth);
/** Two of three from `from`, `count` in all. */
const pairs = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, nth) => from + nth + Math.floor(nth / 2));

const halves = (bits: number, middle: number, second: number): readonly Parity[] => [
  { at: 0, odd: false, over: span(1, middle) },
  { at: bits - 1, odd: true, over: span(second, bits - 2) },
];

const layouts = {
  h10301: { bits: 26, facility: [1, 8], number: [9, 24], parity: halves(26, 12, 13) },
  h10306: { bits: 34, facility: [1, 16], number: [17, 32], parity: halves(34, 16, 17) },
  corporate1000_35: {
    bits: 35,
    facility: [2, 13],
    number: [14, 33],
    parity: [
      { at: 1, odd: false, over: pairs(2, 22) },
      { at: 34, odd: true, over: pairs(1, 22) },
      { at: 0, odd: true, over: span(1, 34) },
    ],
  },
  h10302: { bits: 37, number: [1, 35], parity: halves(37, 18, 18) },
  h10304: { bits: 37, facility: [1, 16], number: [17, 35], parity: halves(37, 18, 18) },
} as const satisfies Record<string, Layout>;

/** `raw`: whatever bits there are, none of them looked at. */
export type CardFormat = keyof typeof layouts | "raw";
export const cardFormats: readonly CardFormat[] = ["h10301", "h10306", "corporate1000_35", "h10302", "h10304", "raw"];

const layoutOf = (format: CardFormat): Layout | undefined => (format === "raw" ? undefined : layouts[format]);

type Card = Extract<Credential, { readonly kind: "card" }>;
/** `length`: no format of the site has so many bits. `parity`: one has, and the bits do not hold by it. */
export type CardFault = "length" | "parity";

/**
 * A card as its credential: its bits with their count, under the first of the site's formats that they hold by.
 *
 * @param card as `bitsToText` writes it.
 */
export function cardOf(card: Secret, formats: readonly CardFormat[]): Card | CardFault {
  const text = withoutFiller(card.reveal());
  const { count, bytes } = textToBits(text);
  const fitting = formats.filter((format) => (layoutOf(format)?.bits ?? count) === count);
  const holding = fitting.find((format) => (layoutOf(format)?.parity ?? []).every((parity) => holds(bytes, parity)));
  if (holding) return { kind: "card", format: holding, bits: new Secret(text) };
  return fitting.length > 0 ? "parity" : "length";
}

const bitAt = (bytes: Uint8Array, at: number): number => ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;

const holds = (bytes: Uint8Array, { at, odd, over }: Parity): boolean =>
  [at, ...over].reduce((sum, bit) => sum + bitAt(bytes, bit), 0) % 2 === Number(odd);

/** How many bits there are by the name of a format, as credentials have it; undefined of one that is not known. */
export function bitCountOf(name: string): number | undefined {
  const format = cardFormats.find((known) => known === name);
  const [, count] = /^raw(\d{1,4})$/.exec(name) ?? [];
  return count === undefined ? layoutOf(format ?? "raw")?.bits : Number(count);
}

/** What is printed on a card. Decimal, as no number of 35 bits fits in 32. */
export interface CardNumbers {
  readonly facility?: number;
  readonly number: number;
}

/** What a credential's bits say by its format; undefined of `raw`, which says nothing. They are as secret as the bits. */
export function numbersOf({ format, bits }: Card): CardNumbers | undefined {
  const layout = layoutOf(cardFormats.find((known) => known === format) ?? "raw");
  if (!layout) return undefined;
  const { bytes } = textToBits(bits.reveal());
  const read = ([from, to]: Span): number => span(from, to).reduce((value, bit) => value * 2 + bitAt(bytes, bit), 0);
  return { ...(layout.facility ? { facility: read(layout.facility) } : {}), number: read(layout.number) };
}

/** The bits of a card by what is printed on it; undefined where the format has no room for these numbers. */
export function bitsOf(format: CardFormat, { facility = 0, number }: CardNumbers): Secret | undefined {
  const layout = layoutOf(format);
  if (!layout) return undefined;
  const bytes = new Uint8Array(Math.ceil(layout.bits / 8));
  const set = (at: number, bit: number): void => {
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (bit << (7 - (at & 7)));
  };
  const write = ([from, to]: Span, value: number): void => {
    for (const at of span(from, to)) set(at, Math.floor(value / 2 ** (to - at)) % 2);
  };
  if (!fits(facility, layout.facility) || !fits(number, layout.number)) return undefined;
  if (layout.facility) write(layout.facility, facility);
  write(layout.number, number);
  // In the order in which they stand: the last of them may be over the others.
  for (const parity of layout.parity) if (!holds(bytes, parity)) set(parity.at, 1);
  return new Secret(`${layout.bits}:${Buffer.from(bytes).toString("hex")}`);
}

const fits = (value: number, field: Span | undefined): boolean =>
  Number.isInteger(value) && value >= 0 && value < (field ? 2 ** (field[1] - field[0] + 1) : 1);
