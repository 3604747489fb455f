import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { z } from "zod";
import { plainText } from "./parameters.ts";

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "Must be 32 bytes, in base64url without padding");
const rest = {
  // Whoever sends it has told it to all who listen.
  d: z
    .never("Must not be there: a private key is told to nobody. Send the public key, and make another pair")
    .optional(),
  use: z.literal("enc", 'Must be "enc", or left out').optional(),
  alg: z.literal("ECDH-ES", 'Must be "ECDH-ES", or left out').optional(),
  kid: plainText.optional(),
};
const schema = z
  .discriminatedUnion(
    "crv",
    [
      z.object({
        crv: z.literal("P-256"),
        kty: z.literal("EC", 'Must be "EC"'),
        x: coordinate,
        y: coordinate,
        ...rest,
      }),
      z.object({ crv: z.literal("X25519"), kty: z.literal("OKP", 'Must be "OKP"'), x: coordinate, ...rest }),
    ],
    "Must be a public key as a JWK, with crv P-256 or X25519",
  )
  .refine(isUsable, "Is no point that anything can be encrypted to");

/** The public key of who is to read the codes in a reply (WIRE, "Telling a PIN"). */
export type ReplyKey = z.output<typeof schema>;

/** What a command over MQTT may carry beside its parameters, where its reply may hold codes. */
export const replyKeyParameter = z.object({ reply_key: schema.optional() });

/** A point of the curve with which something secret can be agreed: tried with a key that nobody keeps. */
function isUsable({ crv, kty, x, ...more }: { crv: "P-256" | "X25519"; kty: string; x: string; y?: string }): boolean {
  try {
    const publicKey = createPublicKey({ key: { crv, kty, x, ...("y" in more ? { y: more.y } : {}) }, format: "jwk" });
    const { privateKey } =
      crv === "P-256" ? generateKeyPairSync("ec", { namedCurve: crv }) : generateKeyPairSync("x25519");
    return diffieHellman({ privateKey, publicKey }).length > 0;
  } catch {
    return false;
  }
}
