import type { ReplyKey } from "../commands/reply-key.ts";

/**
 * A reply in which each `code` is null, and beside it `code_jwe` what only the holder of the private key can read (WIRE,
 * "Telling a PIN"). Each is encrypted with an agreement of its own.
 */
export async function withCodesEncrypted(body: string, { kid, kty, crv, x, ...more }: ReplyKey): Promise<string> {
  // Most houses never send a key, and need not wait for this at each start.
  const { CompactEncrypt, importJWK } = await import("jose");
  const key = await importJWK({ kty, crv, x, ...("y" in more ? { y: more.y } : {}) }, "ECDH-ES");
  const header = { alg: "ECDH-ES", enc: "A256GCM", ...(kid === undefined ? {} : { kid }) };
  const encrypt = async (code: string): Promise<string> =>
    new CompactEncrypt(new TextEncoder().encode(code)).setProtectedHeader(header).encrypt(key);
  return JSON.stringify(await replaced(JSON.parse(body), encrypt));
}

/** As it would have been answered to who may be told no codes. */
export const withoutCodes = async (body: string): Promise<string> =>
  JSON.stringify(await replaced(JSON.parse(body), async () => null));

async function replaced(value: unknown, by: (code: string) => Promise<string | null>): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map(async (each) => replaced(each, by)));
  const members = Object.entries(value).map(async ([name, member]) =>
    name === "code" && typeof member === "string"
      ? Object.entries({ code: null, code_jwe: await by(member) })
      : [[name, await replaced(member, by)]],
  );
  return Object.fromEntries((await Promise.all(members)).flat());
}
