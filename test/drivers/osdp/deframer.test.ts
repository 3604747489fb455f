import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Deframer, type Received } from "../../../drivers/osdp/deframer.ts";
import { longestFrame } from "../../../drivers/osdp/frame.ts";
import { bytesOf, fromHex, scenarioOf, scenarios, toHex } from "./trace.ts";

const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const hexes = (received: readonly Received[]): readonly string[] => received.map(({ bytes }) => toHex(bytes));
/** In pieces that end where `cuts` say. */
const pieces = (bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] => {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, nth) => bytes.subarray(nth === 0 ? 0 : ends[nth - 1], end));
};
const ack = bytesOf({ hex: "ff5381080005403935" });
const poll = bytesOf({ hex: "ff530108000660d866" });

test("push() finds the frames of every trace, in pieces of whatever size", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...scenarios), cuts, ({ frames }, at) => {
      const intact = frames.filter(({ invalid }) => invalid !== "crc");
      const deframer = new Deframer();
      const found = pieces(join(frames.map(({ hex }) => fromHex(hex))), at).flatMap((piece) => deframer.push(piece));
      expect(hexes(found)).toEqual(intact.map((frame) => toHex(bytesOf(frame))));
      expect(deframer.counts).toMatchObject({ frames: intact.length, check: frames.length - intact.length, length: 0 });
      expect(deframer.waiting).toBe(0);
    }),
  );
});

test("push() finds a frame that begins inside a damaged one", () => {
  const deframer = new Deframer();
  // The head of a frame of 14 bytes whose rest was lost; the repeat follows at once.
  expect(hexes(deframer.push(join([fromHex("ff53810e000e0216"), ack, poll])))).toEqual([ack, poll].map(toHex));
  expect(deframer.counts).toMatchObject({ frames: 2, check: 1, noise: 7, cut: 0 });
});

test("push() counts a damaged frame once, whatever seems to begin inside it", () => {
  const damaged = bytesOf(scenarioOf("bad-command-crc").frames[14]!).with(12, 0x53).with(14, 0x53);
  const deframer = new Deframer();
  deframer.push(join([damaged, damaged, ack]));
  expect(deframer.counts).toMatchObject({ frames: 1, check: 2, length: 0, noise: 2 * damaged.length });
});

test("push() gives up what says that it has a length which no frame has", () => {
  const deframer = new Deframer();
  expect(hexes(deframer.push(join([fromHex("53810600"), fromHex("5381a105"), fromHex("53ffffff"), ack])))).toEqual([
    toHex(ack),
  ]);
  expect(deframer.counts).toMatchObject({ frames: 1, length: 3 });
});

test("gap() gives up a frame that will not be completed, and finds what came behind its head", () => {
  const deframer = new Deframer();
  expect(deframer.push(join([fromHex("ff5381a005"), ack]))).toEqual([]);
  expect(deframer.waiting).toBe(12);
  expect(hexes(deframer.gap())).toEqual([toHex(ack)]);
  expect(deframer.counts).toMatchObject({ frames: 1, cut: 1 });
  expect(deframer.waiting).toBe(0);
  for (const head of ["53", "5381", "538108"]) {
    expect(deframer.push(fromHex(head))).toEqual([]);
    expect(deframer.gap()).toEqual([]);
  }
  expect(deframer.counts.cut).toBe(4);
  expect(hexes(deframer.push(ack))).toEqual([toHex(ack)]);
});

test("push() takes marks for no noise, and other bytes between frames for such", () => {
  const deframer = new Deframer();
  deframer.push(join([fromHex("ffffff"), ack, fromHex("ff"), poll, fromHex("0011ff")]));
  expect(deframer.counts).toMatchObject({ frames: 2, noise: 2 });
});

test("push() finds the next good frame after any bytes, once the line was silent", () => {
  const soup = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x53, 0xff, 0x08, 0x00)), {
    maxLength: 2000,
  });
  fc.assert(
    fc.property(soup, (bytes) => {
      const deframer = new Deframer();
      deframer.push(Uint8Array.from(bytes));
      expect(deframer.waiting).toBeLessThan(longestFrame);
      deframer.gap();
      expect(deframer.waiting).toBe(0);
      expect(hexes(deframer.push(ack))).toEqual([toHex(ack)]);
    }),
  );
});
