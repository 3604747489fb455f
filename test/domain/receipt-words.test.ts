import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Placement, Refusal } from "../../agent/domain/placement.ts";
import {
  type CredentialReceipt,
  credentialReceipt,
  emptyReceipt,
  orphanHint,
  pairState,
  type Reach,
  type ReceiptState,
  standing,
} from "../../agent/domain/receipt.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const slot = slotName("3");
const late = { slot, writes: 1, since: instant(0), until: instant(60_000), check: instant(1_000) };
/** By occupancy. */
const masked = "read_back_masked";
const held = { at: "held", slot, proof: masked } as const;
const inFlight = { at: "write", slot, wasEmpty: true, inFlight: true } as const;
const unanswered = { ...inFlight, inFlight: false };
const unknowable = { ...unanswered, wasEmpty: false };
const lost = { at: "nowhere", proof: "read_back" } as const;
const clearing = { at: "clear", slot, inFlight: true } as const;
const switching = { at: "switch", slot, on: true, inFlight: true } as const;
const suspended = { ...held, disabled: "by_us" } as const;
const hours = { startsAt: undefined, endsAt: instant(90_000), weekly: undefined, zone: "UTC" };
const refusedFor = (reason: Refusal, detail?: string): Partial<Placement> => ({ refusal: { reason, detail } });
const receiptOf = (of: Partial<Placement>, reach: Reach = "here"): CredentialReceipt =>
  credentialReceipt(placementOf("ann", of), instant(0), { reach });

test.each<[string, Partial<Placement>, ReturnType<typeof standing>]>([
  ["over a code that is not known", { belief: { ...unknowable, inFlight: true } }, said("writing", null)],
  ["nobody can know of, and is wanted", { belief: unknowable }, said("unconfirmed", "masked")],
  ["nobody can know of, and is revoked", { belief: unknowable, wanted: false }, said("removing", "masked")],
  ["being taken out, and wanted again", { belief: clearing }, said("removing", null)],
  [
    "taken out or not, and wanted again",
    { belief: { ...clearing, inFlight: false } },
    said("unconfirmed", "no_answer"),
  ],
  ["being taken out", { belief: clearing, wanted: false }, said("removing", null)],
  ["there, and does not open", { belief: held, ...refusedFor("forbidden") }, said("refused", "forbidden")],
  ["there, by occupancy", { belief: held }, said("live", null, masked)],
  ["there and may be written once more, revoked", { belief: held, late, wanted: false }, said("removing", null)],
  ["taken out, and read as such", { belief: lost, wanted: false }, said("gone", null, "read_back")],
  [
    "taken out by the lock's word",
    { belief: { at: "nowhere", proof: "acknowledged" }, wanted: false },
    said("gone", null, "acknowledged"),
  ],
  ["refused before it was revoked", { ...refusedFor("full"), wanted: false }, said("gone", null, "never_sent")],
  ["missing, and refused since", { belief: lost, ...refusedFor("not_kept") }, said("refused", "not_kept")],
  ["there, in the place of the one before", { belief: held, inPlace: true }, said("live", "changed_in_place", masked)],
  ["there at other times, and wanted", { belief: { ...held, otherWindow: true } }, said("removing", "window_differs")],
  [
    "there at other times, and revoked",
    { belief: { ...held, otherWindow: true }, wanted: false },
    said("removing", null),
  ],
  ["suspended still", { belief: suspended }, said("waiting", "suspended")],
  ["being let open again", { belief: switching }, said("writing", null)],
  ["perhaps let open again", { belief: { ...switching, inFlight: false } }, said("unconfirmed", "no_answer")],

  ["out of its hours and never sent", { dormant: true }, said("waiting", "outside_window", "never_sent")],
  ["out of its hours and not there", { dormant: true, belief: lost }, said("waiting", "outside_window", "read_back")],
  ["out of its hours and refused", { dormant: true, ...refusedFor("full") }, said("refused", "full")],
  [
    "out of its hours, and may still be written",
    { dormant: true, belief: lost, late },
    said("removing", "earlier_write_in_doubt"),
  ],
  ["out of its hours and open", { dormant: true, belief: held }, said("removing", null)],
  ["out of its hours and suspended", { dormant: true, belief: suspended }, said("waiting", "outside_window", masked)],
  [
    "out of its hours, suspended and refused",
    { dormant: true, belief: suspended, ...refusedFor("forbidden") },
    said("waiting", "outside_window", masked),
  ],
  [
    "out of its hours and suspended, and a late write may let it open",
    { dormant: true, belief: suspended, late },
    said("removing", null),
  ],
  ["out of its hours and in doubt", { dormant: true, belief: unanswered }, said("removing", null)],
  [
    "out of the hours that its lock keeps",
    { dormant: true, when: hours, belief: held },
    said("waiting", "outside_window", masked),
  ],
  [
    "out of the hours that its lock keeps, and not there yet",
    { dormant: true, when: hours, late },
    said("waiting", "outside_window", "never_sent"),
  ],
  [
    "out of the hours that its lock keeps, and in doubt",
    { dormant: true, when: hours, belief: unanswered },
    said("unconfirmed", "no_answer"),
  ],
  ["in the hours that its lock keeps", { when: hours, belief: held }, said("live", null, masked)],
])("standing() of a code that is %s", (_, of, expected) => {
  expect(standing(placementOf("ann", of))).toEqual(expected);
});

function said(state: ReceiptState, reason: string | null, evidence: string | null = null): ReturnType<typeof standing> {
  return { state, evidence, reason };
}

const refusals = [
  "full",
  "duplicate",
  "invalid",
  "forbidden",
  "not_kept",
  "kind_not_supported",
  "changed_on_lock",
] as const;
const farFrom = ["moved", "lock_replaced", "not_configured"] as const;
const withHint: readonly (readonly [string, () => CredentialReceipt])[] = [
  ...refusals.map((reason) => [reason, () => receiptOf(refusedFor(reason))] as const),
  ...farFrom.map((reach) => [reach, () => receiptOf({}, reach)] as const),
  ["lock_away", () => receiptOf({}, "away")],
  ["no_answer", () => receiptOf({ belief: unanswered })],
  ["masked", () => receiptOf({ belief: unknowable })],
  ["missing_on_lock", () => receiptOf({ belief: lost })],
  ["window_differs", () => receiptOf({ belief: { ...held, otherWindow: true } })],
  ["suspended", () => receiptOf({ belief: suspended })],
  ["changed_in_place", () => receiptOf({ belief: held, inPlace: true })],
  ["earlier_write_in_doubt", () => receiptOf({ belief: lost, late, wanted: false })],
  ["abilities_unknown", () => emptyReceipt("abilities_unknown")],
  ["credential_needed", () => emptyReceipt("credential_needed")],
  ["outside_window", () => emptyReceipt("outside_window")],
];

test.each(withHint)("a receipt whose reason is %s says what can be done, or what happens by itself", (reason, make) => {
  const receipt = make();
  expect(receipt.reason).toBe(reason);
  expect(receipt.hint).toMatch(/^\w.{25,}\w$/);
  const others = withHint.filter(([other]) => other !== reason).map(([, other]) => other().hint);
  expect(others).not.toContain(receipt.hint);
});

test.each(farFrom)("orphanHint() of a code whose device is %s is the one of its receipt", (reach) => {
  expect(orphanHint(reach)).toBe(receiptOf({ belief: held, wanted: false }, reach).hint);
});

test("a receipt has no hint where there is nothing to do but wait", () => {
  expect(receiptOf({})).toMatchObject({ reason: "queued", hint: null });
  expect(emptyReceipt("queued")).toMatchObject({ reason: "queued", hint: null, next: null, attempts: 0 });
  expect(receiptOf({ belief: held })).toMatchObject({ reason: null, hint: null });
});

test("credentialReceipt() adds what the lock said to the hint of a refusal, and to no other", () => {
  const plain = receiptOf(refusedFor("invalid")).hint;
  expect(receiptOf(refusedFor("invalid", "six digits")).hint).toBe(`${plain} (six digits)`);
  const leaving = receiptOf({ belief: lost, late, wanted: false, ...refusedFor("invalid", "six digits") });
  expect(leaving).toMatchObject({ state: "removing", hint: receiptOf({ belief: lost, late, wanted: false }).hint });
});

test.each<[string, Partial<Placement>, readonly Reach[], string | null]>([
  ["waits", {}, ["away", "moved", "lock_replaced", "not_configured"], "queued"],
  ["is to go", { belief: held, wanted: false }, ["away", "moved", "lock_replaced", "not_configured"], null],
  ["is in doubt", { belief: unanswered }, ["away", "moved", "lock_replaced", "not_configured"], "no_answer"],
  ["is live", { belief: held }, ["not_configured"], null],
  ["is refused", refusedFor("full"), ["not_configured"], "full"],
  ["is on its way", { belief: inFlight }, ["not_configured"], null],
])(
  "credentialReceipt() of a code that %s names the lock that is not there, where that is what holds it up",
  (_, of, holding, why) => {
    for (const reach of ["here", "away", "moved", "lock_replaced", "not_configured"] as const) {
      const reason = reach === "away" ? "lock_away" : reach;
      expect(receiptOf(of, reach).reason).toBe(holding.includes(reach) ? reason : why);
    }
  },
);

test.each<[string, Partial<Placement>, "lock" | "agent" | null]>([
  ["is live", { belief: held }, "agent"],
  ["is live, and whose window the lock has", { belief: held, when: hours }, "lock"],
  ["is suspended out of its hours", { belief: suspended, dormant: true }, "agent"],
  ["is out of the hours that the lock has", { belief: held, when: hours, dormant: true }, "lock"],
  ["waits", {}, null],
  ["is to go", { belief: held, wanted: false }, null],
])("credentialReceipt() of a code that %s says who keeps its hours, if anybody has to", (_, of, by) => {
  const placement = placementOf("ann", of);
  expect(credentialReceipt(placement, instant(0), { reach: "here", enforcedBy: "agent" }).enforced_by).toBe(by);
  // Who does not say leaves that to the lock.
  expect(receiptOf(of).enforced_by).toBe(by && "lock");
});

test("credentialReceipt() tells how often it was tried, when next, and until when a write is in doubt", () => {
  const receipt = receiptOf({ attempts: 4, ...refusedFor("not_kept"), next: instant(5_000) });
  expect(receipt).toMatchObject({ kind: "pin", attempts: 4, next: "1970-01-01T00:00:05.000Z" });
  expect(receiptOf({ next: instant(5_000) }).next).toBe("1970-01-01T00:00:05.000Z");
  expect(receiptOf({})).toMatchObject({ next: null });
  expect(receiptOf({ belief: lost, late, wanted: false })).toHaveProperty("until", "1970-01-01T00:01:00.000Z");
  expect(receiptOf({ belief: held, late })).not.toHaveProperty("until");
  expect(receiptOf({ belief: held, wanted: false })).not.toHaveProperty("until");
});

test("credentialReceipt() out of its hours tells when they begin, whether or not the lock can be asked", () => {
  const resting = placementOf("ann", { dormant: true, belief: suspended, next: instant(5_000) });
  for (const reach of ["here", "away", "moved", "lock_replaced"] as const) {
    const given = { reach, notBefore: instant(8_000), opensAt: instant(60_000) };
    expect(credentialReceipt(resting, instant(0), given)).toMatchObject({
      reason: "outside_window",
      next: "1970-01-01T00:01:00.000Z",
    });
  }
  expect(receiptOf({ dormant: true }).next).toBeNull();
  // In its hours their next beginning is of no interest.
  const live = credentialReceipt(placementOf("ann", { belief: held }), instant(0), {
    reach: "here",
    opensAt: instant(1),
  });
  expect(live.next).toBeNull();
});

const states = ["waiting", "refused", "writing", "unconfirmed", "live", "gone"] as const;
const anyStates = fc.array(fc.constantFrom<ReceiptState>(...states), { maxLength: 4 });
const areWanted = (all: readonly ReceiptState[]): { state: ReceiptState; wanted: boolean }[] =>
  all.map((state) => ({ state, wanted: true }));

test("pairState() is live where any wanted credential is, and else where the one is that has come least far", () => {
  fc.assert(
    fc.property(anyStates, fc.boolean(), (wanted, isRevoked) => {
      const gone = isRevoked ? [{ state: "gone" as const, wanted: false }] : [];
      const least = states.find((state) => wanted.includes(state)) ?? "gone";
      expect(pairState([...areWanted(wanted), ...gone])).toBe(wanted.includes("live") ? "live" : least);
    }),
  );
});

test("pairState() is removing as long as anything may open that should not, wanted or not, whatever else there is", () => {
  fc.assert(
    fc.property(anyStates, fc.boolean(), fc.boolean(), (wanted, isFirst, isWanted) => {
      const stray = { state: "removing" as const, wanted: isWanted };
      const all = isFirst ? [stray, ...areWanted(wanted)] : [...areWanted(wanted), stray];
      expect(pairState([...all, { state: "gone", wanted: false }])).toBe("removing");
    }),
  );
});

test.each(["live", "waiting", "writing"] as const)(
  "pairState() is not %s for a credential that is not wanted",
  (state) => {
    expect(pairState([{ state, wanted: false }])).toBe("gone");
    expect(pairState([{ state, wanted: false }, ...areWanted(["unconfirmed"])])).toBe("unconfirmed");
  },
);
