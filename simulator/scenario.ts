import { z } from "zod";
import { faultNames, faultSetting, faultWith } from "./fault.ts";

const lock = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "a lock's name must be 1-64 letters, digits, _ or -")
  .describe("A name under locks");
const person = z.string().min(1).max(128).describe("Who: a user_identity_id");
const pin = z
  .string()
  .regex(/^\d{1,16}$/, "must be 1 to 16 digits, in quotes")
  .describe("A PIN");
const slot = z.string().min(1).max(128);
const seconds = z.number().min(0).max(86_400);

/** What is to be so. */
const expectation = z.strictObject({
  person: person.optional(),
  lock: lock.optional(),
  receipt: z
    .enum(["waiting", "writing", "live", "unconfirmed", "refused", "removing", "gone"])
    .optional()
    .describe("The state of this person's access to this lock; gone, too, where nothing is left of it"),
  evidence: z.string().optional(),
  reason: z.string().optional(),
  opens: z.boolean().optional().describe("Whether the lock really opens for this person's code"),
  holds: z
    .array(person)
    .optional()
    .describe('Whose codes the lock really holds, no more and no less; "owner" for what its owner put in'),
  event: z.string().optional().describe("An event that has come since the step before, about what is named here"),
  battery_below: z.number().min(0).max(1).optional().describe("How full latchd thinks its battery is, at most"),
});

/** What can happen: each step has one of these. */
const happenings = {
  grant: z
    .strictObject({
      person,
      lock,
      from: seconds.optional().describe("Seconds after the start; at once if left out"),
      until: seconds.optional().describe("Seconds after the start; for good if left out"),
      key: z.string().optional().describe("access_grant_key, of a grant for a time"),
    })
    .optional(),
  revoke: z.strictObject({ person, lock }).optional(),
  bring: z.strictObject({ person, pin }).optional().describe("Somebody brings a PIN of their own"),
  command: z
    .strictObject({
      name: z.string(),
      parameters: z.record(z.string(), z.unknown()).default({}),
      refused: z.string().optional().describe("The type of the error with which it is to be refused"),
    })
    .optional()
    .describe("Any other command"),
  fault: faultWith({ lock }).optional().describe("The lock goes wrong"),
  mend: z.strictObject({ lock, fault: z.enum(faultNames) }).optional(),
  type: z
    .strictObject({ lock, person: person.optional(), pin: pin.optional(), opens: z.boolean().optional() })
    .refine((of) => (of.person === undefined) !== (of.pin === undefined), 'needs either "person" or "pin"')
    .optional()
    .describe("Somebody types a PIN at the lock"),
  program: z
    .strictObject({ lock, pin, slot: slot.optional(), refused: z.boolean().default(false) })
    .optional()
    .describe("The owner puts in a code at the keypad"),
  delete: z
    .strictObject({ lock, person: person.optional(), slot: slot.optional() })
    .refine((of) => (of.person === undefined) !== (of.slot === undefined), 'needs either "person" or "slot"')
    .optional()
    .describe("The owner deletes a code at the keypad"),
  delete_all: z.strictObject({ lock }).optional(),
  reset: z.strictObject({ lock }).optional().describe("The owner sets the lock back to how it was when it was new"),
  power: z.strictObject({ lock }).optional().describe("Its power is gone for a moment"),
  battery: z.strictObject({ lock, level: z.number().min(0).max(1) }).optional(),
  restart: z
    .strictObject({ away: seconds.default(0) })
    .optional()
    .describe("latchd is stopped, and started again"),
  kill: z
    .strictObject({ away: seconds.default(0) })
    .optional()
    .describe("The same, with kill -9"),
  expect: expectation.optional(),
};
type Happening = keyof typeof happenings;
const isHappening = (name: string): name is Happening => Object.hasOwn(happenings, name);
export const happeningNames: readonly Happening[] = Object.keys(happenings).filter(isHappening);

const step = z
  .strictObject({
    at: seconds.optional().describe("Seconds after the start; at once after the step before if left out"),
    by: seconds.optional().describe("Of what is expected: seconds after the start, at last"),
    within: seconds.optional().describe("Of what is expected: seconds after the step before, at last"),
    ...happenings,
  })
  .superRefine((given, context) => {
    for (const { path, message } of misfits(given)) context.addIssue({ code: "custom", path, message });
  });
export type Step = z.output<typeof step>;

/** A house with simulated locks, what happens in it, and what is to be so. Times are real. */
export const scenario = z.strictObject({
  about: z.string().optional().describe("What it shows"),
  seed: z.int().default(1).describe("Of what goes wrong by chance: the same misfortunes for the same seed"),
  locks: z
    .record(
      lock,
      z.looseObject({
        time_zone: z.string().default("UTC").describe("IANA name"),
        faults: z.array(faultSetting).default([]).describe("What is wrong with it from the beginning"),
      }),
    )
    .describe("The locks by their names; beside these options, those of the driver simulated"),
  timeline: z.array(step).min(1),
});
export type Scenario = z.output<typeof scenario>;

function misfits(given: Readonly<Record<string, unknown>>): { readonly path: string[]; readonly message: string }[] {
  const named = happeningNames.filter((name) => given[name] !== undefined);
  const [first, second] = named;
  if (first === undefined) return [{ path: [], message: `needs one of ${happeningNames.join(", ")}` }];
  if (second !== undefined) return [{ path: [second], message: `is a step of its own, beside ${first}` }];
  const times = ["at", "by", "within"].filter((name) => given[name] !== undefined);
  const [time, another] = times;
  if (another !== undefined) return [{ path: [another], message: `is one time too many, beside ${time}` }];
  if (first === "expect") return expectationMisfits(given["expect"]);
  if (time === undefined || time === "at") return [];
  return [{ path: [time], message: `is for "expect": say with "at" when ${first} is to happen` }];
}

function expectationMisfits(given: unknown): { readonly path: string[]; readonly message: string }[] {
  const { data } = expectation.safeParse(given);
  if (!data) return [];
  const { person: who, lock: where, event, ...rest } = data;
  const wanted = Object.entries({ ...rest, event }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const [first] = wanted;
  if (first === undefined) {
    return [
      { path: ["expect"], message: "needs something that is to be so: receipt, opens, holds, event, battery_below" },
    ];
  }
  const ofPair = wanted.find((name) => ["receipt", "evidence", "reason", "opens"].includes(name));
  const ofLock = ofPair ?? wanted.find((name) => ["holds", "battery_below"].includes(name));
  return [
    ...(ofPair !== undefined && who === undefined
      ? [{ path: ["expect", "person"], message: `is missing: whose ${ofPair}?` }]
      : []),
    ...(ofLock !== undefined && where === undefined
      ? [{ path: ["expect", "lock"], message: `is missing: ${ofLock} of which lock?` }]
      : []),
  ];
}
