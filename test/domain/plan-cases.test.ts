import { expect, test } from "vitest";
import type { KindLimits, MemoryLimits } from "../../agent/domain/abilities.ts";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Late } from "../../agent/domain/late.ts";
import type { TimedWindow } from "../../agent/domain/lock-window.ts";
import { longestPause, type Placement, type Refusal } from "../../agent/domain/placement.ts";
import { type LockState, plan, type Step } from "../../agent/domain/plan.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const now = instant(100_000_000);
const soon = later(now, 60_000);
const [one, two, three] = [slotName("1"), slotName("2"), slotName("3")];

const numbered: KindLimits = { slots: [one, two, three], lengths: [], alphabet: "", rules: [] };
const limits: MemoryLimits = {
  kinds: new Map([["pin", numbered]]),
  windows: "none",
  readBack: "full",
  cost: { read: "cheap", write: "cheap" },
};
const suspending = { limits: { ...limits, suspends: true }, can: { read: true, list: false, enable: true } };
const assigning = {
  limits: { ...limits, kinds: new Map([["pin", { ...numbered, slots: { assigned: 3 } }] as const]) },
};
const withCards = {
  limits: { ...limits, kinds: new Map([["pin", numbered] as const, ["card", numbered] as const]) },
};
const unreadable = { can: { read: false, list: false } };

const heldIn = (slot: typeof one) => ({ at: "held", slot, proof: "read_back" }) as const;
const lateIn = (slot: typeof one, check = soon): Late => ({ slot, writes: 1, since: now, until: soon, check });
const refused = (reason: Refusal): Partial<Placement> => ({ refusal: { reason, detail: undefined } });
const hours: TimedWindow = { startsAt: undefined, endsAt: soon, weekly: undefined, zone: "UTC" };
const held = { belief: heldIn(one) };
const doubted = { at: "write", slot: two, wasEmpty: true, inFlight: false } as const;

const ann = (of: Partial<Placement> = {}): Placement => placementOf("ann", of);
/** Her next code. */
const next = (of: Partial<Placement> = {}): Placement => placementOf("next", { identity: ann().identity, ...of });
const ben = (of: Partial<Placement> = {}): Placement => placementOf("ben", of);
const old = ann({ ...held, wanted: false });

/** In words, as in `write ann 2`. */
function words(step: Step): string {
  const parts: { placement?: string; slot?: string | undefined; successor?: string; on?: boolean } = step;
  const { placement = "", slot = "", successor, on } = parts;
  const name = placement.replace(/^p-/, "");
  const verb = on === false ? "disable" : step.do;
  return [verb, name, slot, successor ? `for ${successor.replace(/^p-/, "")}` : ""].filter(Boolean).join(" ");
}

type Case = readonly [what: string, placements: readonly Placement[], of: Partial<LockState>, steps: readonly string[]];

const writing: readonly Case[] = [
  ["nothing where nothing is known", [], {}, []],
  ["nothing about what is held", [ann(held)], {}, []],
  ["nothing before its time", [ann({ next: soon })], {}, []],
  ["what is due just now", [ann({ next: now })], {}, ["look 1", "write ann 1"]],
  ["nothing that waits as long as anything may", [ann({ next: later(now, longestPause) })], {}, []],
  ["what waits for longer", [ann({ next: later(now, longestPause + 1) })], {}, ["look 1", "write ann 1"]],
  [
    "a code into the first slot that is nobody's",
    [ben(held), ann()],
    { occupied: new Set([two]) },
    ["look 3", "write ann 3"],
  ],
  [
    "nothing into a slot in which a write may still arrive",
    [ben({ late: lateIn(one), wanted: false }), ann()],
    {},
    ["look 2", "write ann 2"],
  ],
  ["nothing of a kind that the lock does not take", [ann({ kind: "card" })], {}, []],
  ["nothing to numbered slots that cannot be read", [ann()], unreadable, []],
  ["a code where the lock chooses the slot", [ann()], { ...assigning, ...unreadable }, ["write ann"]],
  ["nothing where the lock said that it is full", [ann(refused("full"))], assigning, []],
  ["again where there was no room for it", [ann(refused("full"))], {}, ["look 1", "write ann 1"]],
  ["again what the lock did not keep", [ann(refused("not_kept"))], {}, ["look 1", "write ann 1"]],
  ...(["duplicate", "invalid", "forbidden", "kind_not_supported", "changed_on_lock"] as const).map(
    (reason): Case => [`nothing that was refused as ${reason}`, [ann(refused(reason))], {}, []],
  ),
  ["nothing that was not to open now, where the lock does not keep windows", [ann({ dormant: true })], {}, []],
  ["what the lock will keep shut", [ann({ dormant: true, when: hours })], {}, ["look 1", "write ann 1"]],
  [
    "nothing whose code is to leave first, whenever that is looked at",
    [{ ...old, next: soon }, ben({ fingerprint: old.fingerprint })],
    {},
    [],
  ],
  [
    "nothing whose code is in doubt elsewhere, and to leave",
    [
      ann({ belief: { ...doubted, slot: undefined }, wanted: false, next: soon }),
      ben({ fingerprint: old.fingerprint }),
    ],
    {},
    [],
  ],
  [
    "a code though nobody can know whether it is there still",
    [
      ann({ belief: { ...doubted, wasEmpty: false }, wanted: false, next: soon }),
      ben({ fingerprint: old.fingerprint }),
    ],
    {},
    ["look 1", "write ben 1"],
  ],
  [
    "what opens now first",
    [ann({ dormant: true, when: hours }), ben(), next()],
    {},
    ["look 1", "write ben 1", "look 2", "write next 2", "look 3", "write ann 3"],
  ],
];

const doubting: readonly Case[] = [
  ["a write that was not answered", [ann({ belief: doubted })], {}, ["verify ann 2"]],
  ["what something has happened to", [ann({ ...held, suspect: true })], {}, ["verify ann 1"]],
  [
    "what is not there and may have been written meanwhile",
    [ann({ late: lateIn(two), suspect: true })],
    {},
    ["verify ann 2"],
  ],
  ["a late write when it is time", [ann({ late: lateIn(two, now) })], {}, ["verify ann 2"]],
  [
    "a late write to another slot than the one that has the code",
    [ann({ ...held, late: lateIn(two, now) })],
    {},
    ["verify ann 2"],
  ],
  ["no late write to the slot that has the code", [ann({ ...held, late: lateIn(one, now) })], {}, []],
  ["it where that may let the code open", [ann({ ...held, late: lateIn(one, now) })], suspending, ["verify ann 1"]],
  ["no slot that cannot be read", [ann({ ...held, late: lateIn(two, now) })], unreadable, []],
  ["no late write where nothing can be read", [ann({ late: lateIn(two, now), wanted: false })], unreadable, []],
  ["it by clearing it, where it cannot be read", [ann({ belief: doubted })], unreadable, ["clear ann 2"]],
  ["not what is held, where it cannot be read", [ann({ ...held, suspect: true })], unreadable, []],
  [
    "a list for a write whose slot is not known",
    [ann({ belief: { ...doubted, slot: undefined } })],
    { can: { read: true, list: true } },
    ["find ann"],
  ],
  ["nothing for it where there is no list", [ann({ belief: { ...doubted, slot: undefined } })], assigning, []],
];

const leaving: readonly Case[] = [
  ["what is revoked", [old], {}, ["clear ann 1"]],
  ["what is revoked and in doubt, once that is read", [ann({ belief: doubted, wanted: false })], {}, ["verify ann 2"]],
  ["what is revoked and suspect, once that is read", [{ ...old, suspect: true }], {}, ["verify ann 1"]],
  [
    "what is revoked and suspect at once, where it cannot be read",
    [{ ...old, suspect: true }],
    unreadable,
    ["clear ann 1"],
  ],
  ["it not before its time", [{ ...old, next: soon }], {}, []],
  [
    "it before anything is read or written",
    [ben(), next({ belief: doubted, identity: ben().identity }), old],
    {},
    ["clear ann 1", "verify next 2", "look 3", "write ben 3"],
  ],
  ["it not while its successor is coming", [old, next()], {}, ["look 2", "write next 2"]],
  ["it not while its successor is in doubt", [old, next({ belief: doubted })], {}, ["verify next 2"]],
  ["it not while its successor waits to be written", [old, next({ next: soon })], {}, []],
  ["it where somebody else's code is coming", [old, ben()], {}, ["clear ann 1", "look 2", "write ben 2"]],
  ["it where her card is coming", [old, next({ kind: "card" })], withCards, ["clear ann 1", "look 2", "write next 2"]],
  [
    "it where what comes is revoked, too",
    [old, next({ wanted: false, belief: doubted })],
    {},
    ["clear ann 1", "verify next 2"],
  ],
  ["it where its successor is there", [old, next({ belief: heldIn(two) })], {}, ["clear ann 1"]],
  [
    "it where its successor is not kept",
    [old, next(refused("not_kept"))],
    {},
    ["clear ann 1", "look 2", "write next 2"],
  ],
  [
    "it for a successor that finds no other slot",
    [old, next()],
    { occupied: new Set([two, three]) },
    ["clear ann 1 for next"],
  ],
  [
    "it not where one of two successors finds a slot",
    [old, next(), placementOf("third", { identity: old.identity })],
    { occupied: new Set([two]) },
    ["look 3", "write next 3"],
  ],
  [
    "the same code before it is written with another window",
    [old, next({ fingerprint: old.fingerprint, when: hours })],
    {},
    ["clear ann 1"],
  ],
  [
    "the same code that is nowhere without waiting for anything",
    [ann({ wanted: false, late: lateIn(two) }), next({ fingerprint: old.fingerprint })],
    {},
    ["look 1", "write next 1"],
  ],
];

const shutting: readonly Case[] = [
  ["suspends what is not to open, where it can", [ann({ ...held, dormant: true })], suspending, ["disable ann 1"]],
  ["clears it where it cannot", [ann({ ...held, dormant: true })], {}, ["clear ann 1"]],
  [
    "clears it where that was refused",
    [ann({ ...held, dormant: true, ...refused("forbidden") })],
    suspending,
    ["clear ann 1"],
  ],
  ["leaves it where its lock keeps the window", [ann({ ...held, dormant: true, when: hours })], suspending, []],
  [
    "leaves it where it is suspended",
    [ann({ dormant: true, belief: { ...heldIn(one), disabled: "by_us" } })],
    suspending,
    [],
  ],
  [
    "watches a late write that may let it open",
    [ann({ dormant: true, late: lateIn(one, now), belief: { ...heldIn(one), disabled: "by_us" } })],
    suspending,
    ["verify ann 1"],
  ],
  [
    "reads a switch that was not answered",
    [ann({ belief: { at: "switch", slot: one, on: false, inFlight: false } })],
    suspending,
    ["verify ann 1"],
  ],
  ["lets it open in its hours", [ann({ belief: { ...heldIn(one), disabled: "by_us" } })], suspending, ["enable ann 1"]],
  [
    "lets open what somebody has suspended",
    [ann({ belief: { ...heldIn(one), disabled: "by_hand" } })],
    suspending,
    ["enable ann 1"],
  ],
  [
    "leaves that where it may stand",
    [ann({ external: true, belief: { ...heldIn(one), disabled: "by_hand" } })],
    suspending,
    [],
  ],
  [
    "lets open what we have suspended all the same",
    [ann({ external: true, belief: { ...heldIn(one), disabled: "by_us" } })],
    suspending,
    ["enable ann 1"],
  ],
  ["leaves it where it cannot", [ann({ belief: { ...heldIn(one), disabled: "by_us" } })], {}, []],
  [
    "lets it open once what is suspect is read",
    [ann({ suspect: true, belief: { ...heldIn(one), disabled: "by_us" } })],
    suspending,
    ["verify ann 1"],
  ],
  ["clears what opens at other times", [ann({ belief: { ...heldIn(one), otherWindow: true } })], {}, ["clear ann 1"]],
  [
    "clears it also out of its hours",
    [ann({ dormant: true, belief: { ...heldIn(one), otherWindow: true } })],
    suspending,
    ["clear ann 1"],
  ],
  [
    "clears it for no successor: it is to come there again itself",
    [ann({ belief: { ...heldIn(one), otherWindow: true } }), next()],
    {},
    ["clear ann 1", "look 2", "write next 2"],
  ],
  [
    "lets nothing wait that is let open before what is written",
    [ben(), ann({ belief: { ...heldIn(one), disabled: "by_us" } })],
    suspending,
    ["enable ann 1", "look 2", "write ben 2"],
  ],
];

const steps = ({ steps: planned }: ReturnType<typeof plan>): string[] => planned.map(words);
const planFor = (placements: readonly Placement[], of: Partial<LockState>): ReturnType<typeof plan> =>
  plan({
    placements,
    atRest: new Set(),
    limits,
    can: { read: true, list: false },
    occupied: new Set(),
    survey: [],
    now,
    ...of,
  });

test.each(writing)("plan() writes %s", (_, placements, of, expected) => {
  expect(steps(planFor(placements, of))).toEqual(expected);
});
test.each(doubting)("plan() asks about %s", (_, placements, of, expected) => {
  expect(steps(planFor(placements, of))).toEqual(expected);
});
test.each(leaving)("plan() takes away %s", (_, placements, of, expected) => {
  expect(steps(planFor(placements, of))).toEqual(expected);
});
test.each(shutting)("plan() %s", (_, placements, of, expected) => {
  expect(steps(planFor(placements, of))).toEqual(expected);
});

const fullOf = (placements: readonly Placement[], of: Partial<LockState>): string[] => [
  ...planFor(placements, of).full,
];

test("plan() says who finds no room: for want of slots, by the lock's word, or as nothing can be read", () => {
  expect(fullOf([ann(), ben(), next(), placementOf("dot")], {})).toEqual(["p-dot"]);
  expect(fullOf([ann(refused("full")), ben()], assigning)).toEqual(["p-ann"]);
  expect(fullOf([ann()], unreadable)).toEqual(["p-ann"]);
  expect(fullOf([ann({ kind: "card" })], {})).toEqual([]);
  expect(fullOf([ann({ late: lateIn(one) })], { occupied: new Set([one]) })).toEqual([]);
});

test("plan() reads a lock as a whole before it is written, and says of nobody that it is full before that", () => {
  const survey = [{ do: "survey", slot: three }] as const;
  const { steps: planned, full } = planFor([old, ben(), next({ belief: doubted })], {
    survey,
    occupied: new Set([three]),
  });
  expect(planned.map(words)).toEqual(["verify next 2", "survey 3"]);
  expect([...full]).toEqual([]);
  expect(
    steps(planFor([old, ann({ belief: { ...heldIn(two), disabled: "by_us" } })], { ...suspending, survey })),
  ).toEqual(["clear ann 1", "survey 3", "enable ann 2"]);
});

test("plan() writes no window while nobody knows the time of day, and all else as ever", () => {
  const when = { startsAt: undefined, endsAt: later(now, 60_000), weekly: undefined, zone: "UTC" };
  const timed = ann({ when });
  expect(steps(planFor([timed, ben()], { isTimeUnknown: true }))).toEqual(["look 1", "write ben 1"]);
  expect(steps(planFor([timed], { isTimeUnknown: false }))).toEqual(["look 1", "write ann 1"]);
  expect(steps(planFor([timed], {}))).toEqual(["look 1", "write ann 1"]);
  expect(steps(planFor([ann({ when, ...held, wanted: false })], { isTimeUnknown: true }))).toEqual(["clear ann 1"]);
});
