import { expect, test } from "vitest";
import { problemsOf } from "./compare.ts";
import type { Goal } from "./goals.ts";
import { type Result, resultOf } from "./results.ts";
import { tableOf } from "./table.ts";

const goal: Goal = { name: "intake", row: "", reference: "", goal: "≥ 3 ×", of: "ratio", atLeast: 3 };
const rounds = [
  { latchd: 300, reference: 90 },
  { latchd: 310, reference: 100 },
  { latchd: 500, reference: 110 },
];

test("resultOf() is the medians of the rounds, and whether they meet the goal", () => {
  expect(resultOf(goal, rounds, "")).toEqual({
    name: "intake",
    latchd: 310,
    reference: 100,
    ratio: 3.1,
    goal: "≥ 3 ×",
    met: true,
    why: "",
  });
});

test("resultOf() of nothing meets no goal, and says why there is nothing", () => {
  const result = resultOf(goal, [], "it broke");
  expect(result).toMatchObject({ latchd: null, reference: null, ratio: null, met: false, why: "it broke" });
});

test("resultOf() says why a goal is missed, where it is, beside what was found", () => {
  const missed = { ...goal, missedBecause: "the disk is slow" };
  expect(resultOf(missed, rounds, "busy 80 %").why).toBe("busy 80 %");
  const slow = [{ latchd: 200, reference: 100 }];
  expect(resultOf(missed, slow, "busy 80 %")).toMatchObject({ met: false, why: "busy 80 %; the disk is slow" });
  expect(resultOf(missed, slow, "").why).toBe("the disk is slow");
  expect(resultOf(missed, [], "it broke").why).toBe("it broke");
});

const row = (ratio: number | null, latchd: number | null = 1): Result => ({
  ...resultOf(goal, rounds, "because"),
  latchd,
  ratio,
});

test.each([
  ["three times as high", 9, 3, false],
  ["a third", 1, 3, false],
  ["more than three times as high", 9.1, 3, true],
  ["less than a third", 0.9, 3, true],
])("problemsOf() a ratio that is %s", (_, now, before, isOff) => {
  expect(problemsOf([row(now)], [row(before)]).length).toBe(isOff ? 1 : 0);
});

test("problemsOf() names what was not measured, also where it was not before", () => {
  expect(problemsOf([row(null, null)], [])).toEqual(["intake: not measured: because"]);
  expect(problemsOf([row(null)], [row(3)])).toEqual(["intake: nothing to compare with: because"]);
  expect(problemsOf([row(3)], [])).toEqual([]);
});

test("tableOf() has every row with its rounds, their spread and what there is to say", () => {
  const text = tableOf([
    { result: resultOf(goal, rounds, "of the time latchd was busy 80 %"), unit: "grants/s", rounds },
    { result: resultOf(goal, [], "mosquitto is not installed"), unit: "grants/s", rounds: [] },
  ]);
  expect(text.split("\n")).toEqual([
    "row     latchd        reference     ratio  goal   met",
    "------  ------------  ------------  -----  -----  ---",
    "intake  310 grants/s  100 grants/s  3.10   ≥ 3 ×  yes",
    "    latchd: 300, 310, 500 (spread 65 %)",
    "    reference: 90, 100, 110 (spread 20 %)",
    "    of the time latchd was busy 80 %",
    "intake  –             –             –      ≥ 3 ×  NO",
    "    mosquitto is not installed",
    "",
  ]);
});
