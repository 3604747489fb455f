import { z } from "zod";
import type { AgentProcess } from "./agent-process.ts";

const list = z.object({
  receipts: z.array(
    z.looseObject({
      user_identity_id: z.string(),
      state: z.string(),
      credentials: z.array(
        z.looseObject({ state: z.string(), reason: z.string().nullable(), evidence: z.string().nullable() }),
      ),
    }),
  ),
});
export type AnyReceipt = z.infer<typeof list>["receipts"][number];

/** The receipts of a device, as the local door tells them. */
export async function receiptsOf(agent: AgentProcess, deviceId: string): Promise<readonly AnyReceipt[]> {
  return list.parse(await agent.ask("access/list", { device_id: deviceId })).receipts;
}

/** How many receipts of a device are in which state. */
export async function statesOf(agent: AgentProcess, deviceId: string): Promise<ReadonlyMap<string, number>> {
  const states = new Map<string, number>();
  for (const { state } of await receiptsOf(agent, deviceId)) states.set(state, (states.get(state) ?? 0) + 1);
  return states;
}
