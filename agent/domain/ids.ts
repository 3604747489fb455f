import { type Branded, branded } from "./brand.ts";

/** A person, as the cloud names them: 1 to 128 characters, opaque to us. */
export type UserIdentityId = Branded<string, "UserIdentityId">;
/** A door or lock, as the cloud names it. */
export type DeviceId = Branded<string, "DeviceId">;
export type PlacementId = Branded<string, "PlacementId">;
/** A grant for a time, as latchd names it. */
export type AccessGrantId = Branded<string, "AccessGrantId">;
/** A lock, as it names itself: `identity` of its abilities. Stays the same wherever the lock is taken. */
export type LockId = Branded<string, "LockId">;

export const userIdentityId = (id: string): UserIdentityId => branded<UserIdentityId>(id);
/** Whom nobody can be named. */
export const nobody: UserIdentityId = userIdentityId("");
export const deviceId = (id: string): DeviceId => branded<DeviceId>(id);
export const lockId = (identity: string): LockId => branded<LockId>(identity);
export const placementId = (id: string): PlacementId => branded<PlacementId>(id);
export const accessGrantId = (id: string): AccessGrantId => branded<AccessGrantId>(id);
