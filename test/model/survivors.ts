/** Mutants that no test catches, and why that is no gap: `was` and `is` are the line of the source, before and after. */
export interface Accepted {
  readonly why: string;
  readonly of: readonly { readonly file: string; readonly was: string; readonly is: string }[];
}

const access = "agent/domain/access.ts";
const plan = "agent/domain/plan.ts";
const receipt = "agent/domain/receipt.ts";
const schedule = "agent/domain/schedule.ts";
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
        file: schedule,
        was: "const end = next !== undefined && next < to ? next : to;",
        is: "const end = true && next < to ? next : to;",
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
        was: "const end = midnight + to + (to > from ? 0 : minutesOfDay);",
        is: "const end = midnight + to + (to >= from ? 0 : minutesOfDay);",
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
    why: "The same: what is added is equal to no fingerprint.",
    of: [
      {
        file: plan,
        was: "const elsewhere = new Set(leaving.flatMap((placement) => (slotOf(placement) ? [placement.fingerprint] : [])));",
        is: 'const elsewhere = new Set(leaving.flatMap((placement) => (slotOf(placement) ? [placement.fingerprint] : ["Stryker was here"])));',
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
