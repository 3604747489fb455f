import { expect, test } from "vitest";
import { blankChip, type Chip } from "../../simulator/lock.ts";
import { type Sight, Witness } from "../../simulator/witness.ts";

const witness = (unanswered: readonly string[] = []): { seen: Sight[]; it: Witness } => {
  const seen: Sight[] = [];
  return { seen, it: new Witness("door", (sight) => seen.push(sight), unanswered) };
};
const holding = (slot: string, value: string): Chip => ({
  ...blankChip("s"),
  entries: { [slot]: { kind: "pin", value, label: "" } },
});

test("Witness: a write to a slot that nobody was told of since the last write or clear is blind", () => {
  const { it, seen } = witness();
  it.sent("write", "3");
  it.sent("write", "4");
  expect(seen).toEqual([]);
  it.sent("write", "3");
  expect(seen).toMatchObject([{ happened: "rewritten_blindly", lock: "door", slot: "3" }]);
  it.answered("3");
  it.sent("clear", "3");
  expect(seen).toHaveLength(1);
  it.sent("write", "3");
  expect(seen).toHaveLength(2);
});

test("Witness: a clear is never blind, and a read ends the doubt", () => {
  const { it, seen } = witness(["3"]);
  it.sent("clear", "3");
  it.answered("3");
  it.sent("write", "3");
  expect(seen).toEqual([]);
  expect(it.unanswered).toEqual(["3"]);
});

test("Witness tells what changed in the memory, and when", () => {
  const { it, seen } = witness();
  const before = Date.now();
  it.compare(blankChip("s"), holding("3", "4711"));
  it.compare(holding("3", "4711"), holding("3", "4711"));
  it.compare(holding("3", "4711"), blankChip("s"));
  const stored = { happened: "stored", lock: "door", slot: "3", code: "4711" };
  expect(seen).toMatchObject([stored, stored, { happened: "cleared", lock: "door", slot: "3" }]);
  for (const { at } of seen) expect(at).toBeGreaterThanOrEqual(before);
});
