import { z } from "zod";

/** A link to one Z-Wave controller. */
export const options = z.strictObject({
  /** The controller's serial device, or the address of a serial bridge. */
  port: z
    .string()
    .regex(
      /^(\/.+|tcp:\/\/[^/:]+:\d+)$/,
      "must be a serial device, best by its name in /dev/serial/by-id, or tcp://host:port",
    )
    .refine((port) => port.startsWith("/") || URL.canParse(port), "must name a TCP port between 0 and 65535"),
  /** JSON with the network's security keys by zwave-js's names. Read once: the keys are kept sealed from then on. */
  security_keys_file: z.string().optional(),
  /** How long a lock that has heard a command may take to answer it, in ms. */
  timeout_ms: z.int().min(500).max(10_000).default(2_000),
});
export type Options = z.infer<typeof options>;
