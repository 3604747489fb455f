import { z } from "zod";

/** A link to one zigbee2mqtt, through its broker. */
export const options = z.strictObject({
  /** The broker's address. Its password goes into a file of its own. */
  url: z
    .url({ protocol: /^mqtts?$/, error: "must be the broker's address, such as mqtt://127.0.0.1:1883" })
    .refine((url) => new URL(url).password === "", "must hold no password; name a file in password_file instead"),
  base_topic: z
    .string()
    .regex(/^[^#+/]+(\/[^#+/]+)*$/, "must be a topic without wildcards, and not start or end with a slash")
    .default("zigbee2mqtt"),
  username: z.string().optional(),
  password_file: z.string().optional(),
  ca_file: z.string().optional(),
  /**
   * Whether zigbee2mqtt may say codes when asked. Without, they do not travel to us in clear, and that a slot is taken is
   * all that proves a write.
   */
  expose_pin: z.boolean().default(true),
  /** How long an answer may take before it is silence. */
  timeout_ms: z.int().min(50).max(120_000).default(10_000),
});
export type Options = z.infer<typeof options>;
