import { relative } from "node:path";
import { startVitest } from "vitest/node";
import { today, writePart } from "./mutants-page.ts";
import { mutated, type NamedMutant, namedMutants } from "./named-mutants.ts";

/** Tries each mutant that has a name on the tests that have to catch it. The edit is made as the file is loaded, never on disk. */
const root = new URL("../..", import.meta.url).pathname;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Result {
  readonly file: string;
  readonly test: string;
  readonly failed: boolean;
}

async function resultsWith(mutant: NamedMutant | undefined, files: readonly string[]): Promise<readonly Result[]> {
  let isLoaded = false;
  const edit = {
    name: "mutant",
    enforce: "pre" as const,
    transform(source: string, id: string): string | undefined {
      if (!mutant || relative(root, id) !== mutant.file) return undefined;
      isLoaded = true;
      return mutated(source, mutant);
    },
  };
  const vitest = await startVitest(
    "test",
    [],
    { config: "test/vitest.mutate.config.ts", include: [...files], watch: false, reporters: [{}] },
    { plugins: [edit] },
  );
  const results = vitest.state.getTestModules().flatMap((module) =>
    [...module.children.allTests()].map((test) => ({
      file: relative(root, module.moduleId),
      test: test.name,
      failed: test.result().state === "failed",
    })),
  );
  await vitest.close();
  if (mutant && !isLoaded) throw new Error(`"${mutant.name}": no test of ${files.join(", ")} loads ${mutant.file}`);
  return results;
}

interface Trial {
  readonly failed: number;
  readonly of: number;
  /** Which of its tests did not fail; and if it is so grave that no other test passes, it proves nothing. */
  readonly missed: readonly string[];
}

async function tryOut(mutant: NamedMutant): Promise<Trial> {
  const results = await resultsWith(mutant, [...new Set(mutant.tests.map(([file]) => file))]);
  const failed = results.filter((each) => each.failed);
  say(`${mutant.name}: ${failed.length} of ${results.length} tests fail`);
  for (const { file, test } of failed) say(`  ${file}: ${test}`);
  const isGrave = failed.length === results.length;
  const missed = mutant.tests
    .filter(([file, name]) => isGrave || !failed.some((each) => each.file === file && each.test.startsWith(name)))
    .map(([file, name]) => (isGrave ? "it breaks everything" : `${file}: ${name}`));
  return { failed: failed.length, of: results.length, missed };
}

const without = await resultsWith(undefined, [
  ...new Set(namedMutants.flatMap(({ tests }) => tests.map(([file]) => file))),
]);
const broken = without.filter(({ failed }) => failed);
if (without.length === 0 || broken.length > 0) {
  throw new Error(`without a mutant, too: ${broken.map(({ test }) => test).join("; ") || "no test ran"}`);
}
let survivors = 0;
const lines: string[] = [];
for (const mutant of namedMutants) {
  const { failed, of, missed } = await tryOut(mutant);
  for (const test of missed) say(`  NOT CAUGHT by ${test}`);
  survivors += Number(missed.length > 0);
  const verdict =
    missed.length > 0
      ? `NOT CAUGHT by ${missed.join("; ")}`
      : `caught: ${failed} of ${of} tests fail, these among them`;
  lines.push(
    `- **${mutant.name}**, in \`${mutant.file}\`, is ${verdict}`,
    ...mutant.tests.map(([file, test]) => `  - \`${file}\`: ${test} …`),
  );
}
const sum = `${namedMutants.length - survivors} of ${namedMutants.length} caught`;
writePart("by name", [`Written by \`npm run mutate:named\` on ${today()}: ${sum}.`, lines.join("\n")]);
say(`${sum}; written to test/model/mutants.md`);
// Vitest leaves a one behind, as tests have failed.
process.exitCode = survivors === 0 ? 0 : 1;
