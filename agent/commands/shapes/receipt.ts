import { z } from "zod";
import { utc } from "./instant.ts";

const state = z.enum(["waiting", "writing", "live", "unconfirmed", "refused", "removing", "gone"]);

/** What is true of one credential on one device. */
export const receiptLine = {
  kind: z.enum(["pin", "card"]).nullable().describe("null while nothing was chosen yet"),
  state,
  evidence: z.string().nullable().describe("How it is known that it is live, or gone"),
  since: utc.nullable(),
  reason: z.string().nullable().describe("What is in the way"),
  hint: z.string().nullable().describe("What an operator can do about it"),
  enforced_by: z.enum(["lock", "agent"]).nullable().describe("Who sees to it that it opens only when it may"),
  attempts: z.int(),
  next: utc.nullable().describe("When it is tried, or looked at, again"),
  until: utc.optional().describe("An earlier write may still be carried out until then"),
};

export const receiptShape = z
  .strictObject({
    user_identity_id: z.string(),
    device_id: z.string(),
    state,
    grants: z.array(z.string()).describe('"direct", or the id of an access grant'),
    credentials: z.array(z.strictObject(receiptLine)),
  })
  .meta({ id: "receipt", description: "What is true now of one person on one device" });
