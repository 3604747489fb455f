import type { AccessCodeId } from "../domain/access-code.ts";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import type { EventFields } from "./records.ts";

/** What every event of an access code says. */
export const codeFields = (id: AccessCodeId, identity: UserIdentityId, device: DeviceId): EventFields => ({
  access_code_id: id,
  device_id: device,
  connected_account_id: null,
  user_identity_id: identity,
});
