import type { Branded } from "./brand.ts";
import type { Secret } from "./secret.ts";

/** What a person presents to a lock. */
export type Credential =
  | { readonly kind: "pin"; readonly digits: Secret }
  | { readonly kind: "card"; readonly format: string; readonly bits: Secret };

export type CredentialKind = Credential["kind"];
export const credentialKinds = ["pin", "card"] as const satisfies readonly CredentialKind[];

export type CredentialId = Branded<string, "CredentialId">;
/** Keyed hash (HMAC) of a credential, hex: equal credentials have equal fingerprints, and nothing else can be told from it. */
export type Fingerprint = Branded<string, "Fingerprint">;

export function sameCredential(a: Credential, b: Credential): boolean {
  switch (a.kind) {
    case "pin":
      return b.kind === "pin" && a.digits.equals(b.digits);
    case "card":
      return b.kind === "card" && a.format === b.format && a.bits.equals(b.bits);
  }
}

/** The secret part of a credential. */
export function secretOf(credential: Credential): Secret {
  switch (credential.kind) {
    case "pin":
      return credential.digits;
    case "card":
      return credential.bits;
  }
}
