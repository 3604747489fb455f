import { z } from "zod";
import { utc } from "./instant.ts";

export const credentialShape = z
  .strictObject({
    credential_id: z.string(),
    user_identity_id: z.string(),
    kind: z.enum(["pin", "card"]),
    origin: z.enum(["own", "issued"]),
    device_ids: z.array(z.string()),
    created_at: utc,
    code: z.string().nullable().optional().describe("Of credentials/get only; null where it may not be told"),
  })
  .meta({ id: "credential", description: "What a person presents" });
