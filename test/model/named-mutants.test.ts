import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { page } from "./mutants-page.ts";
import { mutated, namedMutants } from "./named-mutants.ts";

const root = new URL("../..", import.meta.url);

test.each(namedMutants)("$name: its place in $file is still there, and so are its tests", (mutant) => {
  const source = readFileSync(new URL(mutant.file, root), "utf8");
  expect(mutated(source, mutant)).not.toBe(source);
  for (const [file, name] of mutant.tests) expect(readFileSync(new URL(file, root), "utf8")).toContain(`"${name}`);
});

test.each(namedMutants)("mutants.md says that $name was caught, and by what", ({ name, file, tests }) => {
  const text = readFileSync(page, "utf8");
  expect(text).toContain(`- **${name}**, in \`${file}\`, is caught: `);
  for (const [of, each] of tests) expect(text).toContain(`  - \`${of}\`: ${each} …`);
});

test("mutated() says which place is lost", () => {
  const mutant = {
    name: "none",
    file: "a.ts",
    edits: [
      ["x", "y"],
      ["b", ""],
    ],
  } as const;
  expect(mutated("a x b", mutant)).toBe("a y ");
  expect(() => mutated("a", mutant)).toThrow('"none" has lost its place: a.ts');
  expect(() => mutated("x x b", mutant)).toThrow('"none" has lost its place: a.ts');
});
