import { type Credential, sameCredential } from "../../agent/domain/credential.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotContents, type SlotName, slotName } from "../../agent/domain/slot.ts";
import type { WriteOutcome } from "../driver.ts";

/*
 * What goes to and comes from a lock with the command class User Code, in the terms of zwave-js. Pure.
 */

/** `UserIDStatus`. */
export const userStatus = {
  available: 0,
  enabled: 1,
  disabled: 2,
  messaging: 3,
  passage: 4,
  notAvailable: 254,
} as const;

export const slotOf = (user: number): SlotName => slotName(String(user));
/** The lock's number of a slot: undefined where it is no such number. There is no slot 0: it stands for all of them. */
export const userOf = (slot: SlotName): number | undefined =>
  /^[1-9]\d{0,4}$/.test(slot) && Number(slot) <= 0xffff ? Number(slot) : undefined;

/** What a lock says of one slot. */
export interface UserCodeAnswer {
  readonly userIdStatus: number;
  readonly userCode?: string | Uint8Array | undefined;
}

/** What the lock says is in a slot. Stars, and whatever else is no digits: some code, it will not say which. */
export function contentsOf({ userIdStatus: status, userCode: code }: UserCodeAnswer): SlotContents {
  if (status === userStatus.available) return { state: "empty" };
  if (status === userStatus.notAvailable) return { state: "unreadable" };
  const opens = status === userStatus.enabled || status === userStatus.passage;
  const off = opens ? {} : { disabled: true };
  return typeof code === "string" && /^\d+$/.test(code)
    ? { state: "known", credential: { kind: "pin", digits: new Secret(code) }, ...off }
    : { state: "opaque", ...off };
}

/** Whether an answer shows that the lock says codes, or that it hides them: undefined where it shows neither. */
export function saysCodes(answer: UserCodeAnswer): boolean | undefined {
  const contents = contentsOf(answer);
  return contents.state === "known" ? true : contents.state === "opaque" ? false : undefined;
}

/**
 * What was heard of a command before the slot was read. `yes`, `no`: the lock's own word, by Supervision. `delivered`: its
 * radio has acknowledged, and the lock has no way to say more. `silent`: it has, and did not.
 */
export type Word = "yes" | "no" | "delivered" | "silent";

/** `SupervisionStatus`: 0 no support, 1 working, 2 fail, 255 success. */
export function wordOf(result: { readonly status: number } | undefined, isSupervised: boolean): Word {
  if (!result) return isSupervised ? "silent" : "delivered";
  if (result.status === 255) return "yes";
  return result.status === 2 ? "no" : "silent";
}

/** All that is known of a write when it is over. */
export interface Written {
  readonly slot: SlotName;
  readonly sent: Credential & { readonly kind: "pin" };
  readonly word: Word;
  /** What the slot was read to hold afterwards: undefined where that was not answered. */
  readonly now: SlotContents | undefined;
  readonly wasEmpty: boolean;
  /** Whether it was sent as a code that does not open. Absent: it opens. */
  readonly isSuspended?: boolean;
  /** The lock has told meanwhile that it has the code already. */
  readonly isDuplicate: boolean;
}

export function writeOutcome(written: Written): WriteOutcome {
  const { slot, sent, word, now, wasEmpty, isDuplicate, isSuspended = false } = written;
  const unconfirmed: WriteOutcome = { result: "unconfirmed", slot };
  const refused = (reason: "invalid" | "forbidden", detail: string): WriteOutcome =>
    isDuplicate ? { result: "refused", reason: "duplicate" } : { result: "refused", reason, detail };
  if (word === "no") return refused("invalid", "the lock refused it");
  // What is there, and does not open as it should, is neither stored nor refused; nor is what opens and should not.
  if (!now || now.state === "unreadable" || (now.state !== "empty" && isOff(now) !== isSuspended)) return unconfirmed;
  // A lock that was silent may still carry it out.
  const orLater = (outcome: WriteOutcome): WriteOutcome => (word === "silent" && !isDuplicate ? unconfirmed : outcome);
  switch (now.state) {
    case "empty":
      return orLater(refused("invalid", "the lock did not keep it"));
    case "opaque":
      if (wasEmpty) return { result: "stored", slot, proof: "read_back_masked" };
      return orLater({ result: "stored", slot, proof: "acknowledged" });
    case "known":
      return sameCredential(now.credential, sent)
        ? { result: "stored", slot, proof: "read_back" }
        : orLater(refused("forbidden", "the lock keeps another code there"));
  }
}

const isOff = (contents: SlotContents): boolean => "disabled" in contents && (contents.disabled ?? false);

/** After a clear only the lock's word that the slot is empty counts. */
export const clearOutcome = (slot: SlotName, now: SlotContents | undefined): WriteOutcome =>
  now?.state === "empty" ? { result: "stored", slot, proof: "read_back" } : { result: "unconfirmed", slot };
