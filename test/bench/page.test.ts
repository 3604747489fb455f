import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pageWith, wordsOf } from "./page.ts";
import { resultOf } from "./results.ts";

const goal = { name: "many", row: "", reference: "", goal: "≤ 1.15 ×", of: "ratio", atMost: 1.15 } as const;
const rounds = [{ latchd: 1_100, reference: 1_000 }];
const measured = [
  { result: resultOf(goal, rounds, ""), unit: "ms", rounds },
  { result: resultOf(goal, [], "it broke"), unit: "ms", rounds: [] },
];

const outside = (text: string): string => text.replace(/<!-- results -->.*<!-- end of results -->/s, "");

test("pageWith() puts the table of a run where the one before was, and leaves the rest of the page as it is", () => {
  const page = readFileSync(new URL("../../BENCHMARKS.md", import.meta.url), "utf8");
  const machine = { cpu: "EPYC", cores: 2, memory: "8 GiB", node: "v20.19.0", disk: "ext4 on /dev/vda", isDisk: true };
  const words = wordsOf({ ...machine, fsync: { p50: 0.3, p99: 2 } }).join("; ");
  const once = pageWith(page, words, measured);
  expect(once).toContain(
    "EPYC, 2 cores, 8 GiB, Node v20.19.0; data directories on ext4 on /dev/vda: fsync p50 0.3 ms, p99 2 ms\n\n| row |",
  );
  expect(once).toContain(
    "| many | 1,100 ms | 1,000 ms | 1.10 | ≤ 1.15 × | yes |\n| many | – | – | – | ≤ 1.15 × | **no** |\n\n- *many*: it broke\n",
  );
  expect(pageWith(once, words, measured)).toBe(once);
  expect(outside(once)).toBe(outside(page));
});

test("pageWith() writes into no page that has no place for it", () => {
  expect(() => pageWith("# Something else\n", "", measured)).toThrow("has no <!-- results -->");
});
