import { z } from "zod";

const times = z.int().min(0).default(0);
const code = z.int().min(0).max(255);

/**
 * How a reader differs from what the standard asks for, each as readers in the field do (reference 7.3). What is counted is
 * over after so many times.
 */
export const behaviour = z.strictObject({
  /** It knows no CRC, and does not hear commands that have one. */
  checksum_only: z.boolean().default(false),
  /** It has a CRC in every reply, whatever was asked. */
  always_crc: z.boolean().default(false),
  /** Bytes of mark before each reply. */
  marks: z.int().min(0).max(16).default(1),
  /** How long it thinks, at least and at most. */
  reply_ms: z.tuple([z.number().min(0), z.number().min(0).max(1_000)]).default([3, 3]),
  busy: times,
  /** NAK codes, by the code of a command. */
  refuses: z.record(z.string().regex(/^\d{1,3}$/), code).default({}),
  /** After so many commands its power is gone for a moment; 0: never. */
  resets_after: times,
  /** It asks for a restart by the number 0, so many times. */
  sequence_zero: times,
  /** It answers KEYSET in clear. */
  clear_ack_after_keyset: z.boolean().default(false),
  /** What has no data it sends as an encrypted block of padding. */
  encrypts_nothing: z.boolean().default(false),
  wrong_key_type: z.boolean().default(false),
  wrong_cryptogram: z.boolean().default(false),
  /** So many replies have a wrong MAC and a right check. */
  wrong_mac: times,
  /** It says 0 where a session is accepted, as some do that are being installed. */
  status_zero: z.boolean().default(false),
  /** What happens to reads that nobody has come for when the link is lost. */
  reads: z.enum(["forgotten", "kept"]).default("forgotten"),
  /** It drops a session after so much silence. */
  session_limit_ms: z.int().min(50).max(8_000).default(8_000),
  /** It says nothing to ID until it has been polled. */
  poll_first: z.boolean().default(false),
  /** It drops its session where a frame was damaged. */
  drops_session_on_damage: z.boolean().default(false),
  /** It tells a repeat by its number and code, not by all of its bytes. */
  repeats_by_code: z.boolean().default(false),
  /** It answers OUT by the state of its outputs. */
  tells_outputs: z.boolean().default(false),
  /** It has a key, and is polled in clear all the same. */
  allows_clear: z.boolean().default(false),
  /** It gathers keys until # and sends them together. */
  gathers_keys: z.boolean().default(false),
});
export type Behaviour = z.infer<typeof behaviour>;
