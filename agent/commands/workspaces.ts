import { z } from "zod";
import { command } from "./command.ts";
import { workspaceShape } from "./shapes/workspace.ts";

export const workspaces = [
  command({
    name: "workspaces/get",
    parameters: z.object({}),
    returns: { workspace: workspaceShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: ({ workspaceId }, _, { agent }) => {
      const { agentId } = agent();
      return {
        workspace: {
          workspace_id: workspaceId,
          name: agentId,
          company_name: agentId,
          connect_partner_name: null,
          is_sandbox: false,
          is_suspended: false,
          is_publishable_key_auth_enabled: false,
        },
      };
    },
  }),
];
