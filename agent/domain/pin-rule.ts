/** Rules that locks have for PINs, under the names that Seam's `code_constraints` give them (reference: seam-api, 3.2). */
export const pinRules = [
  "no_zeros",
  "cannot_start_with_12",
  "no_triple_consecutive_ints",
  "no_ascending_or_descending_sequence",
  "at_least_three_unique_digits",
  "cannot_contain_089",
  "cannot_contain_0789",
  "no_all_same_digits",
] as const;
export type PinRule = (typeof pinRules)[number];

/** Whether a PIN keeps a rule. */
export const keeps: Readonly<Record<PinRule, (pin: string) => boolean>> = {
  no_zeros: (pin) => !pin.includes("0"),
  cannot_start_with_12: (pin) => !pin.startsWith("12"),
  no_triple_consecutive_ints: (pin) => !/(.)\1\1/.test(pin),
  no_ascending_or_descending_sequence: (pin) => !isSequence(pin, 1) && !isSequence(pin, -1),
  at_least_three_unique_digits: (pin) => new Set(pin).size >= 3,
  cannot_contain_089: (pin) => !/[089]/.test(pin),
  cannot_contain_0789: (pin) => !/[0789]/.test(pin),
  no_all_same_digits: (pin) => new Set(pin).size > 1,
};

const isSequence = (pin: string, by: number): boolean =>
  pin.length > 1 && Array.from(pin).every((digit, at) => at === 0 || Number(digit) - Number(pin[at - 1]) === by);
