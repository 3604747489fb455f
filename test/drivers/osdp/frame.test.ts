import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksum, crc16 } from "../../../drivers/osdp/check.ts";
import { decodeFrame, encodeFrame, type Frame, longestFrame } from "../../../drivers/osdp/frame.ts";
import { bytesOf, fromHex, scenarios, toHex } from "./trace.ts";

test("crc16() of the digits 1 to 9 is the check value of its kind", () => {
  expect(crc16(Buffer.from("123456789"))).toBe(0xe5cc);
});

test("crc16() and checksum() are those of the examples in Annex E", () => {
  expect(crc16(fromHex("537f0d00046e0080250000"))).toBe(0x386e);
  expect(crc16(fromHex("53000900046100"))).toBe(0x66c0);
  expect(checksum(fromHex("537f0c00006e0080250000"))).toBe(0x0f);
  expect(checksum(fromHex("53000800006100"))).toBe(0x44);
});

const plain = { address: 1, isReply: false, sequence: 0, check: "crc", code: 0x60, data: new Uint8Array() } as const;

test.each<[Frame, string]>([
  [plain, "530108000460ba00"],
  [{ ...plain, sequence: 1, check: "checksum" }, "53010700016044"],
  [{ ...plain, isReply: true, sequence: 1, code: 0x40 }, "5381080005403935"],
  [{ ...plain, isReply: true, sequence: 1, code: 0x40, check: "checksum" }, "538107000140e4"],
  [{ ...plain, isReply: true, sequence: 2, code: 0x41, data: fromHex("03") }, "53810900064103a5af"],
  [{ ...plain, isReply: true, code: 0x79 }, "53810800047972a1"],
  [{ ...plain, isReply: true, code: 0x79, check: "checksum" }, "538107000079ac"],
  [{ ...plain, sequence: 2, code: 0x68, data: fromHex("00051e00") }, "53010c00066800051e00b274"],
  [{ ...plain, address: 0x7f, code: 0x61, data: fromHex("00") }, "537f09000461005fe6"],
  [{ ...plain, sequence: 1, code: 0x7b, data: fromHex("a005") }, "53010a00057ba0052c05"],
])("encodeFrame() writes %o as on the wire", (frame, hex) => {
  expect(toHex(encodeFrame(frame))).toBe(hex);
  expect(decodeFrame(fromHex(hex))).toEqual(frame);
});

const decoded = (traced: { readonly hex: string }): Frame => {
  const frame = decodeFrame(bytesOf(traced));
  if (typeof frame === "string") throw new Error(frame);
  return frame;
};

describe.each(scenarios)("the trace $name", ({ frames, offWire = [] }) => {
  const intact = frames.filter(({ invalid }) => invalid !== "crc");
  test("decodeFrame() reads every frame, and encodeFrame() writes it byte for byte", () => {
    for (const traced of [...intact, ...offWire]) {
      expect(toHex(encodeFrame(decoded(traced)))).toBe(toHex(bytesOf(traced)));
    }
    for (const damaged of frames.filter((frame) => !intact.includes(frame))) {
      expect(decodeFrame(bytesOf(damaged))).toBe("check");
    }
  });

  test("decodeFrame() reads what the trace says is there", () => {
    for (const traced of intact) {
      const { security, mac, data: _, ...frame } = decoded(traced);
      expect({ ...frame, security: security?.type, block: security && toHex(security.data) }).toEqual({
        address: traced.addr,
        isReply: traced.dir === "<",
        sequence: traced.seq,
        check: traced.check === "crc" ? "crc" : "checksum",
        code: traced.code,
        security: traced.scs,
        block: traced.scbData ?? (traced.scs === undefined ? undefined : ""),
      });
      // One has a wrong MAC on purpose.
      const isAsWritten = mac === undefined ? traced.mac === undefined : traced.mac?.startsWith(toHex(mac)) === true;
      expect(isAsWritten).toBe(traced.invalid !== "mac");
    }
  });
});

const anyFrame: fc.Arbitrary<Frame> = fc
  .record({
    address: fc.integer({ min: 0, max: 0x7f }),
    isReply: fc.boolean(),
    sequence: fc.integer({ min: 0, max: 3 }),
    check: fc.constantFrom("crc" as const, "checksum" as const),
    type: fc.option(fc.integer({ min: 0x10, max: 0x28 }), { nil: undefined }),
    block: fc.uint8Array({ maxLength: 3 }),
    code: fc.integer({ min: 0, max: 255 }),
    data: fc.uint8Array({ maxLength: 300 }),
    mac: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  })
  .map(({ type, block, mac, ...frame }) => ({
    ...frame,
    ...(type === undefined ? {} : { security: { type, data: block } }),
    ...(type !== undefined && type >= 0x15 && type <= 0x18 ? { mac } : {}),
  }));

test("decodeFrame() reads what encodeFrame() wrote", () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    }),
  );
});

test("decodeFrame() refuses a frame with one byte changed, or with one too few or too many", () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, where, change) => {
      const bytes = encodeFrame(frame);
      // Where the kind of check is changed, another one is made, which holds by chance once in 256 times.
      const at = where % bytes.length === 4 ? 5 : where % bytes.length;
      expect(decodeFrame(bytes.with(at, (bytes[at] ?? 0) ^ change))).toBeTypeOf("string");
      expect(decodeFrame(bytes.subarray(1))).toBe("length");
      expect(decodeFrame(bytes.subarray(0, -1))).toBe("length");
      expect(decodeFrame(Uint8Array.from([...bytes, 0]))).toBe("length");
    }),
  );
});

/** An empty command with a security block that is as long as it says, or not. */
const withBlock = (length: number, type: number): Uint8Array => {
  const before = [0x53, 0x01, 0x0a, 0x00, 0x0c, length, type, 0x60];
  const crc = crc16(Uint8Array.from(before));
  return Uint8Array.from([...before, crc & 0xff, crc >> 8]);
};

test("decodeFrame() refuses what has no room for what it says it has", () => {
  expect(decodeFrame(withBlock(2, 0x11))).toMatchObject({ code: 0x60 });
  for (const [length, type] of [
    [0, 0x11],
    [1, 0x11],
    [3, 0x11],
    [4, 0x11],
    [255, 0x11],
    [2, 0x15],
  ] as const) {
    expect(decodeFrame(withBlock(length, type))).toBe("layout");
  }
});

test("decodeFrame() refuses a frame that is longer than any may be", () => {
  const frame = { ...plain, data: new Uint8Array(longestFrame - 8) };
  expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
  expect(decodeFrame(encodeFrame({ ...frame, data: new Uint8Array(longestFrame - 7) }))).toBe("length");
});
