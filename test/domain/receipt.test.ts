import { expect, test } from "vitest";
import { type Instant, instant, toIso } from "../../agent/domain/instant.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { credentialReceipt, emptyReceipt, pairState, type ReceiptState, standing } from "../../agent/domain/receipt.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const slot = slotName("3");
const late = { slot, writes: 1, since: instant(0), until: instant(60_000), check: instant(1_000) };
const held = { at: "held", slot, proof: "read_back" } as const;
const write = { at: "write", slot, wasEmpty: true, inFlight: false } as const;
const clear = { at: "clear", slot, inFlight: false } as const;
const nowhere = { at: "nowhere", proof: "read_back" } as const;
const refusal = { reason: "full", detail: undefined } as const;

const cases: readonly (readonly [string, Partial<Placement>, ReturnType<typeof standing>])[] = [
  ["new", {}, { state: "waiting", evidence: null, reason: "queued" }],
  ["lost at the lock", { belief: nowhere }, { state: "waiting", evidence: null, reason: "missing_on_lock" }],
  ["refused", { refusal }, { state: "refused", evidence: null, reason: "full" }],
  ["sent just now", { belief: { ...write, inFlight: true } }, { state: "writing", evidence: null, reason: null }],
  ["not answered", { belief: write }, { state: "unconfirmed", evidence: null, reason: "no_answer" }],
  ["held", { belief: held }, { state: "live", evidence: "read_back", reason: null }],
  ["being cleared, wanted again", { belief: clear }, { state: "unconfirmed", evidence: null, reason: "no_answer" }],
  ["held and revoked", { belief: held, wanted: false }, { state: "removing", evidence: null, reason: null }],
  ["in doubt and revoked", { belief: write, wanted: false }, { state: "removing", evidence: null, reason: null }],
  ["never sent, revoked", { wanted: false }, { state: "gone", evidence: "never_sent", reason: null }],
  ["read empty, revoked", { belief: nowhere, wanted: false }, { state: "gone", evidence: "read_back", reason: null }],
  [
    "may still be written, revoked",
    { belief: nowhere, wanted: false, late },
    { state: "removing", evidence: null, reason: "earlier_write_in_doubt" },
  ],
];

test.each(cases)("standing() of a placement that is %s", (_, of, expected) => {
  expect(standing(placementOf("ann", of))).toEqual(expected);
});

test("credentialReceipt() says that the lock is away only where something waits for it", () => {
  // oxlint-disable-next-line unicorn/consistent-function-scoping
  const reason = (of: Partial<Placement>): string | null =>
    credentialReceipt(placementOf("ann", of), instant(0), { reach: "away" }).reason;
  expect(reason({})).toBe("lock_away");
  expect(reason({ belief: write })).toBe("lock_away");
  expect(reason({ belief: held, wanted: false })).toBe("lock_away");
  expect(reason({ refusal })).toBe("full");
  expect(reason({ belief: held })).toBeNull();
});

test("credentialReceipt() says when a lock that is left alone is really tried next", () => {
  const [early, at] = [instant(10), instant(20)];
  // oxlint-disable-next-line unicorn/consistent-function-scoping
  const nextOf = (of: Partial<Placement>, notBefore: Instant | undefined): string | null =>
    credentialReceipt(placementOf("ann", of), instant(0), { reach: "away", notBefore }).next;
  expect(nextOf({ belief: nowhere }, at)).toBe(toIso(at));
  expect(nextOf({ belief: held, wanted: false, next: early }, at)).toBe(toIso(at));
  expect(nextOf({ belief: held, wanted: false, next: at }, early)).toBe(toIso(at));
  expect(nextOf({ belief: nowhere, wanted: false, late }, undefined)).toBe(toIso(late.check));
  expect(nextOf({ belief: held }, at)).toBeNull();
  expect(emptyReceipt("abilities_unknown", at).next).toBe(toIso(at));
});

test("credentialReceipt() tells until when an earlier write is in doubt, and why a lock will not have a code", () => {
  const removing = credentialReceipt(placementOf("ann", { belief: nowhere, wanted: false, late }), instant(0), {
    reach: "here",
  });
  expect(removing).toMatchObject({ state: "removing", until: "1970-01-01T00:01:00.000Z", enforced_by: null });
  const refused = placementOf("ann", { refusal: { reason: "invalid", detail: "length" } });
  expect(credentialReceipt(refused, instant(0), { reach: "here" }).hint).toContain("(length)");
  const live = credentialReceipt(placementOf("ann", { belief: held }), instant(5), { reach: "here" });
  expect(live).toMatchObject({ since: "1970-01-01T00:00:00.005Z", enforced_by: "lock", next: null, hint: null });
});

test("emptyReceipt() has a hint for what somebody has to do", () => {
  expect(emptyReceipt("credential_needed")).toMatchObject({
    kind: null,
    state: "waiting",
    reason: "credential_needed",
  });
  expect(emptyReceipt("credential_needed").hint).not.toBeNull();
});

const pair = (wanted: readonly ReceiptState[], stray: readonly ReceiptState[] = []): ReceiptState =>
  pairState([...wanted.map((state) => ({ state, wanted: true })), ...stray.map((state) => ({ state, wanted: false }))]);

test("pairState() is first about what may open and should not", () => {
  expect(pair(["live"], ["removing"])).toBe("removing");
  expect(pair([], ["removing"])).toBe("removing");
});

test("pairState() is live where one wanted credential is, else the least advanced", () => {
  expect(pair(["refused", "live"])).toBe("live");
  expect(pair(["writing", "waiting"])).toBe("waiting");
  expect(pair(["writing", "refused"])).toBe("refused");
  expect(pair(["unconfirmed", "writing"])).toBe("writing");
  expect(pair(["unconfirmed"])).toBe("unconfirmed");
  expect(pair([])).toBe("gone");
});
