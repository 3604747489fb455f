import { expect, test } from "vitest";
import { PacketLimit, packetSize } from "../../agent/mqtt/packet-limit.ts";

const small = 1000;
const large = 20_000;

function limitAfter(...losses: (readonly (readonly [id: number, bytes: number])[])[]): number {
  const limit = new PacketLimit();
  for (const loss of losses) limit.lost(new Map(loss));
  return limit.largest;
}

test("packetSize() counts bytes, not characters", () => {
  expect(packetSize({ topic: "t", payload: "ä".repeat(100), correlation: new Uint8Array(7) })).toBeGreaterThan(208);
});

test("PacketLimit learns from two connections that were lost one after the other over the same large letter", () => {
  expect(limitAfter([[1, large]], [[1, large]])).toBe(large - 1);
  // PUBACKs of what went before it can be lost with the connection.
  expect(
    limitAfter(
      [
        [1, small],
        [2, large],
      ],
      [[2, large]],
    ),
  ).toBe(large - 1);
});

test.each([
  ["one loss", [[[1, large]]]],
  ["losses over small letters", [[[1, small]], [[1, small]]]],
  ["losses over different letters", [[[1, large]], [[2, large]]]],
  ["losses with one between them over nothing", [[[1, large]], [], [[1, large]]]],
] as const)("PacketLimit learns nothing from %s", (_, losses) => {
  expect(limitAfter(...losses)).toBe(Number.POSITIVE_INFINITY);
});
