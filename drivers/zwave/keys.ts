import { readFileSync } from "node:fs";
import { z } from "zod";
import { Secret } from "../../agent/domain/secret.ts";
import { isMissing } from "../../agent/errors.ts";
import { type DriverState, LinkError } from "../driver.ts";
import { decode } from "../shared/decode.ts";

const key = z.string().regex(/^[0-9a-fA-F]{32}$/);
const file = z.strictObject({
  S0_Legacy: key.optional(),
  S2_Unauthenticated: key.optional(),
  S2_Authenticated: key.optional(),
  S2_AccessControl: key.optional(),
  /** Those of the long-range part of the network. */
  long_range: z.strictObject({ S2_Authenticated: key.optional(), S2_AccessControl: key.optional() }).optional(),
});
/** The network's keys, in hex. */
export type SecurityKeys = z.infer<typeof file>;

const sealedAs = "security_keys";

/**
 * The keys from the file, sealed from then on; from what was sealed where the file is gone. None where there is no file.
 *
 * @throws LinkError where the file cannot be read or holds something else, without quoting it.
 */
export function securityKeys(path: string | undefined, state: DriverState): SecurityKeys {
  if (path === undefined) {
    state.delete(sealedAs);
    return {};
  }
  const sealed = state.get(sealedAs);
  const text = read(path);
  if (text === undefined) {
    const kept = sealed && decode(sealed.reveal(), file);
    if (kept) return kept;
    throw new LinkError(`security_keys_file ${path} is not there`, {
      sent: false,
      hint: "give the file, until latchd has read the keys from it once",
    });
  }
  const keys = decode(text, file);
  if (!keys) {
    throw new LinkError(`security_keys_file ${path} does not hold security keys`, {
      sent: false,
      hint: 'it must be JSON such as {"S0_Legacy":"…","S2_AccessControl":"…"}, each key 32 hexadecimal digits',
    });
  }
  const fresh = JSON.stringify(keys);
  if (sealed?.reveal() !== fresh) state.set(sealedAs, new Secret(fresh));
  return keys;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new LinkError(`cannot read security_keys_file ${path}`, {
      sent: false,
      hint: "check its path and owner",
      cause,
    });
  }
}
