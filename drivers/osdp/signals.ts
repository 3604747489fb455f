import type { ReaderAnswer } from "../driver.ts";
import type { Command, LedOrder } from "./commands.ts";

/*
 * What people see and hear at a reader (reference 2.1). A light that tells of a decision goes out by itself.
 */

const red = 1;
const green = 2;
const amber = 3;

/** In tenths of a second. */
const shownFor = 30;

/** Steady: on for ever, off never. */
const steady = (colour: number, code: number) => ({ code, on: 1, off: 0, onColour: colour, offColour: colour });
const leave = { code: 0, on: 0, off: 0, onColour: 0, offColour: 0 };

const light = (reader: number, colour: number, timer: number): LedOrder => ({
  reader,
  led: 0,
  temporary: { ...steady(colour, 2), timer },
  lasting: leave,
});

const colours = { admit: green, deny: red, ignored: amber } as const satisfies Readonly<Record<ReaderAnswer, number>>;
/** Once for yes, three times for no. */
const sounds = {
  admit: { tone: 2, on: 2, off: 0, count: 1 },
  deny: { tone: 2, on: 2, off: 2, count: 3 },
  ignored: { tone: 2, on: 1, off: 0, count: 1 },
} as const satisfies Readonly<Record<ReaderAnswer, object>>;

export const signalsOf = (answer: ReaderAnswer, reader: number): readonly Command[] => [
  { command: "LED", leds: [light(reader, colours[answer], answer === "ignored" ? 5 : shownFor)] },
  { command: "BUZ", sounds: [{ reader, ...sounds[answer] }] },
];

/** How it looks while nobody stands there. */
export const atRest = (reader: number): Command => ({
  command: "LED",
  leds: [{ reader, led: 0, temporary: { ...leave, timer: 0 }, lasting: steady(red, 1) }],
});
