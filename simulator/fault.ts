import { z } from "zod";
import type { Milliseconds } from "../agent/domain/instant.ts";

/** What a lock is asked for. `meet`: who it is, and what it can hold. `bolt`: to lock or unlock the door. */
export const requestKinds = ["meet", "read", "write", "clear", "enable", "bolt"] as const;
export type RequestKind = (typeof requestKinds)[number];

type Option = "share" | "to" | "ms" | "by_seconds" | "of" | "over_seconds";
interface Described {
  /** In plain words, after "a lock that …". */
  readonly says: string;
  /** The requests that it spoils. None: it shows elsewhere. */
  readonly spoils: readonly RequestKind[];
  /** What can be set of it, beside how long it lasts. */
  readonly takes: readonly Option[];
}

const changes = ["write", "clear", "enable"] as const;
/** What a lock says yes or no to. */
const deeds = [...changes, "bolt"] as const;
const some = ["share", "to"] as const;

/** Every way in which a simulated lock goes wrong. */
export const faults = {
  slow: { says: "takes seconds to answer", spoils: requestKinds, takes: [...some, "ms"] },
  deaf: { says: "neither does what it is asked nor answers", spoils: requestKinds, takes: some },
  loses_replies: { says: "does what it is asked, and its answer is lost", spoils: requestKinds, takes: some },
  executes_late: {
    says: "gives a write up without a word, and carries it out seconds later",
    spoils: ["write"],
    takes: ["share", "ms"],
  },
  masks_codes: { says: "says that a code is there, and not which", spoils: ["read"], takes: ["share"] },
  unreadable: { says: "answers, and does not say what is in a slot", spoils: ["read"], takes: ["share"] },
  says_yes_stores_nothing: { says: "says yes, and does nothing", spoils: deeds, takes: some },
  says_no_and_stores: { says: "says no, and does it all the same", spoils: deeds, takes: some },
  refuses: { says: "says no to all that it is to do", spoils: deeds, takes: some },
  full: { says: "says that it has no room", spoils: ["write"], takes: ["share"] },
  takes_duplicates: { says: "takes a code that another slot has", spoils: ["write"], takes: ["share"] },
  wipes_windows_on_update: {
    says: "loses the window of what is written or enabled, or every window that it has",
    spoils: ["write", "enable"],
    takes: ["share", "of"],
  },
  forgets_on_power_loss: { says: "has forgotten its codes after a power loss", spoils: [], takes: ["share"] },
  clock_skewed: { says: "keeps windows by a clock that is wrong", spoils: [], takes: ["by_seconds"] },
  battery_dying: {
    says: "has a battery that runs out: it gets slow, and then deaf",
    spoils: [],
    takes: ["over_seconds"],
  },
  tells_nothing: { says: "does not tell what happens at it", spoils: [], takes: ["share"] },
} as const satisfies Readonly<Record<string, Described>>;
export type FaultName = keyof typeof faults;

const isFault = (name: string): name is FaultName => Object.hasOwn(faults, name);
export const faultNames: readonly FaultName[] = Object.keys(faults).filter(isFault);

const aDay = 86_400;
const span = z.number().min(0).max(60_000);

/** One fault as a file or a command has it. What is left out is as in {@link usual}. */
const shape = {
  fault: z.enum(faultNames),
  share: z
    .number()
    .min(0.001)
    .max(1)
    .optional()
    .describe("Of all requests that it may spoil, such as 0.3; 1 if left out"),
  seconds: z.number().min(0.1).max(aDay).optional().describe("How long it lasts; until it is ended if left out"),
  to: z.array(z.enum(requestKinds)).min(1).readonly().optional().describe("Only what is asked for this"),
  ms: z.array(span).length(2).readonly().optional().describe("The least and the most that it takes, in milliseconds"),
  by_seconds: z
    .int()
    .min(-3650 * aDay)
    .max(3650 * aDay)
    .optional()
    .describe("How far its clock is ahead"),
  of: z.enum(["written", "all"]).optional().describe("Whose window it loses"),
  over_seconds: z.number().min(1).max(aDay).optional().describe("How long a full battery lasts"),
};
const options = ["share", "to", "ms", "by_seconds", "of", "over_seconds"] as const satisfies readonly Option[];

const plain = z.object(shape);
type Shape = z.output<typeof plain>;

/** @param more what else stands beside it, as the lock that it is of. */
export const faultWith = <More extends z.ZodRawShape>(more: More) =>
  z.strictObject({ ...shape, ...more }).superRefine((given, context) => {
    const { data } = plain.safeParse(given);
    for (const misfit of data ? misfits(data) : []) context.addIssue({ code: "custom", ...misfit });
  });
export const faultSetting = faultWith({});
export type FaultSetting = Readonly<Shape>;

function misfits(setting: Shape): { readonly path: (string | number)[]; readonly message: string }[] {
  const { fault, to = [], ms: [least = 0, most = 0] = [] } = setting;
  const { takes, spoils }: Described = faults[fault];
  return [
    ...options
      .filter((option) => setting[option] !== undefined && !takes.includes(option))
      .map((option) => ({
        path: [option],
        message: `${fault} has no such option; it has ${["seconds", ...takes].join(", ")}`,
      })),
    ...to.flatMap((kind, index) =>
      spoils.includes(kind) || !takes.includes("to")
        ? []
        : [{ path: ["to", index], message: `${fault} spoils no ${kind}; it spoils ${spoils.join(", ")}` }],
    ),
    ...(least > most ? [{ path: ["ms"], message: "must have the lesser number first" }] : []),
  ];
}

/** A setting as somebody gave it, or what is wrong with it. */
export function readFault(given: unknown): { readonly setting: FaultSetting } | { readonly problem: string } {
  const { data, error } = faultSetting.safeParse(given);
  if (data) return { setting: data };
  return { problem: error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ") };
}

/** What an option is where nothing is said of it. */
export const usual = {
  share: 1,
  slowMs: [500, 1_500],
  /** Longer than an agent waits before it looks again, and much shorter than any wire promises. */
  lateMs: [1_500, 4_000],
  bySeconds: 3_600,
  overSeconds: 60,
} as const satisfies Readonly<Record<string, number | readonly [Milliseconds, Milliseconds]>>;
