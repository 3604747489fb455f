import { z } from "zod";
import { credentialKinds } from "../../agent/domain/credential.ts";
import { pinRules } from "../../agent/domain/pin-rule.ts";

/** How the simulated locks of a link are built. */
export const options = z.strictObject({
  /** `none`: a reader, which has each decision made by the agent. */
  memory: z.enum(["numbered", "assigned", "keyed", "none"]).default("numbered"),
  slots: z.int().min(1).max(10_000).default(30),
  kinds: z.array(z.enum(credentialKinds)).min(1).default(["pin"]),
  lengths: z.array(z.int().min(1).max(16)).min(1).default([4, 5, 6, 7, 8]),
  rules: z.array(z.enum(pinRules)).default([]),
  read_back: z.enum(["full", "masked", "occupancy", "none"]).default("full"),
  windows: z.enum(["none", "dates", "weekly", "both"]).default("none"),
  suspends: z.boolean().default(false),
  /** It can be locked and unlocked from afar. */
  bolt: z.boolean().default(true),
  /** A write that was not answered may still be carried out within this time. */
  settles_seconds: z.int().min(1).max(86_400).optional(),
  /** How long an answer may take before it is silence. */
  timeout_ms: z.int().min(50).max(60_000).default(2_000),
  /** Of what goes wrong at them, once that is asked for: the same misfortunes for the same seed. */
  seed: z.int().default(1),
});
export type Options = z.infer<typeof options>;
