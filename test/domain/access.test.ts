import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Access, accessOf, type KnownGrant } from "../../agent/domain/access.ts";
import { branded } from "../../agent/domain/brand.ts";
import type { AccessGrantId } from "../../agent/domain/ids.ts";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { isOpen, type Window } from "../../agent/domain/schedule.ts";
import { TimeZone } from "../../agent/domain/time-zone.ts";
import type { WeeklyWindow } from "../../agent/domain/weekly.ts";

const zurich = new TimeZone("Europe/Zurich");
const at = (iso: string): Instant => instant(Date.parse(iso));
/** A monday. */
const noon = at("2027-01-11T11:00:00Z");
const hour = 3600_000;
const after = (hours: number): Instant => instant(noon + hours * hour);
const office: readonly WeeklyWindow[] = [{ days: ["mon", "tue"], from: 480, to: 1080 }];
const evening: readonly WeeklyWindow[] = [{ days: ["mon"], from: 1200, to: 1320 }];

const direct: KnownGrant = { accessGrantId: undefined, name: undefined, window: undefined };
const grantOf = (name: string, of: Partial<Window>): KnownGrant => ({
  accessGrantId: branded<AccessGrantId>(name),
  name,
  window: { startsAt: undefined, endsAt: undefined, weekly: undefined, ...of },
});
const brief = grantOf("brief", { endsAt: after(1) });
const long = grantOf("long", { endsAt: after(5) });
const endless = grantOf("endless", {});
const tonight = grantOf("tonight", { weekly: evening });
const tomorrow = grantOf("tomorrow", { startsAt: after(24) });
const gone = grantOf("gone", { endsAt: noon });

test.each<[string, readonly KnownGrant[], Access["reason"], KnownGrant | undefined, Instant | undefined]>([
  ["nobody has granted anything", [], "no_grant", undefined, undefined],
  ["there is a grant for always", [brief, direct, endless], "always", direct, undefined],
  ["a window is open", [brief], "in_window", brief, after(1)],
  ["it begins now", [grantOf("now", { startsAt: noon })], "in_window", grantOf("now", { startsAt: noon }), undefined],
  ["two are open, the longer one last", [brief, long], "in_window", long, after(5)],
  ["two are open, the longer one first", [long, brief], "in_window", long, after(5)],
  ["one that is open never ends", [brief, endless, long], "in_window", endless, undefined],
  ["one is open and one is to come", [tonight, brief], "in_window", brief, after(1)],
  ["one is open for longer than another is closed", [tomorrow, long], "in_window", long, after(5)],
  ["its hours come later", [tonight], "outside_schedule", tonight, after(8)],
  [
    "it has begun now, and its hours come later",
    [grantOf("now", { startsAt: noon, weekly: evening })],
    "outside_schedule",
    grantOf("now", { startsAt: noon, weekly: evening }),
    after(8),
  ],
  ["it has not begun", [tomorrow], "not_begun", tomorrow, after(24)],
  ["it ended just now", [gone], "ended", gone, undefined],
  [
    "it would be in its hours, had it not ended",
    [{ ...gone, window: { ...gone.window!, weekly: office } }],
    "ended",
    { ...gone, window: { ...gone.window!, weekly: office } },
    undefined,
  ],
  [
    "it ends before it opens once more",
    [grantOf("short", { weekly: evening, endsAt: after(2) })],
    "outside_schedule",
    grantOf("short", { weekly: evening, endsAt: after(2) }),
    undefined,
  ],
  ["two are to come, the sooner one last", [tomorrow, tonight], "outside_schedule", tonight, after(8)],
  ["two are to come, the sooner one first", [tonight, tomorrow], "outside_schedule", tonight, after(8)],
  ["one is over and one is to come", [gone, tomorrow], "not_begun", tomorrow, after(24)],
])("accessOf() where %s", (_, grants, reason, grant, until) => {
  const decision = ["always", "in_window"].includes(reason) ? "admit" : "deny";
  expect(accessOf(grants, zurich, noon)).toEqual({ decision, reason, grant, until });
});

const anyEdge = fc.option(
  fc.integer({ min: -6, max: 6 }).map((hours) => after(hours * 4)),
  { nil: undefined },
);
const anyWindow: fc.Arbitrary<Window> = fc.record({
  startsAt: anyEdge,
  endsAt: anyEdge,
  weekly: fc.constantFrom(undefined, office, evening, []),
});

test("accessOf() admits who has any grant that is open, by one that is, in whatever order they come", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(anyWindow, { nil: undefined }), { maxLength: 5 }),
      anyEdge,
      (windows, moment = noon) => {
        const grants = windows.map((each, index): KnownGrant => ({ ...grantOf(String(index), {}), window: each }));
        const isIn = (grant: KnownGrant | undefined): boolean =>
          grant !== undefined && (grant.window === undefined || isOpen(grant.window, zurich, moment));
        const { decision, reason, grant, until } = accessOf(grants, zurich, moment);
        expect(decision === "admit").toBe(grants.some(isIn));
        expect(isIn(grant)).toBe(decision === "admit");
        expect(grant === undefined).toBe(grants.length === 0);
        const turned = accessOf(grants.toReversed(), zurich, moment);
        expect({ decision: turned.decision, until: turned.until }).toEqual({ decision, until });
        if (until === undefined || reason === "always") return;
        // What it speaks of stays as it is until just then.
        expect(isOpen(grant!.window!, zurich, instant(until - 1))).toBe(decision === "admit");
        expect(isOpen(grant!.window!, zurich, until)).toBe(decision !== "admit");
      },
    ),
    { numRuns: 300 },
  );
});
