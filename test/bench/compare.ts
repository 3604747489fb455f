import type { Result } from "./results.ts";

/** Between two runs, or two machines, a ratio may differ by as much. */
const within = 3;

/**
 * What is wrong with a run, a line each: rows that were not measured, and ratios that are off those of the run before by more
 * than three times. Absolute numbers are not compared: they are the machine's.
 */
export function problemsOf(now: readonly Result[], before: readonly Result[]): readonly string[] {
  const known = new Map(before.map((row) => [row.name, row]));
  return now.flatMap((row) => {
    if (row.latchd === null) return [`${row.name}: not measured: ${row.why}`];
    const earlier = known.get(row.name)?.ratio ?? null;
    if (earlier === null) return [];
    if (row.ratio === null) return [`${row.name}: nothing to compare with: ${row.why}`];
    const off = Math.max(row.ratio / earlier, earlier / row.ratio);
    return off > within || Number.isNaN(off)
      ? [`${row.name}: the ratio is ${row.ratio}, and was ${earlier}: more than ${within} × off`]
      : [];
  });
}
