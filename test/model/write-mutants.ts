import { readFileSync } from "node:fs";
import { z } from "zod";
import { today, writePart } from "./mutants-page.ts";
import { accepted } from "./survivors.ts";

/**
 * Writes its part of mutants.md from what `stryker run` has left behind. Fails where one of the files reaches less than it has
 * to, where something survives for no known reason, and where a reason is given for what does not survive.
 */
const leastScore = 90;
const decide = ["plan", "access", "schedule", "weekly", "receipt"];
const believe = ["force", "late", "lock-window", "observe", "placement", "settle"];
const judged = [...decide, ...believe].map((name) => `agent/domain/${name}.ts`);

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
const reasons = [...new Set(survivors.map(({ why }) => why))];

writePart("small changes", [
  "# Mutants",
  `Written by \`npm run mutate\` (StrykerJS) on ${today()}. At least ${leastScore} % have to be caught in each file, and what is not caught has a reason.`,
  [head, ...judged.map((file) => row(`\`${file}\``, [file])), row("**together**", judged)].join("\n"),
  "## What is not caught, and why",
  ...reasons.flatMap((why) => [
    why ?? "**No reason is known.**",
    survivors
      .filter((each) => each.why === why)
      .map(({ file, was, is }) => `- \`${file}\`\n  - is \`${was}\`\n  - was tried as \`${is}\``)
      .join("\n"),
  ]),
]);

const score = scoreOf(mutantsOf(judged));
const isStale = (line: { readonly file: string; readonly was: string; readonly is: string }): boolean =>
  !survivors.some(({ file, was, is }) => file === line.file && was === line.was && is === line.is);
const problems = [
  ...judged
    .filter((file) => scoreOf(mutantsOf([file])) < leastScore)
    .map(
      (file) => `${file}: ${scoreOf(mutantsOf([file]))} % of the mutants were caught, and ${leastScore} % have to be`,
    ),
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
