import { z } from "zod";
import { utc } from "./instant.ts";
import { trouble, warning } from "./trouble.ts";

export const userIdentityShape = z
  .strictObject({
    user_identity_id: z.string(),
    workspace_id: z.string(),
    user_identity_key: z.string().nullable(),
    display_name: z.string(),
    full_name: z.string().nullable(),
    email_address: z.string().nullable(),
    phone_number: z.string().nullable(),
    acs_user_ids: z.array(z.string()).describe("Always empty: this agent has no access systems"),
    created_at: utc,
    errors: z.array(trouble),
    warnings: z.array(warning).describe("being_deleted, until every code of the person is proven gone"),
  })
  .meta({ id: "user_identity", description: "A person" });
