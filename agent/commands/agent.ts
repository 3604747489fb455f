import { z } from "zod";
import { earliest, toIso } from "../domain/instant.ts";
import { orphanHint } from "../domain/receipt.ts";
import { type AgentFacts, type Context, command } from "./command.ts";
import { breakerOf } from "./device-object.ts";
import type { Records } from "./records.ts";
import { agentShape } from "./shapes/agent-status.ts";

export const agent = [
  command({
    name: "agent/status",
    parameters: z.object({}),
    returns: { agent: agentShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records, _, context) => ({
      agent: {
        ...agentStatus(records, context),
        letters_waiting: records.lettersWaiting,
        letters_without_reader: records.lettersOn(context.agent().broker.unheard),
        links: context.agent().links.map(linkStatus),
      },
    }),
  }),
];

/** The agent's state: the reply of `agent/status`, and with `state` the retained message on `status`. */
export function agentStatus(
  records: Pick<Records, "debts" | "glance" | "orphans" | "epoch" | "workspaceId">,
  { agent: facts }: Pick<Context, "agent">,
): object {
  const { agentId, version, startedAt, broker, clock, exposures } = facts();
  return {
    agent_id: agentId,
    state: "online",
    version,
    started_at: toIso(startedAt),
    epoch: records.epoch,
    workspace_id: records.workspaceId,
    broker: {
      connected: broker.connected,
      session_lost: broker.sessionLost
        ? { offline_since: toIso(broker.sessionLost.offlineSince), found_at: toIso(broker.sessionLost.at) }
        : null,
      agent_id_in_use_since: broker.idInUseSince === undefined ? null : toIso(broker.idInUseSince),
    },
    clock: clockStatus(clock),
    devices: records.glance().map((device) => ({
      device_id: device.id,
      name: device.name,
      online: device.online,
      breaker: breakerOf(device),
    })),
    revocation_debt: revocationDebt(records.debts()),
    orphans: records.orphans().map(({ device, reason, lock, placements, place }) => ({
      device_id: device,
      reason,
      link: place?.link ?? null,
      address: place?.address ?? null,
      lock,
      placements,
      hint: orphanHint(reason),
    })),
    secrets_exposed: exposures,
  };
}

export const clockStatus = (clock: AgentFacts["clock"]): Readonly<Record<string, unknown>> => ({
  trusted: clock.trusted,
  reason: clock.reason ?? null,
  since: clock.since === undefined ? null : toIso(clock.since),
  source: clock.source,
  hint: clock.hint ?? null,
});

/** Not retained on the broker: it changes with each byte. */
function linkStatus({ link, open, standing }: AgentFacts["links"][number]): object {
  const addresses = Object.entries(standing?.addresses ?? {}).map(([address, there]) => ({ address, ...there }));
  return { link, open, counts: standing?.wire ?? {}, addresses };
}

/** What is not yet proven gone: how much, since when the oldest of it, and on which devices (Law 5). */
export function revocationDebt(debts: ReturnType<Records["debts"]>): Readonly<Record<string, unknown>> {
  const oldest = earliest(debts.map((debt) => debt.oldest));
  return {
    count: debts.reduce((sum, debt) => sum + debt.count, 0),
    oldest_since: oldest === undefined ? null : toIso(oldest),
    device_ids: debts.map(({ device }) => device),
  };
}
