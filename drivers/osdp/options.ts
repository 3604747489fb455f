import { z } from "zod";
import { serialPort } from "../shared/serial-port-option.ts";
import { cardFormats } from "./card-format.ts";

export const rates = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400] as const;
/** 0 to 126; all readers hear 127. */
const address = z.string().regex(/^(\d|[1-9]\d|1[01]\d|12[0-6])$/, "must be a reader's address, 0 to 126");

const reader = z.strictObject({
  /**
   * `clear`: without the Secure Channel, so that whoever is on the line can say that he is the reader, and hear each card and
   * PIN.
   */
  security: z.enum(["required", "clear"]).default("required"),
  check: z.enum(["crc", "checksum"]).default("crc"),
  /** Of the site's cards: how many bits there are does not tell which it is. */
  cards: z.array(z.enum(cardFormats)).min(1).default(["raw"]),
  /** The reader's own output that moves the strike. It hangs on the side of those who are to stay outside. */
  strike: z
    .strictObject({ output: z.int().min(0).max(63).default(0), seconds: z.number().min(0.1).max(6_553).default(3) })
    .optional(),
  /** The contact of the door at one of the reader's inputs. `open`: how the input is while the door stands open. */
  contact: z
    .strictObject({ input: z.int().min(0).max(63).default(0), open: z.enum(["active", "inactive"]).default("active") })
    .optional(),
});
export type ReaderOptions = z.infer<typeof reader>;

/** A line of OSDP readers. */
export const options = z.strictObject({
  /** A serial device, or the address of a bridge from RS-485 to TCP. */
  port: serialPort,
  baud: z.literal(rates).default(9_600),
  /** How often each reader is asked, in ms, where the line has time for that. */
  poll_ms: z.int().min(20).max(400).default(50),
  /** How long a frame may pause, in ms: adapters on USB hand over in lumps. */
  gap_ms: z.int().min(20).max(180).default(150),
  /** JSON with the readers' keys by their addresses. Read once: the keys are kept sealed from then on. */
  keys_file: z.string().optional(),
  /**
   * Only where all readers of the line are simulated: the socket at which `npm run simulate:osdp -- --control` takes what is done at
   * them, for `npx latchd act`.
   */
  simulator: z.string().regex(/^\//, "must be the absolute path of a socket").optional(),
  /** Readers by their addresses. */
  readers: z.record(address, reader.prefault({})),
});
export type Options = z.infer<typeof options>;
