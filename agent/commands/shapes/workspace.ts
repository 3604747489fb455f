import { z } from "zod";

export const workspaceShape = z
  .strictObject({
    workspace_id: z.string().describe("Made once for each database"),
    name: z.string(),
    company_name: z.string(),
    connect_partner_name: z.string().nullable(),
    is_sandbox: z.boolean(),
    is_suspended: z.boolean(),
    is_publishable_key_auth_enabled: z.boolean(),
  })
  .meta({ id: "workspace", description: "What belongs to one database of latchd" });
