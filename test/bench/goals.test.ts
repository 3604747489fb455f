import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benches } from "./benches.ts";
import { loopRow } from "./findings.ts";
import { type Goal, isMet, readGoals } from "./goals.ts";

const goals = readGoals(readFileSync(new URL("goals.json", import.meta.url), "utf8"));
const goalOf = (bound: Partial<Goal>): Goal => ({ name: "", row: "", reference: "", goal: "", of: "ratio", ...bound });

test("every row of every bench has one goal, and a unit", () => {
  const names = goals.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { rows, unit } of benches) {
    for (const row of rows) expect(names).toContain(row);
    expect(Object.keys(unit).toSorted()).toEqual([...rows].toSorted());
  }
});

test("every goal is measured by one bench, and bounds something", () => {
  const measured = [...benches.flatMap(({ rows }) => rows), loopRow];
  for (const { name, atLeast, atMost, below } of goals) {
    expect(measured.filter((row) => row === name)).toEqual([name]);
    expect([atLeast, atMost, below].filter((bound) => bound !== undefined)).toHaveLength(1);
  }
});

test("isMet() compares the ratio, the difference, or the number alone", () => {
  expect(isMet(goalOf({ atLeast: 0.85 }), 85, 100)).toBe(true);
  expect(isMet(goalOf({ atLeast: 0.85 }), 84, 100)).toBe(false);
  expect(isMet(goalOf({ of: "difference", atMost: 4 }), 24, 20)).toBe(true);
  expect(isMet(goalOf({ of: "difference", atMost: 4 }), 24.1, 20)).toBe(false);
  expect(isMet(goalOf({ of: "latchd", below: 1 }), 0.99, undefined)).toBe(true);
  expect(isMet(goalOf({ of: "latchd", below: 1 }), 1, undefined)).toBe(false);
});

test("isMet() is false where there is nothing to compare with, or no number", () => {
  expect(isMet(goalOf({ atLeast: 0 }), 85, undefined)).toBe(false);
  expect(isMet(goalOf({ of: "latchd", atMost: 1 }), Number.NaN, undefined)).toBe(false);
});
