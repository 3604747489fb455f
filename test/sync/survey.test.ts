import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { Survey } from "../../agent/sync/survey.ts";
import { keypad } from "../support/memory-store.ts";
import { placementOf } from "../support/placements.ts";

const can = { read: true, list: false };
const now = instant(1_750_000_000_000);
const stateOf = (...placements: readonly Placement[]): Parameters<Survey["left"]>[2] => ({
  placements,
  atRest: new Set(),
});
const half = (): number => 0.5;

test("a slot that could not be read is left for later, and not at all once what is ours in it is due", () => {
  const { memory } = keypad();
  if (!memory) throw new Error("a keypad has a memory");
  const survey = new Survey();
  const [one, ...others] = survey.left(memory, can, stateOf(), now).map(({ slot }) => slot ?? slotName("all"));
  if (!one) throw new Error("a keypad has slots");
  for (const slot of others) survey.answered(slot, true, now, half);
  survey.answered(one, false, now, half);
  const [left, ...more] = survey.left(memory, can, stateOf(), now);
  expect(more).toEqual([]);
  expect(left).toMatchObject({ slot: one });
  expect(left?.from).toBeGreaterThan(now);

  const muchLater = later(now, 3600_000);
  const ours = placementOf("ann", { belief: { at: "held", slot: one, proof: "read_back" } });
  expect(survey.left(memory, can, stateOf(ours), muchLater)).toEqual([]);
  expect(survey.left(memory, can, { placements: [], atRest: new Set([one]) }, muchLater)).toEqual([]);
  // Where that has to wait, the slot is not.
  expect(survey.left(memory, can, stateOf({ ...ours, next: later(muchLater, 1_000) }), muchLater)).toEqual([left]);
});
