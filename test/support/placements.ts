import { branded } from "../../agent/domain/brand.ts";
import type { CredentialId, Fingerprint } from "../../agent/domain/credential.ts";
import { deviceId, lockId, placementId, userIdentityId } from "../../agent/domain/ids.ts";
import { newPlacement, type Placement } from "../../agent/domain/placement.ts";

/** A placement of a person's only PIN on the only lock. */
export const placementOf = (person: string, of: Partial<Placement> = {}): Placement => ({
  ...newPlacement({
    id: placementId(`p-${person}`),
    device: deviceId("d"),
    lock: lockId("l"),
    identity: userIdentityId(person),
    credential: branded<CredentialId>(`c-${person}`),
    kind: "pin",
    fingerprint: branded<Fingerprint>(`f-${person}`),
  }),
  ...of,
});
