import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SerialFrames } from "../../simulator/serial-frames.ts";

const frame = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((body) => Uint8Array.from([0x01, body.length, ...body]));
const word = fc.oneof(
  frame,
  fc.constantFrom(0x06, 0x15, 0x18).map((byte) => Uint8Array.of(byte)),
);

test("SerialFrames.push() finds the same frames however the line cuts and joins them", () => {
  fc.assert(
    fc.property(fc.array(word), fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (words, cuts) => {
      const stream = Uint8Array.from(words.flatMap((each) => [...each]));
      const frames = new SerialFrames();
      const found: Uint8Array[] = [];
      for (let at = 0; at < stream.length; ) {
        const next = at + Number(cuts.next().value);
        found.push(...frames.push(stream.slice(at, next)));
        at = next;
      }
      expect(found).toEqual(words);
    }),
  );
});

test("SerialFrames.push() takes an acknowledgement and a request that come together for two", () => {
  const joined = Uint8Array.of(0x06, 0x01, 0x03, 0x00, 0x02, 0xfe);
  expect(new SerialFrames().push(joined)).toEqual([joined.slice(0, 1), joined.slice(1)]);
});

test("SerialFrames.push() leaves out what begins no frame", () => {
  expect(new SerialFrames().push(Uint8Array.of(0x00, 0xff, 0x18))).toEqual([Uint8Array.of(0x18)]);
});
