import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { namedMutants } from "./named-mutants.ts";
import { accepted } from "./survivors.ts";

/**
 * Writes mutants.md from what `stryker run` has left behind. Fails where the files that are judged reach less than they
 * have to, where something survives there for no known reason, and where a reason is given for what does not survive.
 */
const leastScore = 90;
const judged = ["access", "plan", "receipt", "schedule", "weekly"].map((name) => `agent/domain/${name}.ts`);

const place = z.object({ line: z.int(), column: z.int() });
const reportSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.string(),
      mutants: z.array(
        z.object({
          status: z.enum(["Killed", "Timeout", "Survived", "NoCoverage"]),
          replacement: z.string(),
          location: z.object({ start: place, end: place }),
        }),
      ),
    }),
  ),
});
type Judgement = z.output<typeof reportSchema>["files"][string];
type Mutant = Judgement["mutants"][number];

const at = (path: string): URL => new URL(path, import.meta.url);
const { files } = reportSchema.parse(JSON.parse(readFileSync(at("../../.stryker-tmp/report.json"), "utf8")));
const missing = judged.filter((file) => !files[file]);
if (missing.length > 0) {
  process.stdout.write(`mutants.md is left as it was: without ${missing.join(", ")} this is no whole run\n`);
  process.exit();
}

const isCaught = ({ status }: Mutant): boolean => status === "Killed" || status === "Timeout";
const mutantsOf = (names: readonly string[]): readonly Mutant[] => names.flatMap((name) => files[name]?.mutants ?? []);
/** Never rounded up. */
function scoreOf(mutants: readonly Mutant[]): number {
  return Math.floor((mutants.filter(isCaught).length / mutants.length) * 10_000) / 100;
}

/** The line of the source as it is, and as the mutant has it. */
function linesOf(source: string, { replacement, location: { start, end } }: Mutant): { was: string; is: string } {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const [first = "", last = ""] = [lines[0], lines.at(-1)];
  const is = first.slice(0, start.column - 1) + replacement + last.slice(end.column - 1);
  return { was: plain(lines.join("\n")), is: plain(is) };
}
const plain = (text: string): string => text.replace(/\s+/g, " ").trim();

const survivors = judged.flatMap((file) =>
  mutantsOf([file])
    .filter((mutant) => !isCaught(mutant))
    .map((mutant) => {
      const { was, is } = linesOf(files[file]?.source ?? "", mutant);
      const reason = accepted.find((each) =>
        each.of.some((line) => line.file === file && line.was === was && line.is === is),
      );
      return { file, was, is, why: reason?.why };
    }),
);

const row = (title: string, names: readonly string[]): string => {
  const mutants = mutantsOf(names);
  const count = (is: (mutant: Mutant) => boolean): number => mutants.filter(is).length;
  const timeouts = count(({ status }) => status === "Timeout");
  const cells = [mutants.length, count(isCaught), timeouts, mutants.length - count(isCaught)];
  return `| ${[title, ...cells].join(" | ")} | ${scoreOf(mutants).toFixed(2)} % |`;
};
const head =
  "| file | mutants | caught | of them as they did not end | not caught | score |\n| --- | --- | --- | --- | --- | --- |";
const rowsOf = (names: readonly string[]): string[] => names.map((name) => row(`\`${name}\``, [name]));
const others = Object.keys(files).filter((file) => !judged.includes(file));
const reasons = [...new Set(survivors.map(({ why }) => why))];

writeFileSync(
  at("mutants.md"),
  `${[
    "# Mutants",
    `Written by \`npm run mutate\` (StrykerJS) on ${new Date().toISOString().slice(0, 10)}. At least ${leastScore} % of the first five together have to be caught, and what is not caught there has a reason.`,
    [head, ...rowsOf(judged), row("**together**", judged)].join("\n"),
    "Beside them, without a demand:",
    [head, ...rowsOf(others)].join("\n"),
    "## What is not caught, and why",
    ...reasons.flatMap((why) => [
      why ?? "**No reason is known.**",
      survivors
        .filter((each) => each.why === why)
        .map(({ file, was, is }) => `- \`${file}\`\n  - is \`${was}\`\n  - was tried as \`${is}\``)
        .join("\n"),
    ]),
    "## Mistakes by name",
    "Each is made in the source by `npm run mutate:named`, and has to be caught by these tests:",
    namedMutants
      .map(({ name, file, tests }) =>
        [`- **${name}**, in \`${file}\``, ...tests.map(([of, test]) => `  - \`${of}\`: ${test} …`)].join("\n"),
      )
      .join("\n"),
  ].join("\n\n")}\n`,
);

const score = scoreOf(mutantsOf(judged));
const isStale = (line: { readonly file: string; readonly was: string; readonly is: string }): boolean =>
  !survivors.some(({ file, was, is }) => file === line.file && was === line.was && is === line.is);
const problems = [
  ...(score < leastScore ? [`${score} % of the mutants were caught, and ${leastScore} % have to be`] : []),
  ...survivors.flatMap(({ file, was, is, why }) =>
    why ? [] : [`${file}: survives without a reason: ${was}\n  as ${is}`],
  ),
  ...accepted
    .flatMap(({ of }) => of.filter(isStale))
    .map(({ file, is }) => `${file}: does not survive any more: ${is}`),
];
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${score} % of the mutants caught; written to test/model/mutants.md\n`);
if (problems.length > 0) process.exitCode = 1;
