import { createHash } from "node:crypto";
import { type Branded, branded } from "./brand.ts";
import type { CredentialId } from "./credential.ts";
import { type AccessGrantId, accessGrantId, type DeviceId, type UserIdentityId, userIdentityId } from "./ids.ts";
import type { Placement } from "./placement.ts";

/** A PIN on one device, as Seam's API names it. */
export type AccessCodeId = Branded<string, "AccessCodeId">;

export const accessCodeId = (id: string): AccessCodeId => branded<AccessCodeId>(id);

const prefix = "access_code:";
/** The identity of an access code that was made by itself: nobody. */
export const identityOfCode = (id: AccessCodeId): UserIdentityId => userIdentityId(`${prefix}${id}`);
/** Undefined of a person. */
export const codeOfIdentity = (identity: UserIdentityId): AccessCodeId | undefined =>
  identity.startsWith(prefix) ? accessCodeId(identity.slice(prefix.length)) : undefined;
/** An access code has an identity of its own, which is nobody. */
export const isPerson = (identity: UserIdentityId): boolean => codeOfIdentity(identity) === undefined;
/** The grant of an access code has the same id. */
export const grantOfCode = (id: AccessCodeId): AccessGrantId => accessGrantId(id);

/** The name space of the ids of PINs that are on a device for a grant: drawn once, and never to be changed. */
const space = Buffer.from("0c9c7c1e4f7e4b0a9d0b6a3f52d1c8e7", "hex");

/** Of a PIN that is on a device for a person's grants: UUIDv5 (RFC 9562, 5.5) of the two, the same each time. */
export function codeOnDevice(credential: CredentialId, device: DeviceId): AccessCodeId {
  const hash = createHash("sha1").update(space).update(`${credential}\t${device}`).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return accessCodeId(parts.join("-"));
}

/** The access code that a placement is of; undefined where it is no PIN. */
export function codeOf({
  identity,
  credential,
  device,
  kind,
}: Pick<Placement, "identity" | "credential" | "device" | "kind">): AccessCodeId | undefined {
  if (kind !== "pin") return undefined;
  return codeOfIdentity(identity) ?? codeOnDevice(credential, device);
}
