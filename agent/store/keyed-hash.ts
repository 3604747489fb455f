import { hash } from "node:crypto";

/** Of SHA-256, in bytes (FIPS 180-4). */
const block = 64;
const digest = 32;

/**
 * HMAC-SHA-256 (RFC 2104) by one key, hex. Node's own makes an object and readies the key for each text, which takes longer
 * than to hash it, and who stands at a door waits for it: here the key is made ready once.
 *
 * @param key no longer than a block.
 */
export function keyedHash(key: Uint8Array): (text: string) => string {
  const inner = padded(key, 0x36);
  const outer = padded(key, 0x5c);
  return (text) => {
    const message = Buffer.allocUnsafe(block + Buffer.byteLength(text));
    message.set(inner);
    message.write(text, block);
    const hashed = Buffer.allocUnsafe(block + digest);
    hashed.set(outer);
    hashed.write(hash("sha256", message, "binary"), block, "binary");
    return hash("sha256", hashed);
  };
}

/** A block of the key, each byte of it combined with one that is always the same. */
const padded = (key: Uint8Array, pad: number): Uint8Array =>
  Uint8Array.from({ length: block }, (_, at) => (key[at] ?? 0) ^ pad);
