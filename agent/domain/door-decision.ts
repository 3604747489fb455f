import { type AccessCodeId, codeOf } from "./access-code.ts";
import type { CredentialKind } from "./credential.ts";
import type { UserIdentityId } from "./ids.ts";
import type { Placement } from "./placement.ts";

/** Who has presented something at a door, and what: told in events. */
export interface Presenter {
  readonly identity: UserIdentityId;
  readonly kind: CredentialKind;
  /** Of a PIN: as which Seam's API knows it. */
  readonly code: AccessCodeId | undefined;
}

/** Why somebody is not let in. */
export type DenyReason =
  | "unknown_code"
  | "not_begun"
  | "outside_schedule"
  | "expired_code"
  | "duplicate_code"
  | "wrong_pair"
  | "kind_not_accepted"
  | "too_many_attempts"
  | "stale"
  | "too_late";

export type DoorDecision =
  | { readonly decision: "admit"; readonly presenter: Presenter }
  | { readonly decision: "deny"; readonly reason: DenyReason; readonly presenter: Presenter | undefined };

export const presenterOf = (placement: Pick<Placement, "identity" | "credential" | "device" | "kind">): Presenter => ({
  identity: placement.identity,
  kind: placement.kind,
  code: codeOf(placement),
});

/**
 * Several presented together: each has to admit, and all have to be of one person. A card opens more than the PIN that goes
 * with it: it is what names them.
 */
export function together(decisions: readonly DoorDecision[]): DoorDecision {
  const denied = decisions.find(({ decision }) => decision === "deny");
  if (denied) return denied;
  const presenters = decisions.flatMap(({ presenter }) => presenter ?? []);
  const named = presenters.find(({ kind }) => kind === "card") ?? presenters[0];
  if (!named) return { decision: "deny", reason: "unknown_code", presenter: undefined };
  const isOne = presenters.every(({ identity }) => identity === named.identity);
  return isOne
    ? { decision: "admit", presenter: named }
    : { decision: "deny", reason: "wrong_pair", presenter: undefined };
}

/** In the fields of an event, as Seam's API and ours have them. */
export const presenterFields = (presenter: Presenter | undefined): Readonly<Record<string, unknown>> => ({
  connected_account_id: null,
  user_identity_id: presenter?.identity ?? null,
  credential_kind: presenter?.kind ?? null,
  slot: null,
  ...(presenter?.code === undefined ? {} : { access_code_id: presenter.code, access_code_is_managed: true }),
});

/** In Seam's words (reference: seam-api, section 4). */
export const methodOf = (presenter: Presenter | undefined): string =>
  presenter === undefined ? "remote" : presenter.kind === "pin" ? "keycode" : "card";
