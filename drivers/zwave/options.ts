import { z } from "zod";
import { serialPort } from "../shared/serial-port-option.ts";

/** A link to one Z-Wave controller. */
export const options = z.strictObject({
  /** The controller's serial device, or the address of a serial bridge. */
  port: serialPort,
  /** JSON with the network's security keys by zwave-js's names. Read once: the keys are kept sealed from then on. */
  security_keys_file: z.string().optional(),
  /** How long a lock that has heard a command may take to answer it, in ms. */
  timeout_ms: z.int().min(500).max(10_000).default(2_000),
});
export type Options = z.infer<typeof options>;
