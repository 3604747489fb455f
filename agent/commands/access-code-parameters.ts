import { z } from "zod";
import type { Instant } from "../domain/instant.ts";
import type { Window } from "../domain/schedule.ts";
import { Secret } from "../domain/secret.ts";
import { device, moment, name, plainText } from "./parameters.ts";
import { invalidInput } from "./refusal.ts";
import { noWindow, windowAfter } from "./schedule.ts";

export const codeDigits = z
  .string()
  .regex(/^\d{4,12}$/, "Must be 4 to 12 digits")
  .transform((value) => new Secret(value));
/** What this agent does not have: said, so that nobody waits for it. */
const never = (what: string): z.ZodOptional<z.ZodLiteral<false>> =>
  z.literal(false, `This agent has no ${what}`).optional();

/** What may be said of an access code, in Seam's names. */
const said = {
  name: name.nullish(),
  code: codeDigits.optional(),
  starts_at: moment.nullish(),
  ends_at: moment.nullish(),
  allow_external_modification: z.boolean().optional(),
  is_external_modification_allowed: z.boolean().optional(),
  use_backup_access_code_pool: never("backup access codes"),
  is_offline_access_code: never("offline access codes"),
  is_one_time_use: never("access codes for one use"),
};

export const createOne = z.object({ device_id: device, ...said, common_code_key: plainText.nullish() });
export const createSeveral = z.object({
  device_ids: z
    .array(device)
    .min(1, "Must name a device")
    .max(100)
    .refine((ids) => new Set(ids).size === ids.length, "Names a device twice"),
  behavior_when_code_cannot_be_shared: z.enum(["throw", "create_random_code"]).default("throw"),
  ...said,
  common_code_key: plainText.nullish(),
});
export const update = z.object({
  access_code_id: plainText,
  ...said,
  type: z.enum(["ongoing", "time_bound"]).optional(),
});

export type Said = Omit<z.output<typeof createOne>, "device_id">;
type Times = Pick<z.output<typeof update>, "starts_at" | "ends_at" | "type">;

/**
 * When an access code opens after a command: always, or from a start to an end.
 *
 * @param now undefined while the time is not known.
 * @throws Refused `invalid_input`.
 */
export function timesAfter(
  { starts_at: start, ends_at: end, type }: Times,
  before: Window,
  now: Instant | undefined,
): Window {
  if (type === "ongoing") return noWindow;
  const isOngoing = before.endsAt === undefined;
  if (start === undefined && end === undefined) {
    if (type === "time_bound" && isOngoing) throw bothOrNeither();
    return before;
  }
  if (start === null && end === null && type === undefined) return noWindow;
  const isMissing = (edge: Instant | null | undefined): boolean => edge === null || (edge === undefined && isOngoing);
  if (isMissing(start) || isMissing(end)) throw bothOrNeither();
  return windowAfter({ starts_at: start, ends_at: end }, before, now);
}

const bothOrNeither = (): Error =>
  invalidInput([
    {
      code: "custom",
      path: [],
      message: "Both starts_at and ends_at must be provided if one is",
      input: undefined,
    },
  ]);
