import { z } from "zod";
import { toIso } from "../domain/instant.ts";
import type { ChangeOutcome, WireFrame } from "../domain/wire-tools.ts";
import { type Body, worldCommand } from "./command.ts";
import { lock } from "./parameters.ts";
import { utc } from "./shapes/instant.ts";

const outcome = { outcome: z.enum(["done", "unchanged", "refused", "unknown"]), detail: z.string() };
const outcomeToWire = ({ result, detail }: ChangeOutcome): Body => ({ outcome: result, detail });

const frameShape = z.strictObject({
  number: z.int(),
  at: utc,
  direction: z.enum(["sent", "heard"]),
  address: z.string().nullable(),
  name: z.string(),
  text: z.string(),
  sequence: z.int().nullable(),
  protection: z.enum(["clear", "default_key", "own_key"]),
  is_repeat: z.boolean(),
  problem: z.string().nullable(),
  /** Hexadecimal; null where it was damaged. */
  bytes: z.string().nullable(),
});

/** What people do with a line of readers who stand at the gateway, and nobody from afar. */
export const osdp = [
  worldCommand({
    name: "osdp/pair",
    parameters: z.object({ lock, seconds: z.int().min(5).max(600).default(120) }),
    returns: outcome,
    doors: ["local"],
    kind: "acts",
    act: async (world, { lock: at, seconds }) => outcomeToWire(await world.pair(at, seconds * 1_000)),
  }),
  worldCommand({
    name: "osdp/rotate",
    parameters: z.object({ lock }),
    returns: outcome,
    doors: ["local"],
    kind: "acts",
    act: async (world, { lock: at }) => outcomeToWire(await world.rotateKey(at)),
  }),
  worldCommand({
    name: "osdp/readdress",
    parameters: z.object({ lock, address: z.int().min(0).max(126) }),
    returns: outcome,
    doors: ["local"],
    kind: "acts",
    act: async (world, { lock: at, address }) => outcomeToWire(await world.readdress(at, String(address))),
  }),
  worldCommand({
    name: "osdp/frames",
    // A link, or a lock on it.
    parameters: z.object({ line: lock, after: z.int().min(0).optional() }),
    returns: { frames: z.array(frameShape), last: z.int(), missed: z.int() },
    doors: ["local"],
    kind: "acts",
    async act(world, { line, after }) {
      const { frames, ...rest } = await world.frames(line, after);
      return { frames: frames.map(frameToWire), ...rest };
    },
  }),
];

const frameToWire = ({ at, address, sequence, isRepeat, problem, bytes, ...same }: WireFrame): Body => ({
  ...same,
  at: toIso(at),
  address: address ?? null,
  sequence: sequence ?? null,
  is_repeat: isRepeat,
  problem: problem ?? null,
  bytes: bytes ? Buffer.from(bytes).toString("hex") : null,
});
