import type { Pair } from "./bench.ts";
import type { Result } from "./results.ts";
import { spread } from "./statistics.ts";

/** A row with what it was made of. */
export interface Measured {
  readonly result: Result;
  readonly unit: string;
  readonly rounds: readonly Pair[];
}

/** The table for people, and under each row the rounds that it is the median of. */
export function tableOf(measured: readonly Measured[]): string {
  const heads = ["row", "latchd", "reference", "ratio", "goal", "met"];
  const lines = measured.map(({ result, unit }) => {
    const { latchd, reference, ratio } = numbersOf(result, unit);
    return [result.name, latchd, reference, ratio, result.goal, result.met ? "yes" : "NO"];
  });
  const widths = heads.map((head, column) => Math.max(...[head, ...lines.map((line) => line[column] ?? "")].map(size)));
  const text = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    text(heads),
    text(widths.map((width) => "-".repeat(width))),
    ...measured.flatMap(({ result, rounds }, index) => [
      text(lines[index] ?? []),
      ...roundsOf(rounds),
      ...(result.why === "" ? [] : [`    ${result.why}`]),
    ]),
    "",
  ].join("\n");
}

/** For people. */
export const numbersOf = (
  { latchd, reference, ratio }: Result,
  unit: string,
): Readonly<Record<"latchd" | "reference" | "ratio", string>> => ({
  latchd: withUnit(latchd, unit),
  reference: withUnit(reference, unit),
  ratio: ratio === null ? "–" : ratio.toFixed(2),
});

const size = (text: string): number => text.length;

const withUnit = (value: number | null, unit: string): string =>
  value === null ? "–" : `${shown(value)} ${unit}`.trimEnd();

function roundsOf(rounds: readonly Pair[]): readonly string[] {
  const sides = [
    { name: "latchd", values: rounds.map(({ latchd }) => latchd) },
    { name: "reference", values: rounds.flatMap(({ reference }) => reference ?? []) },
  ];
  return sides.flatMap(({ name, values }) =>
    values.length === 0
      ? []
      : [`    ${name}: ${values.map(shown).join(", ")} (spread ${Math.round(100 * spread(values))} %)`],
  );
}

/** Four digits are enough for everybody. */
function shown(value: number): string {
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}
