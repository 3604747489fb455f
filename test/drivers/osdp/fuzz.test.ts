import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant, later } from "../../../agent/domain/instant.ts";
import { Deframer } from "../../../drivers/osdp/deframer.ts";
import { encodeFrame, longestFrame } from "../../../drivers/osdp/frame.ts";
import { Key } from "../../../drivers/osdp/key.ts";
import { Session } from "../../../drivers/osdp/session.ts";
import { isLong } from "../../support/long.ts";
import { bytesOf, scenarios } from "./trace.ts";

/** In the long run ten million bytes; else a share of them. */
const most = isLong ? 10_000_000 : 300_000;
const ack = bytesOf({ hex: "ff5381080005403935" });

const recorded = scenarios.flatMap(({ frames }) => frames.map(bytesOf));
const anyByte = fc.integer({ min: 0, max: 255 });

/** What looks like frames, and is not quite: cut, changed, with right checks around wrong things, with promises of length. */
const garbage: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.constantFrom(...recorded),
  fc
    .tuple(fc.constantFrom(...recorded), fc.nat(), anyByte)
    .map(([frame, at, byte]) => frame.with(at % frame.length, byte)),
  fc.tuple(fc.constantFrom(...recorded), fc.nat()).map(([frame, at]) => frame.subarray(0, at % frame.length)),
  fc.tuple(anyByte, anyByte).map(([low, high]) => Uint8Array.of(0x53, 0x81, low, high % 8)),
  fc
    .record({
      address: fc.constant(1),
      isReply: fc.boolean(),
      sequence: fc.integer({ min: 0, max: 3 }),
      check: fc.constantFrom("crc" as const, "checksum" as const),
      type: fc.constantFrom(undefined, 0x12, 0x14, 0x15, 0x16, 0x18, 0x21),
      code: fc.oneof(anyByte, fc.constantFrom(0x40, 0x41, 0x45, 0x46, 0x48, 0x50, 0x53, 0x54, 0x76, 0x78, 0x79)),
      data: fc.uint8Array({ maxLength: 48 }),
    })
    .map(({ type, ...frame }) =>
      encodeFrame({
        ...frame,
        ...(type === undefined ? {} : { security: { type, data: Uint8Array.of(1).subarray(0, type < 0x15 ? 1 : 0) } }),
        ...(type !== undefined && type >= 0x15 && type <= 0x18 ? { mac: new Uint8Array(4) } : {}),
      }),
    ),
);

/** Pieces until there are so many bytes. A failure is repeated with the seed that is printed. */
function pieces(bytes: number): { readonly seed: number; readonly all: Iterable<Uint8Array> } {
  const seed = Number(process.env["LATCHD_SEED"] ?? Date.now() % 0x7fffffff);
  const all = function* (): Generator<Uint8Array> {
    let left = bytes;
    for (let round = 0; left > 0; round += 1) {
      for (const piece of fc.sample(garbage, { seed: seed + round, numRuns: 1_000 })) {
        left -= piece.length;
        yield piece;
      }
    }
  };
  return { seed, all: all() };
}

test("the deframer takes any garbage without an exception, holds little, and then finds the next good frame", () => {
  const { seed, all } = pieces(most);
  const deframer = new Deframer();
  let [held, fed, out] = [0, 0, 0];
  for (const piece of all) {
    fed += piece.length;
    for (const { bytes } of deframer.push(piece)) out += bytes.length;
    held = Math.max(held, deframer.waiting);
  }
  expect(held, `seed ${seed}`).toBeLessThan(longestFrame);
  for (const { bytes } of deframer.gap()) out += bytes.length;
  // Nothing is made of nothing, and nothing is lost track of: what is no frame was counted, but for marks.
  expect(out + deframer.counts.noise, `seed ${seed}`).toBeLessThanOrEqual(fed);
  expect(deframer.push(ack), `seed ${seed}`).toHaveLength(1);
});

test.each(["required", "clear"] as const)(
  "a session (%s) takes any garbage without an exception, and believes no card in it",
  (security) => {
    const { seed, all } = pieces(most / 2);
    const deframer = new Deframer();
    const session = new Session({
      address: 1,
      check: "crc",
      security,
      keys: [new Key(new Uint8Array(16).map((_, at) => at * at + 3))],
      random: (length) => new Uint8Array(length).fill(7),
      pollEvery: 50,
    });
    let now = instant(1_000_000);
    let [cards, atOnce] = [0, 0];
    for (const piece of all) {
      now = later(now, 50);
      session.turn(now);
      for (const received of deframer.push(piece)) if (session.hear(received, now)) session.turn(now);
      if (session.isAwaiting) session.silence(now);
      const happenings = session.take();
      atOnce = Math.max(atOnce, happenings.length);
      cards += happenings.filter(({ happening }) => happening === "card" || happening === "keys").length;
    }
    expect(atOnce, `seed ${seed}`).toBeLessThan(200);
    // In clear whoever is on the line is believed: that is what the setting says of itself.
    expect(security === "required" ? cards : 0, `seed ${seed}`).toBe(0);
    expect(session.counts.commands, `seed ${seed}`).toBeGreaterThan(10);
  },
);
