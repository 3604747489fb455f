import { z } from "zod";
import { utc } from "./instant.ts";
import { scheduleShape } from "./schedule.ts";
import { trouble, warning } from "./trouble.ts";

export const accessGrantShape = z
  .strictObject({
    access_grant_id: z.string(),
    access_grant_key: z.string().nullable(),
    user_identity_id: z.string(),
    workspace_id: z.string(),
    name: z.string().nullable(),
    display_name: z.string(),
    display_status: z.string().describe("For people to read; programs go by the times"),
    device_ids: z.array(z.string()),
    starts_at: utc.nullable(),
    ends_at: utc.nullable(),
    schedule: scheduleShape.nullable().describe("null: at all times of the week"),
    allow_external_modification: z.boolean(),
    requested_access_methods: z.array(
      z.strictObject({
        mode: z.enum(["code", "card"]),
        display_name: z.string(),
        created_at: utc,
        created_access_method_ids: z.array(z.string()),
      }),
    ),
    access_method_ids: z.array(z.string()).describe("Always empty: access_codes/list with access_grant_id tells more"),
    space_ids: z.array(z.string()),
    location_ids: z.array(z.string()),
    created_at: utc,
    pending_mutations: z.array(z.strictObject({ mutation_code: z.string() })),
    errors: z.array(trouble),
    warnings: z.array(warning).describe("wear, where its windows take more writes than a lock is to bear"),
  })
  .meta({ id: "access_grant", description: "A person may use some devices, in a window" });
