import { relative } from "node:path";
import { startVitest } from "vitest/node";
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

/** Which of its tests did not fail; and if it is so grave that no other test passes, it proves nothing. */
async function missedBy(mutant: NamedMutant): Promise<readonly string[]> {
  const results = await resultsWith(mutant, [...new Set(mutant.tests.map(([file]) => file))]);
  const failed = results.filter((each) => each.failed);
  say(`${mutant.name}: ${failed.length} of ${results.length} tests fail`);
  for (const { file, test } of failed) say(`  ${file}: ${test}`);
  if (failed.length === results.length) return ["it breaks everything"];
  return mutant.tests.flatMap(([file, name]) =>
    failed.some((each) => each.file === file && each.test.startsWith(name)) ? [] : [`${file}: ${name}`],
  );
}

const without = await resultsWith(undefined, [
  ...new Set(namedMutants.flatMap(({ tests }) => tests.map(([file]) => file))),
]);
const broken = without.filter(({ failed }) => failed);
if (without.length === 0 || broken.length > 0) {
  throw new Error(`without a mutant, too: ${broken.map(({ test }) => test).join("; ") || "no test ran"}`);
}
let survivors = 0;
for (const mutant of namedMutants) {
  const missed = await missedBy(mutant);
  for (const test of missed) say(`  NOT CAUGHT by ${test}`);
  survivors += Number(missed.length > 0);
}
say(`${namedMutants.length - survivors} of ${namedMutants.length} caught`);
// Vitest leaves a one behind, as tests have failed.
process.exitCode = survivors === 0 ? 0 : 1;
