import { mostDigits } from "./door-rule.ts";
import { type Instant, later, type Milliseconds } from "./instant.ts";
import { Secret } from "./secret.ts";

/** Between two keys of one entry. */
export const keyTimeout: Milliseconds = 5_000;

/** What was typed at a keypad and not entered yet. */
export interface Typed {
  readonly digits: Secret;
  /** More than a code can have: whatever follows, it is none. */
  readonly isTooLong: boolean;
  readonly last: Instant;
}

/** What came of what was typed. `too_long`: it was entered, and is no code. */
export type Entry = { readonly entry: "code"; readonly digits: Secret } | { readonly entry: "too_long" | "cleared" };

export interface Gathered {
  readonly typed: Typed | undefined;
  /** What the keys have brought to an end, in their order. */
  readonly entries: readonly Entry[];
}

/**
 * Gathers keys to entries: `#` enters, `*` clears, and what waits for its next key for too long is forgotten.
 *
 * @param keys as they were pressed; what is no key of a keypad is passed over.
 * @param length of all codes, where the last digit enters them.
 */
export function gather(before: Typed | undefined, keys: Secret, now: Instant, length: number | undefined): Gathered {
  const entries: Entry[] = [];
  const isOn = before !== undefined && now >= before.last && now < later(before.last, keyTimeout);
  let digits = isOn ? before.digits.reveal() : "";
  let isTooLong = isOn && before.isTooLong;
  const end = (entry: Entry): void => {
    entries.push(entry);
    digits = "";
    isTooLong = false;
  };
  for (const key of keys.reveal()) {
    if (key === "*") end({ entry: "cleared" });
    else if (key === "#") {
      if (isTooLong) end({ entry: "too_long" });
      else if (digits !== "") end({ entry: "code", digits: new Secret(digits) });
    } else if (/^\d$/.test(key)) {
      if (digits.length >= mostDigits) isTooLong = true;
      else digits += key;
      if (digits.length === length) end({ entry: "code", digits: new Secret(digits) });
    }
  }
  const isTyping = digits !== "" || isTooLong;
  return { typed: isTyping ? { digits: new Secret(digits), isTooLong, last: now } : undefined, entries };
}
