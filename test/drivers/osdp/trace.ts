import { readFileSync } from "node:fs";
import { z } from "zod";

/*
 * Recorded and computed sessions on the wire, one frame an entry: `about` in the file explains the fields. The keys in it are
 * test keys.
 */

const frame = z.object({
  n: z.number(),
  dir: z.enum([">", "<"]),
  t: z.number().optional(),
  hex: z.string(),
  addr: z.number(),
  seq: z.number(),
  check: z.enum(["crc", "sum"]),
  scs: z.number().optional(),
  scbData: z.string().optional(),
  code: z.number(),
  name: z.string(),
  plain: z.string().nullish(),
  mac: z.string().optional(),
  session: z.object({ key: z.string(), sEnc: z.string(), sMac1: z.string(), sMac2: z.string() }).optional(),
  invalid: z.string().optional(),
});
const scenario = z.object({
  name: z.string(),
  keys: z.record(z.string(), z.string()),
  frames: z.array(frame),
  offWire: z.array(z.object({ afterFrame: z.number(), hex: z.string() })).optional(),
});

export type TraceFrame = z.infer<typeof frame>;
export type Scenario = z.infer<typeof scenario>;

const text = readFileSync(new URL("osdp-trace.json", import.meta.url), "utf8");
export const scenarios: readonly Scenario[] = z
  .object({ scenarios: z.array(scenario) })
  .parse(JSON.parse(text)).scenarios;

export const scenarioOf = (name: string): Scenario => {
  const found = scenarios.find((one) => one.name === name);
  if (!found) throw new Error(`no scenario ${name}`);
  return found;
};

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
/** The bytes of a frame, without the mark ahead of it. */
export const bytesOf = ({ hex }: { readonly hex: string }): Uint8Array => fromHex(hex.replace(/^ff/, ""));
