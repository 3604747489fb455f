import { compactDecrypt, decodeProtectedHeader, importJWK } from "jose";
import { expect, test } from "vitest";
import { z } from "zod";
import { replyKeyParameter } from "../../agent/commands/reply-key.ts";
import { withCodesEncrypted, withoutCodes } from "../../agent/mqtt/code-jwe.ts";

/** As published: RFC 7517, A.1 and A.2; RFC 7748, 6.1 (Bob's). */
const keys = {
  "P-256": {
    kty: "EC",
    crv: "P-256",
    x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    d: "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
  },
  X25519: {
    kty: "OKP",
    crv: "X25519",
    x: "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
    d: "XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
  },
};
const answer = z.looseObject({ code: z.null(), code_jwe: z.string() });

test.each(Object.values(keys))("what is encrypted to a key on $crv is read with its private key only", async (key) => {
  const { d: _, ...publicKey } = key;
  const { reply_key: replyKey } = replyKeyParameter.parse({ reply_key: { ...publicKey, kid: "desk" } });
  if (!replyKey) throw new Error("it is a usable key");
  const body = JSON.stringify({
    ok: true,
    access_code: { name: "Ann", code: "493017", errors: [{ error_code: "x" }] },
  });
  const encrypted = await withCodesEncrypted(body, replyKey);
  expect(encrypted).not.toContain("493017");
  const { access_code: code } = z.looseObject({ access_code: answer }).parse(JSON.parse(encrypted));
  expect(code).toMatchObject({ name: "Ann", code: null, errors: [{ error_code: "x" }] });
  expect(decodeProtectedHeader(code.code_jwe)).toMatchObject({ alg: "ECDH-ES", enc: "A256GCM", kid: "desk" });
  const { plaintext } = await compactDecrypt(code.code_jwe, await importJWK(key, "ECDH-ES"));
  expect(new TextDecoder().decode(plaintext)).toBe("493017");
  const other = Object.values(keys).find(({ crv }) => crv !== key.crv);
  await expect(compactDecrypt(code.code_jwe, await importJWK(other ?? key, "ECDH-ES"))).rejects.toThrow(
    /decrypt|kty|key/i,
  );
});

test("each code of a list is encrypted by itself, what is no code stays, and no two look alike", async () => {
  const { d: _, ...publicKey } = keys.X25519;
  const { reply_key: replyKey } = replyKeyParameter.parse({ reply_key: publicKey });
  if (!replyKey) throw new Error("it is a usable key");
  const codes = ["493017", "493017", null].map((code) => ({ code }));
  const body = JSON.stringify({ ok: true, credentials: codes });
  const shape = z.object({ ok: z.literal(true), credentials: z.array(answer.partial()) });
  const { credentials } = shape.parse(JSON.parse(await withCodesEncrypted(body, replyKey)));
  expect(credentials.map(({ code }) => code)).toEqual([null, null, null]);
  const [first, second, third] = credentials.map(({ code_jwe: jwe }) => jwe);
  expect(third).toBeUndefined();
  expect(first).not.toBe(second);
  expect(await withoutCodes(body)).toBe(
    JSON.stringify({
      ok: true,
      credentials: [{ code: null, code_jwe: null }, { code: null, code_jwe: null }, { code: null }],
    }),
  );
});

const { d: secret, ...point } = keys["P-256"];
const { d: __, ...x25519 } = keys.X25519;
test.each<readonly [string, unknown, string]>([
  ["no JWK", "key", "reply_key"],
  ["another curve", { ...point, crv: "P-384" }, "crv P-256 or X25519"],
  ["a kind of key that is not the curve's", { ...point, kty: "OKP" }, "kty"],
  ["a private key", { ...point, d: secret }, "private key"],
  ["a point that is not on the curve", { ...point, y: point.x }, "no point"],
  ["a point with which nothing secret can be agreed", { ...x25519, x: "A".repeat(43) }, "no point"],
  ["a coordinate that is too short", { ...point, x: point.x.slice(1) }, "32 bytes"],
  ["a missing coordinate", { ...point, y: undefined }, "y"],
  ["a key for signatures", { ...point, use: "sig" }, '"enc"'],
  ["a key for something else", { ...point, alg: "ECDH-ES+A256KW" }, "ECDH-ES"],
])("%s is no reply_key", (_, key, said) => {
  const { error } = replyKeyParameter.safeParse({ reply_key: key });
  expect(JSON.stringify(error?.issues)).toContain(said.replaceAll('"', '\\"'));
  expect(JSON.stringify(error?.issues)).not.toContain(secret);
});
