import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Refusal } from "../../agent/domain/placement.ts";
import { shaken } from "../../agent/domain/shaken.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const now = instant(1_000_000);
const [one, two] = [slotName("1"), slotName("2")];
const known = { isTold: false, isTaken: () => false };
const refused = (reason: Refusal) =>
  placementOf("ann", {
    attempts: 1,
    refusal: { reason, detail: undefined },
    // A lock that says no may store all the same: the slot is watched for some time.
    late: { slot: one, writes: 1, since: now, until: later(now, 600_000), check: later(now, 60_000) },
  });

test("shaken() lets what the lock refused as a duplicate be tried again when any slot of it has changed", () => {
  expect(shaken(refused("duplicate"), { suspect: two }, known)).toMatchObject({ refusal: undefined });
  expect(shaken(refused("forbidden"), { suspect: two }, known)).toBeUndefined();
  expect(shaken(refused("duplicate"), { awake: true }, known)).toBeUndefined();
  const ours = placementOf("ann", { refusal: { reason: "duplicate", detail: undefined } });
  expect(shaken(ours, { suspect: two }, known)).toBeUndefined();
});

test("shaken() lets what the lock refused be tried again after a reset, but where somebody else has the same code by now", () => {
  const taken = { ...known, isTaken: () => true };
  for (const reason of ["duplicate", "forbidden"] as const) {
    expect(shaken(refused(reason), { suspect: "all" }, known)).toMatchObject({ refusal: undefined });
    expect(shaken(refused(reason), { suspect: "all" }, taken)?.refusal?.reason).toBe("duplicate");
  }
  expect(shaken(refused("duplicate"), { suspect: two }, taken)).toBeUndefined();
  expect(shaken(refused("invalid"), { suspect: "all" }, known)?.refusal?.reason).toBe("invalid");
});
