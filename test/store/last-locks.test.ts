import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type LockId, lockId } from "../../agent/domain/ids.ts";
import { instant } from "../../agent/domain/instant.ts";
import { isAtRest, type Placement, slotOf } from "../../agent/domain/placement.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { type Auditable, LastLocks } from "../../agent/store/last-locks.ts";
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
  locks: fc.array(lock, { maxLength: 2 }),
});

test("what is on a lock is the same, whether it was asked for before or not", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const { db } = openInMemory();
      const placements = new Placements(db);
      for (const [at, { act, person, rank, locks, ...of }] of changes.entries()) {
        for (const one of locks) asked(placements, one);
        const keep = (): void => void placements.keep(placementOf(person, of), rank, instant(at));
        if (act === "keep") keep();
        else {
          db.exec("BEGIN");
          keep();
          db.exec("ROLLBACK");
          placements.reread();
        }
        for (const one of locks) {
          expect(asked(placements, one)).toEqual(asked(new Placements(db), one));
          expect(asked(placements, one)).toEqual(inParts(placements.onLock(one)));
        }
      }
      db.close();
    }),
    { numRuns: 200 },
  );
});

test("what is on a lock is audited one after the other, the oldest grant first, and then again", () => {
  const { db } = openInMemory();
  const placements = new Placements(db);
  const audited = (count: number, last?: Auditable): readonly string[] => {
    const next = count > 0 ? placements.auditable(lockId("l-1"), last) : undefined;
    return next ? [next.slot, ...audited(count - 1, next)] : [];
  };
  const put = (person: string, rank: number, of: Partial<Placement> = {}): void => {
    const held = { at: "held", slot: slotName(person), proof: "read_back" } as const;
    placements.keep(placementOf(person, { lock: lockId("l-1"), belief: held, ...of }), rank, instant(rank));
  };
  expect(audited(1)).toEqual([]);
  put("c", 3);
  put("b", 2, { suspect: true });
  put("twin", 1);
  put("a", 1);
  put("d", 4, { belief: { at: "nowhere", proof: "never_sent" } });
  put("elsewhere", 5, { lock: lockId("l-2") });
  expect(audited(5)).toEqual(["a", "twin", "c", "a", "twin"]);
  // What has left meanwhile, and what came.
  const at = placements.auditable(lockId("l-1"));
  put("a", 1, { belief: { at: "nowhere", proof: "read_back" }, wanted: false });
  put("b", 2);
  expect(audited(4, at)).toEqual(["twin", "b", "c", "twin"]);
  db.close();
});

/** All that a round asks of a lock. */
const asked = (placements: Placements, one: LockId): object => ({
  atWork: placements.atWork(one),
  slotsAtRest: [...placements.slotsAtRest(one)].toSorted(),
});
function inParts(all: readonly Kept[]): ReturnType<typeof asked> {
  const on = all.map(({ placement }) => placement);
  const slots = on.filter(isAtRest).flatMap((placement) => slotOf(placement) ?? []);
  return { atWork: on.filter((each) => !isAtRest(each)), slotsAtRest: [...new Set(slots)].toSorted() };
}

test("of the locks that were asked for last, as many are kept as there is room for", () => {
  const locks = new LastLocks(({ placement: { id }, rank }) => ({ id, rank }));
  const loads: string[] = [];
  const all = Array.from({ length: 4_001 }, (_, at) => ({ id: placementOf(String(at)).id, rank: at }));
  const kept = all.slice(0, 1_500);
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
