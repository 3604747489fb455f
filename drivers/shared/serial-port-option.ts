import { z } from "zod";

/** Where a line is: the path of a serial device, or the address of a serial bridge. */
export const serialPort = z
  .string()
  .regex(
    /^(\/.+|tcp:\/\/[^/:]+:\d+)$/,
    "must be a serial device, best by its name in /dev/serial/by-id, or tcp://host:port",
  )
  .refine((port) => port.startsWith("/") || URL.canParse(port), "must name a TCP port between 0 and 65535");
