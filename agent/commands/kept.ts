import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import type { GrantRecord, Records } from "./records.ts";

/** A grant was taken away: tells that another one still admits, where one does. Returns all that stand, in force or not. */
export function keptBy(
  records: Pick<Records, "grants" | "event">,
  identity: UserIdentityId,
  device: DeviceId,
): readonly GrantRecord[] {
  const others = records.grants({ identity, device });
  const inForce = others.filter((grant) => grant.inForce).map(nameOfGrant);
  if (inForce.length > 0) {
    records.event("access.kept", { user_identity_id: identity, device_id: device, still_granted_by: inForce });
  }
  return others;
}

/** As receipts and digests name it. */
export const nameOfGrant = ({ accessGrantId }: Pick<GrantRecord, "accessGrantId">): string => accessGrantId ?? "direct";
