import type { KindLimits } from "./abilities.ts";
import { type Credential, secretOf } from "./credential.ts";
import { keeps, type PinRule } from "./pin-rule.ts";
import { Secret } from "./secret.ts";

/** Why a lock cannot take a credential: a name that is safe to publish (it tells nothing of the credential). */
export type Misfit = "kind_not_supported" | "length" | "alphabet" | PinRule;

/**
 * The first rule of the lock's limits that a credential breaks, or undefined where it fits. Opens the secret: one of the
 * five places that may (Law 9).
 */
export function misfit(credential: Credential, limits: KindLimits | undefined): Misfit | undefined {
  if (!limits) return "kind_not_supported";
  const value = secretOf(credential).reveal();
  if (limits.lengths.length > 0 && !limits.lengths.includes(value.length)) return "length";
  if (limits.alphabet !== "" && Array.from(value).some((char) => !limits.alphabet.includes(char))) return "alphabet";
  if (credential.kind !== "pin") return undefined;
  return limits.rules.find((rule) => !keeps[rule](value));
}

/** No lock asks for these, but a person who tries codes would try these first. */
const trivial: readonly PinRule[] = ["no_ascending_or_descending_sequence", "at_least_three_unique_digits"];
const isTrivial = (pin: string): boolean => trivial.some((rule) => !keeps[rule](pin));

/** How often a drawn PIN may be thrown away before we say that there is none. */
const draws = 10_000;

/**
 * Draws a PIN that fits every one of `limits`, is not trivial, and is not `taken`.
 *
 * @param length the length to use where every lock takes it; otherwise the longest that all take.
 * @param random uniform integer in [0, below); cryptographically secure in production.
 * @returns undefined where the limits leave no PIN, or none was found.
 */
export function drawPin(
  limits: readonly KindLimits[],
  length: number,
  taken: (pin: Secret) => boolean,
  random: (below: number) => number,
): Secret | undefined {
  const lengths = [...Array(13).keys()].filter(
    (n) => n >= 4 && limits.every((l) => l.lengths.length === 0 || l.lengths.includes(n)),
  );
  const alphabet = Array.from("0123456789").filter((digit) =>
    limits.every((l) => l.alphabet === "" || l.alphabet.includes(digit)),
  );
  const chosen = lengths.includes(length) ? length : lengths.at(-1);
  if (chosen === undefined || alphabet.length === 0) return undefined;
  for (let draw = 0; draw < draws; draw++) {
    const pin = Array.from({ length: chosen }, () => alphabet[random(alphabet.length)]).join("");
    const secret = new Secret(pin);
    const fits = limits.every((limit) => misfit({ kind: "pin", digits: secret }, limit) === undefined);
    if (fits && !isTrivial(pin) && !taken(secret)) return secret;
  }
  return undefined;
}
