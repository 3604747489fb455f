import type { KindLimits, MemoryLimits } from "./abilities.ts";
import type { Credential, CredentialKind } from "./credential.ts";
import { type Instant, later, type Milliseconds } from "./instant.ts";

export const doorRules = ["pin_or_card", "pin", "card", "card_and_pin"] as const;
/** What is to be presented at a door whose reader asks. */
export type DoorRule = (typeof doorRules)[number];

/** How the doorman keeps a door. */
export interface DoorSettings {
  readonly rule: DoorRule;
  /** A PIN of so many digits is entered with its last one; undefined: with `#`. */
  readonly pinLength: number | undefined;
  /** After so many wrong codes in a row the keypad is not listened to for so long. */
  readonly lockOut: { readonly count: number; readonly for: Milliseconds };
}

const kindsOf: Readonly<Record<DoorRule, readonly CredentialKind[]>> = {
  pin_or_card: ["pin", "card"],
  pin: ["pin"],
  card: ["card"],
  card_and_pin: ["card", "pin"],
};

/** No keypad entry is longer. */
export const mostDigits = 16;
/** So many at one door the decision is measured with (test/e2e/agent-doorman.test.ts). */
const most = 100_000;

/** What can open such a door: in place of what a lock's memory would take. */
export function doorLimits({ rule, pinLength }: Pick<DoorSettings, "rule" | "pinLength">): MemoryLimits {
  const lengths = pinLength === undefined ? [4, 5, 6, 7, 8, 9, 10, 11, 12] : [pinLength];
  const slots = { keyed: most };
  const pin: KindLimits = { slots, lengths, alphabet: "0123456789", rules: [] };
  const card: KindLimits = { slots, lengths: [], alphabet: "", rules: [] };
  return {
    kinds: new Map(kindsOf[rule].map((kind) => [kind, kind === "pin" ? pin : card])),
    ...(rule === "card_and_pin" ? { together: true } : {}),
    windows: "none",
    readBack: "none",
    cost: { read: "cheap", write: "cheap" },
  };
}

/** The first of two that are wanted together, while the second may still come. */
export interface Half {
  readonly credential: Credential;
  readonly until: Instant;
}
const secondWithin: Milliseconds = 10_000;

/** `ask`: what is to be decided on, by all of it. `wait`: there is one more to come. `refuse`: this door takes no such thing. */
export type Presented =
  | { readonly step: "ask"; readonly credentials: readonly Credential[] }
  | { readonly step: "wait"; readonly half: Half }
  | { readonly step: "refuse" };

/** Not where the clock was set back since: nobody knows then how long ago it was. */
const isAwaited = ({ until }: Half, now: Instant): boolean => now < until && until <= later(now, secondWithin);

/** @param half what was presented before, and is still to be completed. */
export function presented(credential: Credential, half: Half | undefined, rule: DoorRule, now: Instant): Presented {
  if (!kindsOf[rule].includes(credential.kind)) return { step: "refuse" };
  if (rule !== "card_and_pin") return { step: "ask", credentials: [credential] };
  const isSecond = half !== undefined && isAwaited(half, now) && half.credential.kind !== credential.kind;
  if (isSecond) return { step: "ask", credentials: [half.credential, credential] };
  return { step: "wait", half: { credential, until: later(now, secondWithin) } };
}
