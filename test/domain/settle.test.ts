import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Late } from "../../agent/domain/late.ts";
import type { TimedWindow } from "../../agent/domain/lock-window.ts";
import { doubted, type Placement } from "../../agent/domain/placement.ts";
import {
  intendClear,
  intendSwitch,
  intendWrite,
  type Settlement,
  settleClear,
  settleSwitch,
  settleWrite,
} from "../../agent/domain/settle.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { placementOf } from "../support/placements.ts";

const now = instant(10_000_000);
const settles = 3600_000;
const [slot, other] = [slotName("3"), slotName("4")];
const half = later(now, 30 * 60_000);

const hours: TimedWindow = { startsAt: undefined, endsAt: half, weekly: undefined, zone: "UTC" };
const held = { at: "held", slot, proof: "read_back" } as const;
const nowhere = { at: "nowhere", proof: "read_back" } as const;
const write = { at: "write", slot, wasEmpty: true, inFlight: true } as const;
const clear = { at: "clear", slot, inFlight: true } as const;
const switchTo = (on: boolean) => ({ at: "switch", slot, on, inFlight: true }) as const;
const unanswered = { inFlight: false };
const otherTimes = { ...held, otherWindow: true } as const;

const late: Late = { slot, writes: 1, since: now, until: later(now, settles), check: later(now, 60_000) };
const twice = { ...late, writes: 2 };
const full = { reason: "full", detail: undefined } as const;
const fresh = { attempts: 0, pauses: 0, next: undefined, refusal: undefined };
const tried = { attempts: 2, pauses: 2, next: half };

const stored: Settlement = { result: "stored", slot, proof: "acknowledged" };
const silent: Settlement = { result: "unconfirmed" };
const invalid: Settlement = { result: "refused", reason: "invalid", detail: "six digits" };
const unsent: Settlement = { result: "not_sent" };
const refusal = { reason: "invalid", detail: "six digits" } as const;
const there = { ...held, proof: "acknowledged" } as const;

test.each<[string, Partial<Placement>, typeof slot | undefined, number | undefined, Partial<Placement>]>([
  [
    "the first",
    { refusal: full, suspect: true },
    slot,
    undefined,
    { belief: write, attempts: 1, refusal: undefined, suspect: false },
  ],
  ["the first that may be late", {}, slot, settles, { belief: write, attempts: 1, late }],
  ["the second that may be late", { attempts: 1, late }, slot, settles, { belief: write, attempts: 2, late: twice }],
  [
    "one to a slot that the lock chooses",
    {},
    undefined,
    settles,
    { belief: { ...write, slot: undefined }, attempts: 1 },
  ],
])("intendWrite() leaves a trace of a write: %s", (_, was, to, settling, change) => {
  const before = placementOf("ann", was);
  expect(intendWrite(before, to, now, settling)).toEqual({ ...before, ...change });
});

test("intendClear() and intendSwitch() leave a trace, and a switch may be late", () => {
  const before = placementOf("ann", { belief: held, attempts: 1, suspect: true, refusal: full });
  expect(intendClear(before, slot)).toEqual({ ...before, belief: clear, attempts: 2 });
  expect(intendSwitch(before, slot, true, now, settles)).toEqual({
    ...before,
    belief: switchTo(true),
    attempts: 2,
    late,
  });
  expect(intendSwitch(before, slot, false, now, undefined)).toEqual({
    ...before,
    belief: switchTo(false),
    attempts: 2,
  });
});

type Row = readonly [what: string, was: Partial<Placement>, outcome: Settlement, change: Partial<Placement>];
/** As it was before it was sent. */
const before = placementOf("ann", { belief: nowhere, refusal: full, attempts: 1 });

test.each<Row>([
  ["that arrived", { belief: write, ...tried, refusal: full }, stored, { belief: there, ...fresh }],
  [
    "that arrived in another slot",
    { belief: write },
    { ...stored, slot: other },
    { belief: { ...there, slot: other } },
  ],
  ["that arrived, while something happened in its slot", { belief: write, suspect: true }, stored, { belief: there }],
  ["that arrived, and was not the only one", { belief: write, late: twice }, stored, { belief: there, late }],
  ["that arrived, and may not come again", { belief: write, late }, stored, { belief: there, late: undefined }],
  [
    "that arrived with its window, once",
    { belief: write, when: hours, attempts: 1 },
    stored,
    { belief: there, ...fresh },
  ],
  [
    "that arrived with its window, once more: the lock may spoil it again",
    { belief: write, when: hours, ...tried },
    stored,
    { belief: there, ...fresh, attempts: 2 },
  ],
  ["that nobody answered", { belief: write, ...tried, late: twice }, silent, { belief: { ...write, ...unanswered } }],
  [
    "whose answer names the slot",
    { belief: { ...write, slot: undefined } },
    { ...silent, slot },
    { belief: { ...write, ...unanswered }, late },
  ],
  [
    "whose slot nobody knows",
    { belief: { ...write, slot: undefined } },
    silent,
    { belief: { ...write, slot: undefined, ...unanswered } },
  ],
  [
    "that was refused",
    { belief: write, ...tried, late },
    invalid,
    { belief: { at: "nowhere", proof: "acknowledged" }, refusal },
  ],
  [
    "that was refused, and may be sent at once where that changes",
    { belief: write },
    invalid,
    { belief: { at: "nowhere", proof: "acknowledged" }, refusal },
  ],
  [
    "for which there was no room, though its slot was empty",
    { belief: write },
    { result: "refused", reason: "full" },
    { belief: { at: "nowhere", proof: "acknowledged" }, refusal: full, next: half },
  ],
  [
    "for which the lock found no slot",
    { belief: { ...write, slot: undefined }, next: now },
    { result: "refused", reason: "full" },
    { belief: { at: "nowhere", proof: "acknowledged" }, refusal: full },
  ],
  [
    "that was never sent",
    { belief: write, ...tried, late, wanted: false },
    unsent,
    { belief: nowhere, refusal: full, attempts: 1, late: undefined },
  ],
])("settleWrite() of a write %s", (_, was, outcome, change) => {
  const sent = placementOf("ann", was);
  expect(settleWrite(sent, before, outcome, now, settles)).toEqual({ ...sent, ...change });
});

const wasHeld = { ...before, belief: held };
const wasOther = { ...before, belief: otherTimes };
const taken = { at: "nowhere", proof: "acknowledged" } as const;

test.each<readonly [...Row, Placement]>([
  [
    "that is done",
    { belief: clear, wanted: false, suspect: true, ...tried, refusal: full },
    stored,
    { belief: taken, suspect: false, attempts: 0 },
    wasHeld,
  ],
  [
    "that is done, of what is still wanted",
    { belief: clear, ...tried, refusal: full },
    stored,
    { belief: taken, attempts: 0, refusal: undefined },
    wasHeld,
  ],
  [
    "that is done, so that it can be written anew",
    { belief: clear, ...tried, attempts: 5, refusal: full },
    stored,
    { belief: taken, refusal: undefined },
    wasOther,
  ],
  [
    "that is done, for the third time",
    { belief: clear, ...tried, attempts: 6 },
    stored,
    { belief: taken, refusal: { reason: "not_kept", detail: undefined }, attempts: 0, pauses: 0, next: half },
    wasOther,
  ],
  [
    "that is done, of what opened at other times and is revoked",
    { belief: clear, wanted: false, attempts: 6 },
    stored,
    { belief: taken, attempts: 0 },
    wasOther,
  ],
  [
    "that nobody answered",
    { belief: clear, ...tried, suspect: true },
    silent,
    { belief: { ...clear, ...unanswered } },
    wasHeld,
  ],
  ["that was refused", { belief: clear, ...tried }, invalid, { belief: held }, wasHeld],
  [
    "that was never sent",
    { belief: clear, ...tried, wanted: false },
    unsent,
    { belief: held, refusal: full, attempts: 1 },
    wasHeld,
  ],
])("settleClear() of a clear %s", (_, was, outcome, change, earlier) => {
  const sent = placementOf("ann", was);
  expect(settleClear(sent, earlier, outcome, now)).toEqual({ ...sent, ...change });
});

const [on, off] = [
  { belief: switchTo(true), ...tried },
  { belief: switchTo(false), ...tried },
];

test.each<Row>([
  ["on that is done", { ...on, late: twice, suspect: true }, stored, { belief: there, ...fresh, late }],
  [
    "off that is done",
    { ...off, late },
    stored,
    { belief: { ...there, disabled: "by_us" }, ...fresh, late: undefined },
  ],
  ["off that nobody answered", { ...off, late }, silent, { belief: { ...switchTo(false), ...unanswered } }],
  ["off that was refused", { ...off, late, wanted: false }, invalid, { belief: held, refusal, late: undefined }],
  ["on that was refused", { ...on, late }, invalid, { belief: otherTimes, refusal: full, late: undefined }],
  [
    "on that was never sent",
    { ...on, late, dormant: true },
    unsent,
    { belief: held, refusal: full, attempts: 1, late: undefined },
  ],
])("settleSwitch() of a switch %s", (_, was, outcome, change) => {
  const sent = placementOf("ann", was);
  expect(settleSwitch(sent, wasHeld, outcome)).toEqual({ ...sent, ...change });
});

test("an answer is of no use where something else has become of the placement meanwhile", () => {
  for (const outcome of [stored, silent, invalid, unsent]) {
    for (const belief of [nowhere, held]) {
      const sent = placementOf("ann", { belief });
      expect(settleWrite(sent, before, outcome, now, settles)).toBe(sent);
      expect(settleClear(sent, wasHeld, outcome, now)).toBe(sent);
      expect(settleSwitch(sent, wasHeld, outcome)).toBe(sent);
    }
  }
});

test("doubted() of what we have suspended asks whether it still is, so that it is not taken for somebody else's doing", () => {
  const code = placementOf("ann", { belief: { ...held, disabled: "by_us" }, late });
  expect(doubted(code)).toEqual({ ...code, belief: { ...switchTo(false), ...unanswered } });
  const byHand = placementOf("ann", { belief: { ...held, disabled: "by_hand" } });
  expect(doubted(byHand).belief).toEqual({ ...write, ...unanswered });
});

test("doubted() asks once more whether a code is there, and its turning up then is no sign of another write", () => {
  const code = placementOf("ann", { belief: held, late });
  expect(doubted(code)).toEqual({ ...code, belief: { ...write, ...unanswered }, late: twice });
  expect(doubted({ ...code, late: undefined }).late).toBeUndefined();
  for (const belief of [nowhere, write, clear, switchTo(true)]) {
    const moving = placementOf("ann", { belief });
    expect(doubted(moving)).toBe(moving);
  }
});
