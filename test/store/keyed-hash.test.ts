import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keyedHash } from "../../agent/store/keyed-hash.ts";

test("keyedHash() is HMAC-SHA-256, by any key of up to a block and of any text", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.string({ unit: "binary", maxLength: 200 }), { minLength: 1, maxLength: 3 }),
      (key, texts) => {
        const usual = texts.map((text) => createHmac("sha256", key).update(text).digest("hex"));
        expect(texts.map(keyedHash(key))).toEqual(usual);
      },
    ),
  );
});

test("keyedHash() gives what RFC 4231 has in its second case", () => {
  const hashed = keyedHash(Buffer.from("Jefe"));
  expect(hashed("what do ya want for nothing?")).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});
