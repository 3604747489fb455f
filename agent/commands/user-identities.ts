import { z } from "zod";
import { command } from "./command.ts";
import { deviceObject } from "./device-object.ts";
import { keptBy } from "./kept.ts";
import { asOf, device, person, userIdentity } from "./parameters.ts";
import { deviceNotFound } from "./refusal.ts";
import { deviceShape } from "./shapes/device.ts";
import { noteAge } from "./stale.ts";

const pair = z.object({ user_identity_id: person, device_id: device, as_of: asOf.optional() });

export const userIdentities = [
  command({
    name: "user_identities/grant_access_to_device",
    parameters: pair,
    returns: {},
    doors: ["mqtt", "http", "local"],
    method: "PUT",
    kind: "writes",
    reveals: false,
    foretell: (records, { device_id: id, as_of: newness }) =>
      newness === undefined && records.isDevice(id) ? {} : undefined,
    act(records, { user_identity_id: identity, device_id: id, as_of: newness }, { now, touch }) {
      if (!records.isDevice(id)) throw deviceNotFound(id);
      noteAge("grant", records, { identity, device: id }, newness, now);
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
    returns: { still_granted_by: z.array(z.strictObject({ access_grant_id: z.string() })).optional() },
    doors: ["mqtt", "http", "local"],
    method: "DELETE",
    kind: "writes",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: id, as_of: newness }, { now, touch }) {
      // A device that left the configuration may still hold a code: a revoke is for the record, whatever is configured.
      const revoked = records.revokeDirect(identity, id);
      if (revoked) touch(id);
      else if (!records.isDevice(id)) throw deviceNotFound(id);
      // Also of what never was: a grant that this revoke has overtaken may still come.
      noteAge("revoke", records, { identity, device: id }, newness, now);
      const others = revoked ? keptBy(records, identity, id) : records.grants({ identity, device: id });
      const still = others.flatMap(({ accessGrantId: other }) =>
        other === undefined ? [] : [{ access_grant_id: other }],
      );
      return still.length > 0 ? { still_granted_by: still } : {};
    },
  }),
  command({
    name: "user_identities/list_accessible_devices",
    parameters: z.object({ user_identity_id: userIdentity }),
    returns: { devices: z.array(deviceShape), accessible_devices: z.array(deviceShape) },
    doors: ["mqtt", "http", "local"],
    method: "GET",
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
