import type { AccessCodeId } from "../domain/access-code.ts";
import type { CodeStatus } from "../domain/access-code-status.ts";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import type { EventFields } from "./records.ts";

/** What every event of an access code says. */
export const codeFields = (id: AccessCodeId, identity: UserIdentityId, device: DeviceId): EventFields => ({
  access_code_id: id,
  device_id: device,
  connected_account_id: null,
  user_identity_id: identity,
});

/** What Seam's events of trouble have beside: nobody else is at fault. */
export const troublesOf = ({ errors, warnings }: Pick<CodeStatus, "errors" | "warnings">): object => ({
  access_code_errors: errors,
  access_code_warnings: warnings,
  device_errors: [],
  device_warnings: [],
  connected_account_errors: [],
  connected_account_warnings: [],
});
