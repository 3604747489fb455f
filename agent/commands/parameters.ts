import { z } from "zod";
import { deviceId, userIdentityId } from "../domain/ids.ts";
import { Secret } from "../domain/secret.ts";

const id = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "Must not hold control characters or half of a surrogate pair");

export const userIdentity = id.transform(userIdentityId);
export const device = id.transform(deviceId);
/** Digits of a PIN, wrapped at once so that no later step can print them. */
export const digits = z
  .string()
  .regex(/^\d{1,16}$/, "Must be 1 to 16 digits")
  .transform((value) => new Secret(value));
export const cardFormat = z.string().regex(/^[a-z0-9_]{1,32}$/, "Must be 1 to 32 of a-z, 0-9 and _");
export const cardBits = z
  .string()
  .regex(/^[0-9a-f]{1,64}$/, "Must be 1 to 64 lower-case hexadecimal digits")
  .transform((value) => new Secret(value));
