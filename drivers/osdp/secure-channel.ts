import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import type { Received } from "./deframer.ts";
import { beforeMac, closeFrame, type Frame, macInput, macLength } from "./frame.ts";
import type { Key } from "./key.ts";

/*
 * The Secure Channel (reference 3; SIA OSDP 2.2.2, annex D): AES-128 throughout. Pure: who calls keeps the chain of MACs, and
 * moves it on only when an exchange has succeeded.
 */

/** What one session is encrypted and proven with, 16 bytes each. */
export interface SessionKeys {
  readonly enc: Uint8Array;
  readonly mac1: Uint8Array;
  readonly mac2: Uint8Array;
}

const block = 16;

/** @param random the panel's RND.A, of which the first six bytes count (D.4.1). */
export function sessionKeys(key: Key, random: Uint8Array): SessionKeys {
  const derive = (a: number, b: number): Uint8Array => {
    const seed = new Uint8Array(block);
    seed.set([a, b, ...random.subarray(0, 6)]);
    return encryptBlock(key.reveal(), seed);
  };
  return { enc: derive(0x01, 0x82), mac1: derive(0x01, 0x01), mac2: derive(0x01, 0x02) };
}

/** Nothing can be said with them any more. */
export function wipe({ enc, mac1, mac2 }: SessionKeys): void {
  for (const key of [enc, mac1, mac2]) key.fill(0);
}

/** How a reader proves that it has the key. @param panel RND.A. @param reader RND.B. */
export const clientCryptogram = ({ enc }: SessionKeys, panel: Uint8Array, reader: Uint8Array): Uint8Array =>
  encryptBlock(enc, Uint8Array.of(...panel, ...reader));
/** How the panel proves it. */
export const serverCryptogram = ({ enc }: SessionKeys, panel: Uint8Array, reader: Uint8Array): Uint8Array =>
  encryptBlock(enc, Uint8Array.of(...reader, ...panel));
/** The MAC with which the chain begins. */
export const firstMac = ({ mac1, mac2 }: SessionKeys, cryptogram: Uint8Array): Uint8Array =>
  encryptBlock(mac2, encryptBlock(mac1, cryptogram));

/** In a time that does not tell where they differ. */
export const equal = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

/** A frame that is ready to go, and its whole MAC. */
export interface Wrapped {
  readonly bytes: Uint8Array;
  readonly mac: Uint8Array;
}

/**
 * A frame with its data encrypted, where there are any, and a MAC.
 *
 * @param last the whole MAC of the last frame of the other side: start of this one's MAC, and, inverted, of its encryption.
 */
export function wrap(frame: Omit<Frame, "security" | "mac">, keys: SessionKeys, last: Uint8Array): Wrapped {
  const isEmpty = frame.data.length === 0;
  const type = (isEmpty ? 0x15 : 0x17) + Number(frame.isReply);
  const data = isEmpty ? frame.data : crypt(createCipheriv, keys.enc, last, padded(frame.data));
  const before = beforeMac({ ...frame, data, security: { type, data: new Uint8Array() } });
  const mac = macOf(before, keys, last);
  return { bytes: closeFrame(before, mac.subarray(0, macLength), frame.check), mac };
}

/** What was wrong with a frame of the channel. */
export type WrapFault = "mac" | "padding";

/** The data of a frame of the types 0x15 to 0x18, decrypted, once its MAC has proven true. @param last as of {@link wrap}. */
export function unwrap(
  { frame, bytes }: Received,
  keys: SessionKeys,
  last: Uint8Array,
): { readonly data: Uint8Array; readonly mac: Uint8Array } | WrapFault {
  const mac = macOf(macInput(bytes, frame.check), keys, last);
  if (!frame.mac || !equal(frame.mac, mac.subarray(0, macLength))) return "mac";
  if (frame.security?.type !== 0x17 && frame.security?.type !== 0x18) return { data: frame.data, mac };
  if (frame.data.length === 0 || frame.data.length % block > 0) return "padding";
  const data = unpadded(crypt(createDecipheriv, keys.enc, last, frame.data));
  return data ? { data, mac } : "padding";
}

/** All blocks but the last with one key, chained; the last with the other (D.5). All 16 bytes. */
export function macOf(bytes: Uint8Array, { mac1, mac2 }: SessionKeys, start: Uint8Array): Uint8Array {
  const whole = bytes.length % block === 0 ? bytes : padded(bytes);
  const head = whole.subarray(0, whole.length - block);
  const before = head.length === 0 ? start : run(createCipheriv("aes-128-cbc", mac1, start), head).subarray(-block);
  return encryptBlock(mac2, xor(before, whole.subarray(-block)));
}

/** 0x80, then zeros to a whole block. */
export function padded(data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil((data.length + 1) / block) * block);
  whole.set(data);
  whole[data.length] = 0x80;
  return whole;
}

function unpadded(data: Uint8Array): Uint8Array | undefined {
  const end = data.findLastIndex((byte) => byte !== 0);
  return data[end] === 0x80 ? data.slice(0, end) : undefined;
}

const encryptBlock = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  run(createCipheriv("aes-128-ecb", key, null), data);

const crypt = (
  make: typeof createCipheriv | typeof createDecipheriv,
  key: Uint8Array,
  last: Uint8Array,
  data: Uint8Array,
): Uint8Array =>
  run(
    make(
      "aes-128-cbc",
      key,
      last.map((byte) => ~byte),
    ),
    data,
  );

interface Cipher {
  setAutoPadding(auto: boolean): unknown;
  update(data: Uint8Array): Uint8Array;
  final(): Uint8Array;
}
function run(cipher: Cipher, data: Uint8Array): Uint8Array {
  cipher.setAutoPadding(false);
  return Uint8Array.from([...cipher.update(data), ...cipher.final()]);
}

const xor = (one: Uint8Array, other: Uint8Array): Uint8Array => one.map((byte, at) => byte ^ (other[at] ?? 0));
