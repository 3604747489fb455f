import { z } from "zod";
import { utc } from "./instant.ts";
import { receiptShape } from "./receipt.ts";
import { scheduleShape } from "./schedule.ts";

export const explanationShape = z
  .strictObject({
    decision: z.enum(["admit", "deny", "unknown"]),
    reason: z.string(),
    text: z.string().describe("For people to read"),
    user_identity_id: z.string(),
    device_id: z.string(),
    at: utc,
    time_zone: z.string(),
    grant: z
      .strictObject({
        access_grant_id: z.string().nullable().describe("null: the direct grant"),
        name: z.string().nullable(),
        window: z.string(),
        starts_at: utc.nullable(),
        ends_at: utc.nullable(),
        schedule: scheduleShape.nullable(),
      })
      .nullable()
      .describe("The grant that decides"),
    until: utc.nullable().describe("When that changes"),
    journal: z.array(z.looseObject({})).optional().describe("Of the past: what happened at the device"),
    receipt: receiptShape.optional().describe("Of now: what is on its lock"),
  })
  .meta({ id: "explanation", description: "Why somebody may or may not open a door" });
