import { z } from "zod";
import { earliest, toIso } from "../domain/instant.ts";
import { type Context, command } from "./command.ts";
import type { Records } from "./records.ts";

export const agent = [
  command({
    name: "agent/status",
    parameters: z.object({}),
    doors: ["mqtt", "local"],
    kind: "reads",
    reveals: false,
    act: (records, _, context) => ({
      agent: { ...agentStatus(records, context), letters_waiting: records.lettersWaiting },
    }),
  }),
];

/** The agent's state: the reply of `agent/status`, and with `state` the retained message on `status`. */
export function agentStatus(
  records: Pick<Records, "debts" | "devices" | "epoch" | "workspaceId">,
  { agent: facts }: Pick<Context, "agent">,
): object {
  const { agentId, version, startedAt, brokerConnected, exposures } = facts();
  const devices = records.devices();
  const debts = records.debts();
  const oldest = earliest(debts.map((debt) => debt.oldest));
  return {
    agent_id: agentId,
    state: "online",
    version,
    started_at: toIso(startedAt),
    epoch: records.epoch,
    workspace_id: records.workspaceId,
    broker: { connected: brokerConnected },
    devices: devices.map(({ id, name, online }) => ({ device_id: id, name, online })),
    revocation_debt: {
      count: debts.reduce((sum, debt) => sum + debt.count, 0),
      oldest_since: oldest === undefined ? null : toIso(oldest),
      device_ids: debts.map(({ device }) => device),
    },
    secrets_exposed: exposures,
  };
}
