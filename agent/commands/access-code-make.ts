import { randomUUID } from "node:crypto";
import { type AccessCodeId, accessCodeId, grantOfCode, identityOfCode } from "../domain/access-code.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Secret } from "../domain/secret.ts";
import { codeFields } from "./access-code-events.ts";
import { type Said, timesAfter } from "./access-code-parameters.ts";
import type { Context } from "./command.ts";
import { setOwnCredential } from "./credentials.ts";
import type { AccessCodeRecord, AccessGrant, Records } from "./records.ts";
import { deviceNotFound, Refused } from "./refusal.ts";
import { knownTime, noWindow } from "./schedule.ts";

/** A device that takes codes, as far as is known. */
export function requireKeypad(records: Records, device: DeviceId): void {
  const found = records.device(device);
  if (!found) throw deviceNotFound(device);
  if ((found.abilities ?? found.limits) && !found.limits?.kinds.has("pin")) {
    throw new Refused("device_type_not_supported", `The lock of ${JSON.stringify(device)} takes no codes`);
  }
}

/**
 * Makes an access code on a device: a grant of nobody, with a credential of its own.
 *
 * @param digits undefined: a PIN is issued for it, when the lock has said what it takes.
 */
export function makeCode(
  records: Records,
  device: DeviceId,
  digits: Secret | undefined,
  said: Said,
  context: Context,
): AccessCodeRecord {
  const id = accessCodeId(randomUUID());
  const { allow_external_modification: allowed, is_external_modification_allowed: isAllowed } = said;
  const grant: AccessGrant = {
    id: grantOfCode(id),
    identity: identityOfCode(id),
    key: undefined,
    name: said.name ?? undefined,
    window: timesAfter(said, noWindow, knownTime(context)),
    allowsExternalChanges: allowed ?? isAllowed ?? false,
    modes: ["code"],
    createdAt: context.now,
    ...(said.common_code_key == null ? {} : { commonCodeKey: said.common_code_key }),
  };
  records.createAccessGrant(grant, [device]);
  if (digits) setCode(records, id, device, digits, context.touch);
  records.event("access_code.created", codeFields(id, grant.identity, device));
  const nothingYet = { credential_kind: null, evidence: null, reason: null, access_grant_id: grant.id };
  records.event("access.accepted", { user_identity_id: grant.identity, device_id: device, ...nothingYet });
  context.touch(device);
  return { id, grant, device, isDeleted: false };
}

/** @throws Refused where somebody else has the code there, or the lock cannot take it: then nothing is changed. */
export function setCode(
  records: Records,
  id: AccessCodeId,
  device: DeviceId,
  digits: Secret,
  touch: Context["touch"],
): void {
  const credential = { kind: "pin", digits } as const;
  const identity = identityOfCode(id);
  if (records.isCodeTaken(device, credential, identity)) {
    throw new Refused("duplicate_access_code", "That code is in use on this device", 409, {
      data: { device_id: device },
    });
  }
  setOwnCredential(records, identity, credential, touch);
}
