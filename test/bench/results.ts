import { z } from "zod";
import type { Pair } from "./bench.ts";
import { type Goal, isMet } from "./goals.ts";
import { median } from "./statistics.ts";

const row = z.strictObject({
  name: z.string(),
  /** Medians of the rounds; null where nothing was measured. */
  latchd: z.number().nullable(),
  reference: z.number().nullable(),
  ratio: z.number().nullable(),
  goal: z.string(),
  met: z.boolean(),
  why: z.string(),
});
/** A row of `bench-results.json`. */
export type Result = z.infer<typeof row>;
const file = z.looseObject({ rows: z.array(row) });

/** @param text of `bench-results.json`. */
export const readResults = (text: string): readonly Result[] => file.parse(JSON.parse(text)).rows;

/**
 * @param rounds none, where it could not be measured.
 * @param why what there is to say of it.
 */
export function resultOf(goal: Goal, rounds: readonly Pair[], why: string): Result {
  const latchd = middle(rounds.map((round) => round.latchd));
  const reference = middle(rounds.flatMap((round) => round.reference ?? []));
  const met = latchd !== null && isMet(goal, latchd, reference ?? undefined);
  const { missedBecause } = goal;
  return {
    name: goal.name,
    latchd,
    reference,
    ratio: latchd === null || reference === null ? null : significant(latchd / reference),
    goal: goal.goal,
    met,
    why: [why, ...(met || latchd === null || missedBecause === undefined ? [] : [missedBecause])]
      .filter((text) => text !== "")
      .join("; "),
  };
}

const middle = (values: readonly number[]): number | null => (values.length === 0 ? null : significant(median(values)));

/** Four digits say more than two runs have in common. */
const significant = (value: number): number => Number(value.toPrecision(4));
