import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { packageRoot } from "../../agent/package.ts";
import { bestBroker } from "../support/broker.ts";
import type { Bench, BenchContext } from "./bench.ts";
import { benches } from "./benches.ts";
import { problemsOf } from "./compare.ts";
import { Findings, loopRow } from "./findings.ts";
import { readGoals } from "./goals.ts";
import { type Machine, machineOf } from "./machine.ts";
import { pageWith, wordsOf } from "./page.ts";
import { readResults } from "./results.ts";
import { type Measured, tableOf } from "./table.ts";

const here = join(packageRoot(), "test/bench");
/** Checked in: the results of the last full run, and those of a quick one, whose sizes are others. */
const checkedIn = join(here, "bench-results.json");
const quickOnes = join(here, "bench-quick-results.json");
const page = join(packageRoot(), "BENCHMARKS.md");

const options = z.object({
  only: z.array(z.string()).optional(),
  quick: z.boolean().default(false),
  folder: z.string().default(join(packageRoot(), "data")),
  out: z.string().optional(),
});

const program = new Command("bench")
  .description("Measures latchd beside what it is compared with, and prints a table.")
  .option("--only <name...>", `these benches only: ${benches.map(({ name }) => name).join(", ")}`)
  .option(
    "--quick",
    "under a minute: fewer rounds, smaller sizes; fails where a row is broken or far off the last results",
  )
  .option("--folder <dir>", "where the data directories lie while it runs: on a disk, not in memory")
  .option(
    "--out <file>",
    "where to write the results (default: test/bench/bench-results.json of a full run, nowhere else)",
  );

const quickly = "others that wait, quickly";

type Options = z.infer<typeof options>;

async function run({ folder: parent, ...asked }: Options): Promise<number> {
  const goals = readGoals(readFileSync(join(here, "goals.json"), "utf8"));
  const chosen = benches.filter(({ name }) => asked.only?.includes(name) ?? true);
  if (chosen.length === 0) throw new Error(`no bench of that name: ${benches.map(({ name }) => name).join(", ")}`);
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const machine = machineOf(folder);
  warn(machine, folder);
  const found = new Findings();
  const { quick } = asked;
  const inTurn = async (some: readonly Bench[]): Promise<void> => {
    for (const bench of some) await measure(bench, { quick, folder }, found);
  };
  const waiting = chosen.filter(({ beside }) => beside === "others that wait" || (quick && beside === quickly));
  const rest = chosen.filter((bench) => !waiting.includes(bench));
  const first = quick ? rest.filter(({ beside }) => beside === "nothing") : rest;
  await inTurn(first);
  const others = rest.filter((bench) => !first.includes(bench));
  await Promise.all([inTurn(others), ...waiting.map((bench) => inTurn([bench]))]);
  const rows = new Set(chosen.flatMap((bench) => bench.rows));
  if (found.delays.length > 0) rows.add(loopRow);
  const measured = goals
    .filter(({ name }) => asked.only === undefined || rows.has(name))
    .map((goal) => found.measured(goal, chosen));
  return report(measured, machine, found, asked);
}

function warn({ isDisk }: Machine, folder: string): void {
  if (!isDisk) say(`${folder} is in memory: nothing that is said of durability is worth anything there`);
  if (bestBroker() !== "mosquitto")
    say("mosquitto is not installed (apt-get install mosquitto): the broker is aedes, in this process");
}

/** @returns the exit code. */
function report(
  measured: readonly Measured[],
  machine: Machine,
  { missing }: Findings,
  { only, quick, out }: Omit<Options, "folder">,
): number {
  const known = quick ? quickOnes : checkedIn;
  const before = existsSync(known) ? readResults(readFileSync(known, "utf8")) : [];
  const words = wordsOf(machine);
  const note = quick ? "quick: fewer rounds and smaller sizes than the goals ask for\n" : "";
  process.stdout.write(`${words.join("\n")}\n${note}\n${tableOf(measured)}\n`);
  const rows = measured.map(({ result }) => result);
  const file = out ?? (quick || only ? undefined : checkedIn);
  if (file === checkedIn) writeFileSync(page, pageWith(readFileSync(page, "utf8"), words.join("; "), measured));
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  // What a quick run would have to install first is told, and left to the full one.
  const problems = problemsOf(quick ? rows.filter(({ name }) => !missing.has(name)) : rows, before);
  for (const problem of problems) say(problem);
  return problems.length > 0 ? 1 : 0;
}

async function measure(bench: Bench, given: Pick<BenchContext, "quick" | "folder">, found: Findings): Promise<void> {
  const began = performance.now();
  const context: BenchContext = {
    ...given,
    progress: say,
    delayed: (during, ms) => void found.delays.push({ during, ms }),
    note: (row, text) => void found.notes.set(row, text),
    missing: (row, why) => void found.missing.set(row, why),
  };
  try {
    for await (const round of bench.rounds(context)) {
      for (const [row, pair] of Object.entries(round)) found.add(row, pair);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    say(`${bench.name} is broken: ${error instanceof Error ? (error.stack ?? why) : why}`);
    for (const row of bench.rows) found.broke(row, `it broke: ${why}`);
  }
  say(`${bench.name}: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

process.exitCode = await run(options.parse(program.parse().opts()));
