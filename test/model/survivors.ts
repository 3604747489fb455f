/** Mutants that no test catches, and why that is no gap: `was` and `is` are the line of the source, before and after. */
export interface Accepted {
  readonly why: string;
  readonly of: readonly { readonly file: string; readonly was: string; readonly is: string }[];
}

const access = "agent/domain/access.ts";
const force = "agent/domain/force.ts";
const lockWindow = "agent/domain/lock-window.ts";
const observe = "agent/domain/observe.ts";
const placement = "agent/domain/placement.ts";
const plan = "agent/domain/plan.ts";
const receipt = "agent/domain/receipt.ts";
const schedule = "agent/domain/schedule.ts";
const settle = "agent/domain/settle.ts";
const weekly = "agent/domain/weekly.ts";

export const accepted: readonly Accepted[] = [
  {
    why: "The same: no time is before, or after, `undefined`. The guard is for the compiler.",
    of: [
      {
        file: access,
        was: 'if (window.endsAt !== undefined && window.endsAt <= at) return { decision: "deny", reason: "ended", grant, until };',
        is: 'if (true && window.endsAt <= at) return { decision: "deny", reason: "ended", grant, until };',
      },
      {
        file: force,
        was: "export const hasEnded = ({ endsAt }: Window, now: Instant): boolean => endsAt !== undefined && endsAt <= now;",
        is: "export const hasEnded = ({ endsAt }: Window, now: Instant): boolean => true && endsAt <= now;",
      },
      {
        file: schedule,
        was: "const end = next !== undefined && next < to ? next : to;",
        is: "const end = true && next < to ? next : to;",
      },
      {
        file: lockWindow,
        was: "startsAt: startsAt !== undefined && startsAt <= now ? undefined : startsAt,",
        is: "startsAt: true && startsAt <= now ? undefined : startsAt,",
      },
      {
        file: schedule,
        was: "const isAhead = startsAt !== undefined && after < startsAt;",
        is: "const isAhead = true && after < startsAt;",
      },
      {
        file: schedule,
        was: "if (endsAt === undefined || (change !== undefined && change < endsAt)) return change;",
        is: "if (endsAt === undefined || (true && change < endsAt)) return change;",
      },
      {
        file: schedule,
        was: "if (flip !== undefined && flip - ahead < until) return instant(flip - ahead);",
        is: "if (true && flip - ahead < until) return instant(flip - ahead);",
      },
    ],
  },
  {
    why: "The same: both sides are equal in the one case in which they differ.",
    of: [
      {
        file: schedule,
        was: "const end = next !== undefined && next < to ? next : to;",
        is: "const end = next !== undefined && next <= to ? next : to;",
      },
    ],
  },
  {
    why: "Never reached, or never another: what comes before it, or the type of what is given, leaves no such case. The guard is for the compiler.",
    of: [
      {
        file: access,
        was: "const looked = grants.flatMap((grant) => (grant.window ? [look({ ...grant, window: grant.window }, zone, at)] : []));",
        is: 'const looked = grants.flatMap((grant) => (grant.window ? [look({ ...grant, window: grant.window }, zone, at)] : ["Stryker was here"]));',
      },
      {
        file: weekly,
        was: 'const day = weekdays[Math.floor(span.start / minutesOfDay)] ?? "mon";',
        is: 'const day = weekdays[Math.floor(span.start / minutesOfDay)] ?? "";',
      },
      {
        file: weekly,
        was: 'found.push({ day: weekdays[index] ?? "mon", from: at - midnight, to: until - midnight });',
        is: 'found.push({ day: weekdays[index] ?? "", from: at - midnight, to: until - midnight });',
      },
      {
        file: weekly,
        was: "const flips = endsOpen && openings[0]?.start === 0 ? edges.filter((edge) => edge !== 0) : edges;",
        is: "const flips = endsOpen && openings[0].start === 0 ? edges.filter((edge) => edge !== 0) : edges;",
      },
      {
        file: weekly,
        was: "const end = midnight + to + (to > from ? 0 : minutesOfDay);",
        is: "const end = midnight + to + (to >= from ? 0 : minutesOfDay);",
      },
      {
        file: lockWindow,
        was: '(of === "windows" ? to - from + (to > from ? 0 : minutesOfDay) <= longest : to < minutesOfDay);',
        is: '(of === "windows" ? to - from + (to >= from ? 0 : minutesOfDay) <= longest : to < minutesOfDay);',
      },
      {
        file: plan,
        was: "const settled = staying.filter(({ id }) => doubts.get(id)?.length === 0);",
        is: "const settled = staying.filter(({ id }) => doubts.get(id).length === 0);",
      },
      {
        file: plan,
        was: 'if (belief.at !== "held" || belief.disabled === undefined || dormant || !can.enable) return [];',
        is: "if (false || belief.disabled === undefined || dormant || !can.enable) return [];",
      },
      {
        file: receipt,
        was: 'evidence: belief.at === "held" || belief.at === "nowhere" ? belief.proof : null,',
        is: "evidence: true ? belief.proof : null,",
      },
      {
        file: receipt,
        was: 'return { state: "gone", evidence: placement.belief.at === "nowhere" ? placement.belief.proof : null, reason: null };',
        is: 'return { state: "gone", evidence: true ? placement.belief.proof : null, reason: null };',
      },
      {
        file: receipt,
        was: 'return belief.at === "nowhere" && belief.proof === "never_sent" ? "queued" : "missing_on_lock";',
        is: 'return true && belief.proof === "never_sent" ? "queued" : "missing_on_lock";',
      },
      {
        file: receipt,
        was: "const hintFor = (reason: string | null): string | null => (reason === null ? null : (hints[reason] ?? null));",
        is: "const hintFor = (reason: string | null): string | null => (false ? null : (hints[reason] ?? null));",
      },
      {
        file: receipt,
        was: 'hint: hintOf(reason, state === "refused" ? placement.refusal?.detail : undefined),',
        is: 'hint: hintOf(reason, state === "refused" ? placement.refusal.detail : undefined),',
      },
    ],
  },
  {
    why: "The same: nothing is a whole multiple of `undefined`, and there is always a date that would have to be. The guard is for the compiler.",
    of: [{ file: lockWindow, was: "if (dates === undefined) return false;", is: "if (false) return false;" }],
  },
  {
    why: "The same: `always` has no start, no end and no week, as a window that is always open has none. The guard is for the compiler.",
    of: [
      { file: lockWindow, was: 'if (when === "always") return when;', is: "if (false) return when;" },
      { file: lockWindow, was: 'if (when === "always") return when;', is: 'if (when === "") return when;' },
      {
        file: lockWindow,
        was: 'if (one === "always" || other === "always") return one === other;',
        is: "if (false) return one === other;",
      },
      {
        file: lockWindow,
        was: 'if (one === "always" || other === "always") return one === other;',
        is: 'if (one === "always" && other === "always") return one === other;',
      },
      {
        file: lockWindow,
        was: 'if (one === "always" || other === "always") return one === other;',
        is: 'if (false || other === "always") return one === other;',
      },
      {
        file: lockWindow,
        was: 'if (one === "always" || other === "always") return one === other;',
        is: 'if (one === "" || other === "always") return one === other;',
      },
      {
        file: lockWindow,
        was: 'if (one === "always" || other === "always") return one === other;',
        is: 'if (one === "always" || false) return one === other;',
      },
      {
        file: lockWindow,
        was: 'if (one === "always" || other === "always") return one === other;',
        is: 'if (one === "always" || other === "") return one === other;',
      },
    ],
  },
  {
    why: "The same: a belief without a slot, switch, suspension or window of its own has `undefined` there, which is what the guard stands for, and is no slot and no switch. The guard is for the compiler.",
    of: [
      {
        file: placement,
        was: 'belief.at === "nowhere" ? undefined : belief.slot;',
        is: "false ? undefined : belief.slot;",
      },
      {
        file: placement,
        was: 'belief.at === "nowhere" ? undefined : belief.slot;',
        is: 'belief.at === "" ? undefined : belief.slot;',
      },
      {
        file: placement,
        was: 'belief.at === "held" && belief.otherWindow === true;',
        is: "true && belief.otherWindow === true;",
      },
      {
        file: observe,
        was: 'placement.belief.at !== "nowhere" && placement.belief.slot === slot && !isUnknowable(placement)',
        is: "true && placement.belief.slot === slot && !isUnknowable(placement)",
      },
      {
        file: observe,
        was: 'placement.belief.at !== "nowhere" && placement.belief.slot === slot && !isUnknowable(placement)',
        is: 'placement.belief.at !== "" && placement.belief.slot === slot && !isUnknowable(placement)',
      },
      {
        file: observe,
        was: 'if (before.belief.at === "switch" && before.belief.on === (disabled !== undefined)) {',
        is: "if (true && before.belief.on === (disabled !== undefined)) {",
      },
      {
        file: observe,
        was: 'if (isToBeShut(before) && !disabled && before.belief.at === "held" && before.belief.disabled) {',
        is: "if (isToBeShut(before) && !disabled && true && before.belief.disabled) {",
      },
      {
        file: observe,
        was: 'const isOurs = belief.at === "switch" || (belief.at === "held" && belief.disabled === "by_us");',
        is: 'const isOurs = belief.at === "switch" || (true && belief.disabled === "by_us");',
      },
      {
        file: observe,
        was: 'if (placement.belief.at === "nowhere" || placement.belief.slot !== slot) return placement;',
        is: "if (false || placement.belief.slot !== slot) return placement;",
      },
      {
        file: observe,
        was: 'if (placement.belief.at === "nowhere" || placement.belief.slot !== slot) return placement;',
        is: 'if (placement.belief.at === "" || placement.belief.slot !== slot) return placement;',
      },
    ],
  },
  {
    why: "The same: only what was held is honoured, and that is asked there once more. The guard is for the compiler.",
    of: [
      {
        file: observe,
        was: 'const wasProven = ({ belief }: Placement): boolean => belief.at === "held" && belief.proof !== "acknowledged";',
        is: 'const wasProven = ({ belief }: Placement): boolean => true && belief.proof !== "acknowledged";',
      },
    ],
  },
  {
    why: "Never another: only what is held is let open again, so it is held where that is refused. The guard is for the compiler.",
    of: [
      {
        file: settle,
        was: 'return on && belief.at === "held"',
        is: "return on && true",
      },
    ],
  },
  {
    why: "The same: `live` has been answered before the list is looked at, and `gone` is the answer where nothing of it is found.",
    of: [
      {
        file: receipt,
        was: 'const leastAdvanced: readonly ReceiptState[] = ["waiting", "refused", "writing", "unconfirmed", "live", "gone"];',
        is: 'const leastAdvanced: readonly ReceiptState[] = ["waiting", "refused", "writing", "unconfirmed", "", "gone"];',
      },
      {
        file: receipt,
        was: 'const leastAdvanced: readonly ReceiptState[] = ["waiting", "refused", "writing", "unconfirmed", "live", "gone"];',
        is: 'const leastAdvanced: readonly ReceiptState[] = ["waiting", "refused", "writing", "unconfirmed", "live", ""];',
      },
    ],
  },
];
