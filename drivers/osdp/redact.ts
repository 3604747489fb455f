import { decodeCommand } from "./commands.ts";
import type { Received } from "./deframer.ts";
import { encodeFrame, type Frame } from "./frame.ts";
import { decodeReply } from "./replies.ts";

/*
 * Frames as they may be shown (reference 3.7): what is secret in them is zeros. Their checks are made anew, since a check of
 * sixteen bits tells most of what a card of twenty-six says. So every tool that reads frames reads these.
 */

/** What comes before the secret in a reply: who has read it, and how much there is of it. The text of a NAK is anybody's. */
const heads: ReadonlyMap<string, number> = new Map([
  ["RAW", 4],
  ["FMT", 3],
  ["KEYPAD", 2],
  ["NAK", 1],
]);

/**
 * @param isSealed whether it is proven to be said under the reader's own key, so that nobody else can read it. Under the key
 * that everybody knows a MAC tells as much as what it is made of, and so does each one after it: they are zeros, too.
 */
export function redacted({ frame, bytes }: Received, isSealed: boolean): Uint8Array {
  const isWhole = isSealed && isOfChannel(frame) && frame.code !== keySet;
  if (isWhole) return bytes;
  const { security, mac } = frame;
  const shown = isInClear(frame) ? shownOf(frame) : 0;
  const isHandshake = security !== undefined && security.type >= 0x11 && security.type <= 0x14;
  return encodeFrame({
    ...frame,
    ...(security && !isHandshake ? { security: { ...security, data: new Uint8Array(security.data.length) } } : {}),
    data: frame.data.map((byte, at) => (at < shown ? byte : 0)),
    ...(mac ? { mac: new Uint8Array(mac.length) } : {}),
  });
}

const keySet = 0x75;
const isOfChannel = ({ mac }: Frame): boolean => mac !== undefined;
const isInClear = ({ security }: Frame): boolean =>
  security === undefined || (security.type >= 0x11 && security.type <= 0x14);

/** How many of its data are shown. What is not known by name, or not of its shape, may hold anything. */
function shownOf({ isReply, code, data }: Frame): number {
  const said = isReply ? decodeReply(code, data) : decodeCommand(code, data);
  const name = said && ("reply" in said ? said.reply : said.command);
  if (name === undefined || name === "other" || name === "KEYSET") return 0;
  return heads.get(name) ?? data.length;
}
