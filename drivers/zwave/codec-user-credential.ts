import { Secret } from "../../agent/domain/secret.ts";
import type { SlotContents } from "../../agent/domain/slot.ts";
import type { WriteOutcome } from "../driver.ts";
import type { Word } from "./codec-user-code.ts";

/*
 * What goes to and comes from a lock with the command class User Credential, in the terms of zwave-js. Pure.
 */

/** `UserCredentialType`. */
export const pinCode = 1;
/** `UserCredentialModifierType`: who changed a user or a credential last. */
export const modifier = { doesNotExist: 0, unknown: 1, zwave: 2, locally: 3 } as const;

/** What a lock reports of a user. */
export interface UserReport {
  readonly reportType: number;
  readonly userId: number;
  /** Whether the user's codes open. */
  readonly active?: boolean | undefined;
  readonly modifierType: number;
  readonly nextUserId?: number | undefined;
}
/** What a lock reports of a credential. */
export interface CredentialReport {
  readonly reportType: number;
  readonly userId: number;
  readonly credentialType: number;
  readonly credentialSlot: number;
  readonly credentialData?: Uint8Array | undefined;
  readonly modifierType: number;
  readonly nextCredentialType?: number | undefined;
  readonly nextCredentialSlot?: number | undefined;
}

export const exists = ({ modifierType }: { readonly modifierType: number }): boolean =>
  modifierType !== modifier.doesNotExist;

/** What is in a credential's slot, and its user's. A lock that keeps only a hash, or says nothing of it: some code. */
export function credentialContents(report: CredentialReport, user: UserReport): SlotContents {
  if (!exists(report)) return { state: "empty" };
  const text = Buffer.from(report.credentialData ?? []).toString("utf8");
  const isOff = exists(user) && user.userId === report.userId && user.active === false;
  const off = isOff ? { disabled: true } : {};
  return /^\d+$/.test(text)
    ? { state: "known", credential: { kind: "pin", digits: new Secret(text) }, ...off }
    : { state: "opaque", ...off };
}

type Refused = Extract<WriteOutcome, { result: "refused" }>;

/** The lock's word on adding or changing a user (`UserCredentialUserReportType`). */
export function userWord(report: UserReport | undefined): Word | Refused {
  switch (report?.reportType) {
    case undefined:
      return "silent";
    case 0: // added
    case 1: // modified
    case 3: // unchanged
      return "yes";
    case 5: // occupied
      return { result: "refused", reason: "forbidden", detail: "the owner has a user there" };
    default:
      return { result: "refused", reason: "invalid", detail: "the lock did not take the user" };
  }
}

/** The lock's word on a credential (`UserCredentialCredentialReportType`). */
export function credentialWord(report: CredentialReport | undefined): Word | Refused {
  switch (report?.reportType) {
    case undefined:
      return "silent";
    case 0: // added
    case 1: // modified
    case 3: // unchanged
      return "yes";
    case 7:
      return { result: "refused", reason: "duplicate" };
    case 10:
      return { result: "refused", reason: "duplicate", detail: "it is the lock's admin code" };
    case 8:
      return { result: "refused", reason: "invalid", detail: "the maker's rules for codes" };
    case 5: // occupied
      return { result: "refused", reason: "forbidden", detail: "the slot is the owner's" };
    case 9:
      return { result: "refused", reason: "invalid", detail: "the lock did not keep the user" };
    default:
      // Told to change what is no longer there, or something new: reading the slot says what is so.
      return "silent";
  }
}
