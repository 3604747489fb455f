import { z } from "zod";

const goalShape = z.strictObject({
  name: z.string(),
  row: z.string(),
  reference: z.string(),
  goal: z.string(),
  /** What is compared with the bound: latchd's number, how many times the reference's it is, or by how much it is more. */
  of: z.enum(["latchd", "ratio", "difference"]),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  below: z.number().optional(),
  /** Where it is missed: why, with what a profile shows. */
  missedBecause: z.string().optional(),
});
export type Goal = z.infer<typeof goalShape>;
const file = z.strictObject({ goals: z.array(goalShape) });

/** @param text of `goals.json`. */
export const readGoals = (text: string): readonly Goal[] => file.parse(JSON.parse(text)).goals;

/** @param reference undefined where there is nothing to compare with. */
export function isMet(goal: Goal, latchd: number, reference: number | undefined): boolean {
  const found = compared(goal, latchd, reference);
  if (found === undefined || Number.isNaN(found)) return false;
  return (
    found >= (goal.atLeast ?? Number.NEGATIVE_INFINITY) &&
    found <= (goal.atMost ?? Number.POSITIVE_INFINITY) &&
    found < (goal.below ?? Number.POSITIVE_INFINITY)
  );
}

function compared({ of }: Goal, latchd: number, reference: number | undefined): number | undefined {
  if (of === "latchd") return latchd;
  if (reference === undefined) return undefined;
  return of === "ratio" ? latchd / reference : latchd - reference;
}
