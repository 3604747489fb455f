import { z } from "zod";
import { utc } from "./instant.ts";
import { receiptLine } from "./receipt.ts";
import { trouble, warning } from "./trouble.ts";

export const accessCodeShape = z
  .strictObject({
    access_code_id: z.string(),
    device_id: z.string(),
    workspace_id: z.string(),
    name: z.string().nullable(),
    code: z.string().nullable().describe("null where it may not be told, or is not chosen yet"),
    common_code_key: z.string().nullable(),
    type: z.enum(["ongoing", "time_bound"]),
    starts_at: utc.nullable(),
    ends_at: utc.nullable(),
    created_at: utc,
    is_managed: z.boolean(),
    is_backup: z.boolean(),
    is_backup_access_code_available: z.boolean(),
    pulled_backup_access_code_id: z.string().nullable(),
    is_external_modification_allowed: z.boolean(),
    is_offline_access_code: z.boolean(),
    is_one_time_use: z.boolean(),
    is_waiting_for_code_assignment: z.boolean(),
    is_scheduled_on_device: z.boolean().describe("It is on the lock, which keeps it shut until its time"),
    status: z.enum(["unset", "setting", "set", "removing", "unknown"]).describe("Follows from properties.latchd"),
    pending_mutations: z.array(z.strictObject({ mutation_code: z.string(), scheduled_at: utc.optional() })),
    errors: z.array(trouble),
    warnings: z.array(warning),
    properties: z.strictObject({
      latchd: z.strictObject({
        user_identity_id: z.string(),
        is_managed_by_grant: z.boolean().describe("It is a person's, and goes with what grants it"),
        ...receiptLine,
      }),
    }),
  })
  .meta({ id: "access_code", description: "A PIN on one device" });
