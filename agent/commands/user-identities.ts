import { z } from "zod";
import { command } from "./command.ts";
import { deviceObject } from "./device-object.ts";
import { device, userIdentity } from "./parameters.ts";
import { deviceNotFound } from "./refusal.ts";

const pair = z.object({ user_identity_id: userIdentity, device_id: device });

export const userIdentities = [
  command({
    name: "user_identities/grant_access_to_device",
    parameters: pair,
    doors: ["mqtt", "local"],
    kind: "writes",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: id }, { touch }) {
      if (!records.isDevice(id)) throw deviceNotFound(id);
      if (records.grantDirect(identity, id)) {
        const nothingYet = { credential_kind: null, evidence: null, reason: null };
        records.event("access.accepted", { user_identity_id: identity, device_id: id, ...nothingYet });
        touch(id);
      }
      return {};
    },
  }),
  command({
    name: "user_identities/revoke_access_to_device",
    parameters: pair,
    doors: ["mqtt", "local"],
    kind: "writes",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: id }, { touch }) {
      // A device that left the configuration may still hold a code: a revoke is for the record, whatever is configured.
      const revoked = records.revokeDirect(identity, id);
      if (revoked) touch(id);
      else if (!records.isDevice(id)) throw deviceNotFound(id);
      return {};
    },
  }),
  command({
    name: "user_identities/list_accessible_devices",
    parameters: z.object({ user_identity_id: userIdentity }),
    doors: ["mqtt", "local"],
    kind: "reads",
    reveals: false,
    act(records, { user_identity_id: identity }) {
      const granted = new Set(records.grants({ identity }).map((grant) => grant.device));
      const devices = records
        .devices()
        .filter(({ id }) => granted.has(id))
        .map((record) => deviceObject(record, records));
      return { devices, accessible_devices: devices };
    },
  }),
];
