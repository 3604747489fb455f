import { z } from "zod";
import { utc } from "./instant.ts";
import { trouble, warning } from "./trouble.ts";

export const breakerShape = z
  .strictObject({ state: z.enum(["closed", "open"]), since: utc.nullable(), next_try: utc.nullable() })
  .describe("Open: the lock does not answer, and is left alone until next_try");

const latchd = z.strictObject({
  live: z.int(),
  waiting: z.int(),
  unconfirmed: z.int(),
  refused: z.int(),
  removing: z.int(),
  revocation_debt: z
    .strictObject({ count: z.int(), oldest_since: utc.nullable() })
    .describe("What is to be taken away, and is not proven gone"),
  breaker: breakerShape,
  audit: z
    .strictObject({ date: z.string().nullable(), reads: z.int(), reads_per_day: z.int().nullable() })
    .describe("How often the lock was read on a day only to see whether all is as it should be"),
});

export const deviceShape = z
  .strictObject({
    device_id: z.string(),
    workspace_id: z.string(),
    connected_account_id: z.string().nullable().describe("Always null: this agent has no accounts"),
    device_type: z.string().describe("latchd_, and the driver"),
    display_name: z.string(),
    is_managed: z.boolean(),
    created_at: utc,
    space_ids: z.array(z.string()),
    custom_metadata: z.strictObject({}),
    capabilities_supported: z.array(z.enum(["lock", "access_code"])),
    can_program_online_access_codes: z.boolean(),
    can_program_offline_access_codes: z.boolean(),
    can_unlock_with_code: z.boolean(),
    can_remotely_lock: z.boolean(),
    can_remotely_unlock: z.boolean(),
    location: z.strictObject({ location_name: z.string(), time_zone: z.string(), timezone: z.string() }),
    properties: z.strictObject({
      online: z.boolean(),
      name: z.string(),
      appearance: z.strictObject({ name: z.string() }),
      model: z.strictObject({ display_name: z.string(), manufacturer_display_name: z.string() }),
      locked: z.boolean().optional(),
      door_open: z.boolean().optional(),
      battery_level: z.number().min(0).max(1).optional(),
      battery: z
        .strictObject({ level: z.number().min(0).max(1), status: z.enum(["critical", "low", "good", "full"]) })
        .optional(),
      supported_code_lengths: z.array(z.int()).optional().describe("Empty: any"),
      code_constraints: z.array(z.strictObject({ constraint_type: z.string() })).optional(),
      max_active_codes_supported: z.int().optional(),
      latchd,
    }),
    errors: z.array(trouble),
    warnings: z.array(warning),
  })
  .meta({ id: "device", description: "A door. What it can do is said of its lock, also while that does not answer" });
