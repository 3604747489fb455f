import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const here = import.meta.dirname;
const page = readFileSync(join(here, "field-failures.md"), "utf8");
/** What is still to come, by the numbers of the issues that build it: taken off here when it is there. */
const laterIssues = new Set(["6", "7", "8"]);

/** A heading, and what stands under it. */
interface Entry {
  readonly what: string;
  readonly story: string;
  readonly points: readonly string[];
}

const entries = page
  .split(/^## /m)
  .slice(1)
  .map((text): Entry => {
    const [what = "", ...lines] = text.trim().split("\n");
    const points = lines.filter((line) => line.startsWith("- "));
    const story = lines.filter((line) => !line.startsWith("- ")).join(" ");
    return { what, story: story.trim(), points };
  });

const named = /^- `(?<file>[^`]+)`: "(?<title>.+)"$/;
const later = /^- later: issue (?<issue>\d+): \S.*$/;
const never = /^- cannot happen here, since \S.*$/;

/** What the tests of a file are called, as its source has it: the first thing that a call is given, before a comma. */
function titlesIn(file: string): ReadonlySet<string> {
  const source = readFileSync(join(here, file), "utf8");
  const literal = /\(\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)\s*,/g;
  return new Set([...source.matchAll(literal)].flatMap(([, double, single, back]) => double ?? single ?? back ?? []));
}

/** What is wrong with a point, if anything is. */
function faultOf(point: string): string | undefined {
  const { file = "", title = "" } = named.exec(point)?.groups ?? {};
  if (file !== "") {
    if (!existsSync(join(here, file))) return `there is no ${file}`;
    return titlesIn(file).has(title) ? undefined : `no test of ${file} is called "${title}"`;
  }
  const { issue } = later.exec(point)?.groups ?? {};
  if (issue !== undefined) return laterIssues.has(issue) ? undefined : `issue ${issue} is not to come`;
  return never.test(point) ? undefined : `it says neither a test, nor later, nor why it cannot happen: ${point}`;
}

describe("field-failures.md", () => {
  test.each(entries)("$what", ({ story, points }) => {
    expect(story).not.toBe("");
    expect(points).not.toEqual([]);
    expect(points.flatMap((point) => faultOf(point) ?? [])).toEqual([]);
    // Where all of it is still to come, it is not suffered here by that.
    expect(points.some((point) => named.test(point))).toBe(true);
  });

  test("tells of each failure once", () => {
    expect(entries.length).toBeGreaterThan(30);
    expect(new Set(entries.map(({ what }) => what)).size).toBe(entries.length);
  });

  test("a test that is not there is a fault, and so is anything else that says nothing", () => {
    expect(faultOf('- `clock-locks.test.ts`: "thirteen years"')).toContain("no test of clock-locks.test.ts");
    expect(faultOf('- `no-such.test.ts`: "x"')).toBe("there is no no-such.test.ts");
    expect(faultOf("- later: issue 5: of this")).toBe("issue 5 is not to come");
    expect(faultOf("- it is fine")).toContain("neither");
  });
});
