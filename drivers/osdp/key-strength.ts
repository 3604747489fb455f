import { randomBytes } from "node:crypto";
import { Key } from "./key.ts";

const keyLength = 16;

/** The key that every reader knows in its install mode. It protects nothing. */
export const defaultKey = (): Key => new Key(Uint8Array.from({ length: keyLength }, (_, at) => 0x30 + at));

export const newKey = (): Key => new Key(randomBytes(keyLength));

/** Keys of examples and recorded sessions, which many have read. */
const published = new Set([
  "a1b2c3d4e5f60718293a4b5c6d7e8f90",
  "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  "5c1e77a0d94b3f2861ee0a9cb3d8f417",
  "8f3a5c71e0b94d2286fd17a94c60be35",
  "cdd00c41a86f433f91992768494f49cb",
]);

/** Why a key is not to be used, in words for an operator; undefined where nothing is known against it (reference 3.7). */
export function weakness(key: Key): string | undefined {
  const bytes = key.reveal();
  if (bytes.length !== keyLength) return `it has ${bytes.length} bytes and not ${keyLength}`;
  const steps = new Set(bytes.subarray(1).map((byte, at) => byte - (bytes[at] ?? 0)));
  if (steps.size === 1) return "its bytes are all alike, or run up or down";
  if (bytes.every((byte) => byte >= 0x30 && byte <= 0x39)) return "it is made of digits only";
  if (published.has(Buffer.from(bytes).toString("hex"))) return "it is the key of an example";
  return undefined;
}
