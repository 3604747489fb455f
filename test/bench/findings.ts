import type { Bench, Pair } from "./bench.ts";
import type { Goal } from "./goals.ts";
import { resultOf } from "./results.ts";
import type { Measured } from "./table.ts";

/** The one row that all benches with an agent give something for. */
export const loopRow = "event-loop delay";

/** What the benches have found so far. */
export class Findings {
  readonly rounds = new Map<string, Pair[]>();
  readonly notes = new Map<string, string>();
  readonly missing = new Map<string, string>();
  readonly delays: { readonly during: string; readonly ms: number }[] = [];

  add(row: string, pair: Pair): void {
    this.rounds.set(row, [...(this.rounds.get(row) ?? []), pair]);
  }

  /** What was measured before is worth nothing. */
  broke(row: string, why: string): void {
    this.rounds.delete(row);
    this.notes.set(row, why);
  }

  measured(goal: Goal, chosen: readonly Bench[]): Measured {
    if (goal.name === loopRow) return this.#loop(goal);
    const rounds = this.rounds.get(goal.name) ?? [];
    const why =
      this.missing.get(goal.name) ?? this.notes.get(goal.name) ?? (rounds.length === 0 ? "no bench measures it" : "");
    const unit = chosen.find(({ rows }) => rows.includes(goal.name))?.unit[goal.name] ?? "";
    return { result: resultOf(goal, rounds, why), unit, rounds };
  }

  /** The worst of the rows counts, and each is told. */
  #loop(goal: Goal): Measured {
    const worst = new Map<string, number>();
    for (const { during, ms } of this.delays) worst.set(during, Math.max(ms, worst.get(during) ?? 0));
    const why = [...worst].map(([during, ms]) => `${during} ${ms.toFixed(1)} ms`).join(", ");
    const rounds = worst.size === 0 ? [] : [{ latchd: Math.max(...worst.values()) }];
    return { result: resultOf(goal, rounds, why === "" ? "no agent was looked at" : why), unit: "ms", rounds };
  }
}
