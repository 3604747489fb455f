import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import { earliest } from "../domain/instant.ts";
import { type CredentialReceipt, credentialReceipt, emptyReceipt, type Reach } from "../domain/receipt.ts";
import type { DeviceGlance, GrantRecord, PlacementRecord, Records } from "./records.ts";

/** What is true of one credential of a person on a device. `stands`: what the person is granted there. */
export const placedLine = (
  { placement, since }: PlacementRecord,
  reach: Reach,
  stands: readonly GrantRecord[],
  lock: Pick<DeviceGlance, "breaker"> | undefined,
): CredentialReceipt =>
  credentialReceipt(placement, since, {
    reach,
    notBefore: lock?.breaker?.next,
    enforcedBy: enforcedBy(stands),
    opensAt: earliest(stands.map(({ opensAt }) => opensAt)),
  });

/** Why a person who is granted a device has nothing to open it with yet. */
export function missingLine(
  records: Pick<Records, "isChoiceDue">,
  of: { readonly identity: UserIdentityId; readonly device: DeviceId },
  stands: readonly GrantRecord[],
  lock: Pick<DeviceGlance, "breaker" | "answered"> | undefined,
): CredentialReceipt {
  if (!stands.some(({ inForce }) => inForce)) {
    return emptyReceipt("outside_window", earliest(stands.map(({ opensAt }) => opensAt)));
  }
  if (!lock?.answered) return emptyReceipt("abilities_unknown", lock?.breaker?.next);
  return emptyReceipt(records.isChoiceDue(of.identity, of.device) ? "queued" : "credential_needed");
}

/** Who sees to it that a code opens only when it may: the lock, which has it for always, or we, who take it away. */
const enforcedBy = (grants: readonly GrantRecord[]): "lock" | "agent" =>
  grants.some(({ inForce, accessGrantId }) => inForce && accessGrantId === undefined) ? "lock" : "agent";
