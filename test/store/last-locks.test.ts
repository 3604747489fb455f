import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lockId } from "../../agent/domain/ids.ts";
import { instant } from "../../agent/domain/instant.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { LastLocks } from "../../agent/store/last-locks.ts";
import type { Kept } from "../../agent/store/placement-row.ts";
import { Placements } from "../../agent/store/placements.ts";
import { placementOf } from "../support/placements.ts";
import { openInMemory } from "../support/world.ts";

const lock = fc.constantFrom("l-1", "l-2", "l-3").map(lockId);
const belief: fc.Arbitrary<Placement["belief"]> = fc.constantFrom(
  { at: "nowhere", proof: "never_sent" },
  { at: "nowhere", proof: "read_back" },
  { at: "held", slot: slotName("1"), proof: "read_back" },
  { at: "held", slot: slotName("2"), proof: "acknowledged", disabled: "by_us" },
  { at: "write", slot: slotName("3"), wasEmpty: true, inFlight: true },
);
const change = fc.record({
  act: fc.constantFrom("keep", "keep", "keep", "undo"),
  person: fc.constantFrom("a", "b", "c", "d"),
  lock,
  belief,
  wanted: fc.boolean(),
  rank: fc.integer({ min: 1, max: 3 }),
  asked: fc.array(lock, { maxLength: 2 }),
});

test("what is on a lock is the same, whether it was asked for before or not", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const { db } = openInMemory();
      const placements = new Placements(db);
      for (const [at, { act, person, rank, asked, ...of }] of changes.entries()) {
        for (const one of asked) placements.onLock(one);
        const keep = (): void => void placements.keep(placementOf(person, of), rank, instant(at));
        if (act === "keep") keep();
        else {
          db.exec("BEGIN");
          keep();
          db.exec("ROLLBACK");
          placements.reread();
        }
        for (const one of asked) expect(placements.onLock(one)).toEqual(new Placements(db).onLock(one));
      }
      db.close();
    }),
    { numRuns: 200 },
  );
});

test("of the locks that were asked for last, as many are kept as there is room for", () => {
  const locks = new LastLocks();
  const loads: string[] = [];
  const some = (count: number): readonly Kept[] => all.slice(0, count);
  const all = Array.from({ length: 4_001 }, (_, at) => ({
    placement: placementOf(String(at)),
    state: "live" as const,
    since: instant(0),
    rank: at,
  }));
  const kept = some(1_500);
  const ask = (name: string, has = kept): void => {
    const found = locks.of(lockId(name), () => {
      loads.push(name);
      return has;
    });
    expect(found).toBe(has);
  };
  for (const name of ["a", "b", "a", "c", "a", "b"]) ask(name);
  expect(loads).toEqual(["a", "b", "c", "b"]);
  locks.clear();
  ask("b");
  expect(loads).toEqual(["a", "b", "c", "b", "b"]);
  // What is more than there is room for is read each time it is asked for.
  ask("large", all);
  ask("large", all);
  ask("b");
  expect(loads.slice(-2)).toEqual(["large", "large"]);
});
