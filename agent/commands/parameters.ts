import { z } from "zod";
import { isPerson } from "../domain/access-code.ts";
import { type AsOf, asOfInstant, asOfNumber } from "../domain/as-of.ts";
import { accessGrantId, deviceId, userIdentityId } from "../domain/ids.ts";
import { type Instant, instant } from "../domain/instant.ts";
import { Secret } from "../domain/secret.ts";

const noControls = /^[^\p{Cc}\p{Cs}]*$/u;
const id = z.string().min(1).max(128).regex(noControls, "Must not hold control characters or half of a surrogate pair");

/** What people write of somebody or something. */
export const plainText = z
  .string()
  .min(1)
  .max(256)
  .regex(noControls, "Must not hold control characters or half of a surrogate pair");
export const userIdentity = id.transform(userIdentityId);
/** Somebody who is to be given something: not what stands for an access code, which is given by its own commands. */
export const person = userIdentity.refine(isPerson, "Must not begin with access_code: as access codes do");
export const device = id.transform(deviceId);
export const accessGrant = id.transform(accessGrantId);
/** A lock, by its device or its address. */
export const lock = z.string().min(1).max(256);
/** What people call something. */
export const name = id;

const isoInstant = z.iso.datetime({ offset: true });
const newness =
  "Must be an instant with its offset, such as 2026-01-31T09:30:00Z, or a whole number from 0 to 9007199254740991";
/** How new a command is, so that one which comes late can be told (WIRE, "Stale commands"). */
export const asOf = z
  .union([z.number(), z.string()], { error: newness })
  .describe("How new the command is: a grant that is older than what is known is superseded")
  .transform((value, context): AsOf => {
    const read =
      typeof value === "number"
        ? asOfNumber(value)
        : isoInstant.safeParse(value).success
          ? asOfInstant(value)
          : undefined;
    if (read !== undefined) return read;
    context.addIssue({ code: "custom", message: newness });
    return z.NEVER;
  });

const moments = "Must be an instant with its offset, such as 2026-01-31T09:30:00Z, on a day that exists";
/** What is finer than a millisecond is cut off. */
export const moment = z
  .string()
  .meta({ format: "date-time" })
  .transform((text, context): Instant => {
    const at = isoInstant.safeParse(text).success ? Date.parse(text) : Number.NaN;
    if (at >= firstMoment && at <= lastMoment) return instant(at);
    context.addIssue({ code: "custom", message: moments });
    return z.NEVER;
  });
/** Beyond them, ISO 8601 has no four digits for the year. */
const firstMoment = Date.parse("0000-01-01T00:00:00Z");
const lastMoment = Date.parse("9999-12-31T23:59:59.999Z");

/** Digits of a PIN, wrapped at once so that no later step can print them. */
export const digits = z
  .string()
  .regex(/^\d{1,16}$/, "Must be 1 to 16 digits")
  .transform((value) => new Secret(value));
/** What is typed at a keypad, which may have the keys `*` and `#`. */
export const keys = z
  .string()
  .regex(/^[\d*#]{1,32}$/, "Must be 1 to 32 digits, * and #")
  .transform((value) => new Secret(value));
export const cardFormat = z.string().regex(/^[a-z0-9_]{1,32}$/, "Must be 1 to 32 of a-z, 0-9 and _");
export const cardBits = z
  .string()
  .regex(/^[0-9a-f]{1,64}$/, "Must be 1 to 64 lower-case hexadecimal digits")
  .transform((value) => new Secret(value));
