import { z } from "zod";
import { breakerShape } from "./device.ts";
import { utc } from "./instant.ts";

export const clockShape = z
  .strictObject({
    trusted: z.boolean(),
    reason: z.string().nullable(),
    since: utc.nullable(),
    source: z.string().describe("Who sets it"),
    hint: z.string().nullable(),
  })
  .describe("Whether the time is believed: windows open and close only then");

/** What stands on the topic `status`. */
export const agentStatusShape = z
  .strictObject({
    agent_id: z.string(),
    state: z.enum(["online", "offline"]),
    version: z.string(),
    started_at: utc,
    epoch: z.string(),
    workspace_id: z.string(),
    broker: z.strictObject({
      connected: z.boolean(),
      session_lost: z
        .strictObject({ offline_since: utc, found_at: utc })
        .nullable()
        .describe("The broker had forgotten latchd: commands since then may be lost"),
      agent_id_in_use_since: utc.nullable().describe("Another agent seems to run with this agent_id"),
    }),
    clock: clockShape,
    devices: z.array(
      z.strictObject({ device_id: z.string(), name: z.string(), online: z.boolean(), breaker: breakerShape }),
    ),
    revocation_debt: z
      .strictObject({ count: z.int(), oldest_since: utc.nullable(), device_ids: z.array(z.string()) })
      .describe("What is to be taken away, and is not proven gone"),
    orphans: z
      .array(
        z.strictObject({
          device_id: z.string(),
          reason: z.string(),
          link: z.string().nullable(),
          address: z.string().nullable(),
          lock: z.string(),
          placements: z.int(),
          hint: z.string(),
        }),
      )
      .describe("Codes on locks that nobody can look after"),
    secrets_exposed: z
      .array(
        z.strictObject({
          problem: z.string(),
          cure: z.string(),
          link: z.string().optional(),
          address: z.string().optional(),
        }),
      )
      .describe("Ways in which codes leak"),
  })
  .meta({ id: "agent_status", description: "The agent's state" });

const counts = z.record(z.string(), z.int());

export const agentShape = z
  .strictObject({
    ...agentStatusShape.shape,
    letters_waiting: z.int().describe("Replies and events that the broker has not acknowledged"),
    letters_without_reader: z.int().describe("Of those: that nobody is subscribed to"),
    links: z
      .array(
        z.strictObject({
          link: z.string(),
          open: z.boolean(),
          counts,
          addresses: z.array(z.strictObject({ address: z.string(), state: z.string(), counts })),
        }),
      )
      .describe("The wires to the locks, and what was counted on them since they are open"),
  })
  .meta({ id: "agent", description: "The agent's state, and what waits for the broker" });
