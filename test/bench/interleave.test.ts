import { expect, test } from "vitest";
import { interleaved } from "./interleave.ts";

test("interleaved() has each contender in turn, in every round", async () => {
  const order: string[] = [];
  const run =
    (name: string) =>
    async (round: number): Promise<number> => {
      order.push(`${name}${round}`);
      return round;
    };
  const found: ReadonlyMap<string, number>[] = [];
  const contenders = new Map([
    ["A", run("A")],
    ["B", run("B")],
  ]);
  for await (const round of interleaved(3, contenders)) found.push(round);
  expect(order).toEqual(["A0", "B0", "A1", "B1", "A2", "B2"]);
  expect(found.map((round) => Object.fromEntries(round))).toEqual([
    { A: 0, B: 0 },
    { A: 1, B: 1 },
    { A: 2, B: 2 },
  ]);
});
