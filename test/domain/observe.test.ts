import { expect, test } from "vitest";
import { branded } from "../../agent/domain/brand.ts";
import type { Fingerprint } from "../../agent/domain/credential.ts";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Late } from "../../agent/domain/late.ts";
import type { TimedWindow } from "../../agent/domain/lock-window.ts";
import { notFound, observe, overwritten } from "../../agent/domain/observe.ts";
import type { Placement } from "../../agent/domain/placement.ts";
import { type Observed, slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const now = instant(10_000_000);
const [here, elsewhere] = [slotName("3"), slotName("4")];
const hours: TimedWindow = { startsAt: undefined, endsAt: later(now, 60_000), weekly: undefined, zone: "UTC" };

const ours = { state: "known", fingerprint: placementOf("ann").fingerprint } as const;
const foreign = { state: "known", fingerprint: branded<Fingerprint>("f-owner") } as const;
const opaque = { state: "opaque" } as const;
const empty = { state: "empty" } as const;
const unreadable = { state: "unreadable" } as const;

const held = { at: "held", slot: here, proof: "read_back" } as const;
const masked = { ...held, proof: "read_back_masked" } as const;
const assumed = { ...held, proof: "acknowledged" } as const;
const suspended = { ...held, disabled: "by_us" } as const;
const write = { at: "write", slot: here, wasEmpty: true, inFlight: false } as const;
const unknowable = { ...write, wasEmpty: false };
const clear = { at: "clear", slot: here, inFlight: false } as const;
const switchTo = (on: boolean) => ({ at: "switch", slot: here, on, inFlight: false }) as const;
const never = { at: "nowhere", proof: "never_sent" } as const;
const gone = { at: "nowhere", proof: "read_back" } as const;

/** Of two writes, and to be looked at again in a minute. */
const late: Late = { slot: here, writes: 2, since: now, until: later(now, 3600_000), check: now };
const watched = { ...late, check: later(now, 60_000) };
const full = { reason: "full", detail: undefined } as const;
const byHand = { reason: "forbidden", detail: "the code is there, disabled at the lock" } as const;
const honoured = { reason: "changed_on_lock", detail: undefined } as const;
const notKept = { reason: "not_kept", detail: undefined } as const;
const tried = { attempts: 2, pauses: 2, next: later(now, 5_000) };
const fresh = { attempts: 0, pauses: 0, next: undefined };

type Row = readonly [what: string, was: Partial<Placement>, contents: Observed, change: Partial<Placement>];

const rows: readonly Row[] = [
  // Nothing is said.
  ["a wanted code", { belief: held, suspect: true }, unreadable, {}],
  ["a wanted write", { belief: write, suspect: true }, unreadable, {}],
  ["a revoked code", { belief: held, wanted: false, suspect: true }, unreadable, { belief: assumed, suspect: false }],
  ["a revoked write", { belief: write, wanted: false }, unreadable, { belief: assumed }],
  ["a revoked write of which nobody can know", { belief: unknowable, wanted: false }, unreadable, {}],
  ["a revoked code that was to be cleared", { belief: clear, wanted: false }, unreadable, { belief: assumed }],
  ["a code that is elsewhere, revoked", { belief: { ...held, slot: elsewhere }, wanted: false }, unreadable, {}],
  ["a code that may still come, revoked", { belief: gone, wanted: false, late }, unreadable, {}],
  ["a code that is to be suspended", { belief: held, dormant: true }, unreadable, { belief: assumed }],
  ["a code that the lock shuts", { belief: held, dormant: true, when: hours }, unreadable, {}],

  // Nothing of ours is there.
  [
    "a code",
    { belief: held, suspect: true, refusal: byHand },
    empty,
    { belief: gone, suspect: false, refusal: undefined },
  ],
  ["a code", { belief: held }, foreign, { belief: gone }],
  ["a code that is elsewhere", { belief: { ...held, slot: elsewhere }, suspect: true }, empty, { suspect: false }],
  ["a code that is elsewhere", { belief: { ...held, slot: elsewhere }, late }, empty, { late: watched }],
  ["a code that never was anywhere", { belief: never, suspect: true }, empty, { suspect: false }],
  ["a code that may still come", { belief: never, late }, empty, { belief: gone, late: watched }],
  ["a code that may still come elsewhere", { belief: never, late: { ...late, slot: elsewhere } }, empty, {}],
  [
    "a code that can no longer come",
    { belief: never, late: { ...late, until: now } },
    empty,
    { belief: gone, late: undefined },
  ],
  ["a second write", { belief: write, ...tried }, empty, { belief: gone }],
  [
    "a third write",
    { belief: write, ...tried, attempts: 3 },
    empty,
    { belief: gone, refusal: notKept, attempts: 0, pauses: 0, next: later(now, 30 * 60_000) },
  ],
  ["a third clear", { belief: clear, ...tried, attempts: 3 }, empty, { belief: gone }],
  [
    "a code that may be changed at the lock",
    { belief: held, external: true },
    empty,
    { belief: gone, refusal: honoured },
  ],
  ["what was never proven to be there", { belief: assumed, external: true }, empty, { belief: gone }],
  [
    "a code that may be changed at the lock",
    { belief: held, external: true },
    foreign,
    { belief: gone, refusal: honoured },
  ],
  ["it, revoked", { belief: held, external: true, wanted: false }, empty, { belief: gone }],
  ["it, never proven to be there", { belief: write, external: true, attempts: 1 }, empty, { belief: gone }],

  // Our code is there.
  [
    "a write",
    { belief: write, ...tried, refusal: full, suspect: true },
    ours,
    { belief: held, ...fresh, refusal: undefined, suspect: false },
  ],
  ["a write that may come twice", { belief: write, late }, ours, { belief: held, late: watched }],
  ["a clear", { belief: clear, ...tried }, ours, { belief: held, ...fresh, pauses: 2 }],
  ["a code that was nowhere", { belief: gone }, ours, { belief: held }],
  ["a code of which only something was seen", { belief: masked }, ours, { belief: held }],

  // Something is there.
  ["a write", { belief: write, ...tried }, opaque, { belief: masked, ...fresh }],
  ["a write that may come twice", { belief: write, late }, opaque, { belief: masked, late: { ...watched, writes: 1 } }],
  ["a write to a slot that was not empty", { belief: unknowable, ...tried }, opaque, {}],
  ["a write to another slot", { belief: { ...write, slot: elsewhere } }, opaque, {}],
  ["a clear", { belief: clear, ...tried }, opaque, { belief: masked }],
  ["a switch", { belief: switchTo(true), ...tried }, opaque, { belief: masked }],
  ["a code", { belief: held, ...tried, suspect: true }, opaque, { suspect: false }],
  ["a code that may come here once more", { belief: held, late }, opaque, { late: watched }],
  [
    "a code that is elsewhere, and may come here once more",
    { belief: { ...held, slot: elsewhere }, late },
    opaque,
    { late: watched },
  ],
  [
    "a code that was suspended by hand",
    { belief: switchTo(true), refusal: byHand },
    opaque,
    { belief: masked, refusal: undefined },
  ],
  [
    "a code that was suspended by hand",
    { belief: { ...held, disabled: "by_hand" }, refusal: byHand },
    opaque,
    { belief: held, refusal: undefined },
  ],
  [
    "a code that does not let itself be suspended",
    { belief: held, refusal: { ...byHand, detail: undefined } },
    opaque,
    {},
  ],
  [
    "a code that may still come",
    { belief: gone, late: { ...late, writes: 1 } },
    opaque,
    { belief: masked, late: undefined },
  ],
  ["a code that may still come elsewhere", { belief: gone, late: { ...late, slot: elsewhere } }, opaque, {}],
  ["a code that was taken out", { belief: gone }, opaque, {}],

  // It is there, and does not open.
  [
    "a code",
    { belief: held, suspect: true },
    { ...ours, disabled: true },
    { belief: { ...held, disabled: "by_hand" }, suspect: false, refusal: byHand },
  ],
  [
    "a code",
    { belief: masked },
    { ...opaque, disabled: true },
    { belief: { ...masked, disabled: "by_hand" }, refusal: byHand },
  ],
  [
    "a write",
    { belief: write },
    { ...ours, disabled: true },
    { belief: { ...held, disabled: "by_hand" }, refusal: byHand },
  ],
  ["what we have suspended", { belief: suspended }, { ...ours, disabled: true }, {}],
  [
    "what we have suspended, and is to be",
    { belief: suspended, dormant: true },
    ours,
    { belief: held, refusal: notKept },
  ],
  ["what we have suspended, and is to be", { belief: suspended, dormant: true }, { ...ours, disabled: true }, {}],
  ["what is to be suspended, and is not", { belief: held, dormant: true, refusal: full }, ours, { refusal: undefined }],
  [
    "what we have suspended, and the lock shuts",
    { belief: suspended, dormant: true, when: hours },
    ours,
    { belief: held },
  ],
  ["what was to be suspended", { belief: switchTo(false) }, { ...ours, disabled: true }, { belief: suspended }],
  ["what was to open", { belief: switchTo(true) }, { ...ours, disabled: true }, { belief: suspended }],
  [
    "what was to open, tried twice",
    { belief: switchTo(true), ...tried },
    { ...ours, disabled: true },
    { belief: suspended, ...tried, next: undefined },
  ],
  [
    "what was to open, tried three times",
    { belief: switchTo(true), ...tried, attempts: 3 },
    { ...ours, disabled: true },
    { belief: { ...suspended, otherWindow: true }, ...tried, attempts: 3, next: undefined },
  ],
  [
    "what was to be suspended, tried twice",
    { belief: switchTo(false), dormant: true, ...tried },
    ours,
    { belief: held, ...tried, next: undefined },
  ],
  [
    "what was to be suspended, tried three times",
    { belief: switchTo(false), dormant: true, ...tried, attempts: 3 },
    ours,
    { belief: held, ...tried, attempts: 3, next: undefined, refusal: notKept },
  ],
  [
    "what was suspended after all",
    { belief: switchTo(false), ...tried },
    { ...ours, disabled: true },
    { belief: suspended, ...fresh },
  ],
  [
    "what somebody has suspended, and the lock shuts",
    { belief: held, dormant: true, when: hours },
    { ...ours, disabled: true },
    { belief: { ...held, disabled: "by_hand" }, refusal: byHand },
  ],
  ["what is not to open anyhow", { belief: held, dormant: true }, { ...ours, disabled: true }, { belief: suspended }],
  ["what we have suspended", { belief: suspended }, { ...ours, disabled: false }, { belief: held }],
  [
    "what somebody has suspended",
    { belief: { ...held, disabled: "by_hand" }, refusal: byHand },
    ours,
    { belief: held, refusal: undefined },
  ],

  // It is there, and opens at some times.
  ["a code for always", { belief: write }, { ...ours, when: "always" }, { belief: held }],
  [
    "a code for always",
    { belief: write, ...tried },
    { ...ours, when: hours },
    { belief: { ...held, otherWindow: true }, ...fresh, attempts: 2 },
  ],
  ["a code for these times", { belief: write, when: hours }, { ...ours, when: { ...hours } }, { belief: held }],
  [
    "a code for these times",
    { belief: held, when: hours },
    { ...opaque, when: "always" },
    { belief: { ...held, otherWindow: true } },
  ],
  ["a code for these times", { belief: held, when: hours }, ours, {}],
  [
    "a code that opened at others",
    { belief: { ...held, otherWindow: true } },
    { ...ours, when: "always" },
    { belief: held },
  ],
  [
    "a code for always, which somebody has suspended, too",
    { belief: held },
    { ...ours, when: hours, disabled: true },
    { belief: { ...held, disabled: "by_hand", otherWindow: true } },
  ],
];

test.each(rows)("observe() of %s %o, where the slot is %o", (_, was, contents, change) => {
  const before = placementOf("ann", was);
  expect(observe(before, here, contents, now)).toEqual({ ...before, ...change });
});

test.each<[string, Partial<Placement>, Partial<Placement>]>([
  ["is nowhere", { belief: never, suspect: true }, {}],
  [
    "was held",
    { belief: held, suspect: true, refusal: byHand },
    { belief: { at: "nowhere", proof: "acknowledged" }, suspect: false, refusal: undefined },
  ],
  ["was in doubt", { belief: write }, { belief: { at: "nowhere", proof: "acknowledged" } }],
  [
    "was in doubt, and may be changed at the lock",
    { belief: write, external: true },
    { belief: { at: "nowhere", proof: "acknowledged" } },
  ],
  [
    "may be changed at the lock",
    { belief: held, external: true },
    { belief: { at: "nowhere", proof: "acknowledged" }, refusal: honoured },
  ],
])("overwritten() of a code that %s", (_, was, change) => {
  const before = placementOf("ann", was);
  expect(overwritten(before)).toEqual({ ...before, ...change });
});

test("notFound() is proof that a write whose slot was lost is nowhere", () => {
  const before = placementOf("ann", { belief: { ...write, slot: undefined }, attempts: 3 });
  expect(notFound(before)).toEqual({ ...before, belief: gone });
});
