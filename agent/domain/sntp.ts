import { type Instant, instant, type Milliseconds } from "./instant.ts";

/** An answer: when the request came in there, and when it left; or that the server will not, or cannot, say. */
export type SntpReply =
  | { readonly result: "time"; readonly received: Instant; readonly sent: Instant }
  | { readonly result: "refused"; readonly reason: string };

// RFC 4330, section 4: offsets into the packet.
const length = 48;
const refidAt = 12;
const originateAt = 24;
const receiveAt = 32;
const transmitAt = 40;
const version4Client = (4 << 3) | 3;
const server = 4;
const unsynchronised = 3;

/**
 * A client's request (RFC 4330, section 5).
 *
 * @param nonce 8 bytes, random: they stand for our time, which nobody has to know, and come back in the answer to this
 *   request only, so that one who does not see it cannot answer it.
 */
export function sntpRequest(nonce: Uint8Array): Uint8Array {
  const packet = new Uint8Array(length);
  packet[0] = version4Client;
  packet.set(nonce, transmitAt);
  return packet;
}

/** What a packet says; undefined where it is no answer to the request with that nonce. */
export function sntpReply(packet: Uint8Array, nonce: Uint8Array): SntpReply | undefined {
  if (packet.length < length) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const first = view.getUint8(0);
  const isOurs = nonce.every((byte, at) => view.getUint8(originateAt + at) === byte);
  if ((first & 0b111) !== server || !isOurs) return undefined;
  const stratum = view.getUint8(1);
  // The kiss o' death (section 8): four letters say why.
  if (stratum === 0) return { result: "refused", reason: letters(packet.subarray(refidAt, refidAt + 4)) };
  if (first >> 6 === unsynchronised || stratum > 15 || view.getBigUint64(transmitAt) === 0n) {
    return { result: "refused", reason: "it does not know the time itself" };
  }
  return { result: "time", received: timestamp(view, receiveAt), sent: timestamp(view, transmitAt) };
}

const letters = (code: Uint8Array): string => {
  const text = String.fromCharCode(...code);
  return /^[A-Z]{4}$/.test(text) ? text : "it gives no reason";
};

/** Of the Unix epoch, in seconds of NTP: 1900 to 1970. */
const unixEpoch = 2_208_988_800;
const era = 2 ** 32;

/** Section 3: a number of seconds whose first bit is not set has begun anew, in 2036. */
function timestamp(view: DataView, at: number): Instant {
  const seconds = view.getUint32(at);
  const whole = (seconds >= era / 2 ? seconds : seconds + era) - unixEpoch;
  return instant(whole * 1000 + Math.round((view.getUint32(at + 4) * 1000) / era));
}

/**
 * How far the server's clock is ahead of ours (section 5).
 *
 * @param sent our time when the request left.
 * @param took until the answer was there.
 */
export const sntpOffset = (
  { received, sent: left }: Extract<SntpReply, { result: "time" }>,
  sent: Instant,
  took: Milliseconds,
): Milliseconds => (received - sent + (left - (sent + took))) / 2;
