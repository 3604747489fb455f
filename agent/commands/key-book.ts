import type { Instant } from "../domain/instant.ts";
import type { Secret } from "../domain/secret.ts";
import type { Scope } from "./scope.ts";

/** What a program shows at the HTTP door. A token is the same with a header beside it that names the workspace. */
export type KeyKind = "api_key" | "personal_access_token";

/** A key without its secret. */
export interface KeyRecord {
  /** Also the part of the key that is no secret, so that who has it can find it in the list. */
  readonly id: string;
  readonly kind: KeyKind;
  readonly name: string | undefined;
  readonly scope: Scope;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
  readonly revokedAt: Instant | undefined;
}

/** The keys of the HTTP door. Every method runs inside the transaction of the command. */
export interface KeyBook {
  /** Makes a key; what it is can be told now, and never again. */
  create(of: Pick<KeyRecord, "kind" | "name" | "scope" | "expiresAt">): { readonly id: string; readonly key: Secret };
  /** Newest first; revoked ones too. */
  all(): readonly KeyRecord[];
  /** False where there is none of that id. Whoever revokes twice has revoked. */
  revoke(id: string): boolean;
}
