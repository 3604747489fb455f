import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { AsOf } from "../domain/as-of.ts";
import { accessGrantId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { aboutGrant, accessGrantObject, iso } from "./access-grant-object.ts";
import { command } from "./command.ts";
import { setOwnCredential } from "./credentials.ts";
import { heardOf } from "./device-scope.ts";
import { keptBy } from "./kept.ts";
import { accessGrant, asOf, device, digits, name, person, userIdentity } from "./parameters.ts";
import type { AccessGrant, AccessGrantRecord, AccessMode, Records } from "./records.ts";
import { deviceNotFound, Refused } from "./refusal.ts";
import { knownTime, noWindow, windowAfter, windowParameters } from "./schedule.ts";
import { accessGrantShape } from "./shapes/access-grant.ts";
import { noteAge } from "./stale.ts";

const mostDevices = 100;
const key = z.string().min(1).max(256);
// A person has one PIN: a code that would be set for a card, or two of them, is a mistake that nobody would notice.
const method = z
  .object({ mode: z.enum(["code", "card", "mobile_key", "cloud_key"]), code: digits.optional() })
  .refine(({ mode, code }) => mode !== "card" || code === undefined, {
    path: ["code"],
    error: 'Is for the mode "code"; bring a card with credentials/set',
  });

const create = z.object({
  user_identity_id: person,
  device_ids: z
    .array(device)
    .min(1, "Must name a device")
    .max(mostDevices)
    .refine((ids) => new Set(ids).size === ids.length, "Names a device twice"),
  requested_access_methods: z
    .array(method)
    .min(1)
    .max(10)
    .refine((methods) => methods.filter(({ code }) => code !== undefined).length <= 1, "Must name at most one code")
    .default([{ mode: "code" }]),
  access_grant_key: key.optional(),
  name: name.nullish(),
  ...windowParameters,
  allow_external_modification: z.boolean().default(false),
  as_of: asOf.optional(),
});

const which = { access_grant_id: accessGrant.optional(), access_grant_key: key.optional() };
const oneOf = z
  .object(which)
  .refine((by) => (by.access_grant_id === undefined) !== (by.access_grant_key === undefined), oneOfTheTwo());

const erase = z
  .object({ ...which, as_of: asOf.optional() })
  .refine((by) => (by.access_grant_id === undefined) !== (by.access_grant_key === undefined), oneOfTheTwo());

/** What an update cannot change, and what to do instead. */
const fixed: Readonly<Record<string, string>> = {
  device_ids: "delete it, and create one with the other devices",
  user_identity_id: "delete it, and create one for the other person",
  user_identity: "delete it, and create one for the other person",
  requested_access_methods: "set the person's own code with credentials/set",
  allow_external_modification: "delete it, and create another",
  acs_entrance_ids: "this agent has devices only",
  space_ids: "this agent has devices only",
  space_keys: "this agent has devices only",
  reservation_key: "use access_grant_key, from the start",
  customization_profile_id: "this agent has no such profiles",
};
const update = z
  .object({ ...which, ...windowParameters, name: name.nullish(), as_of: asOf.optional(), ...unchangeable() })
  .refine((by) => (by.access_grant_id === undefined) !== (by.access_grant_key === undefined), oneOfTheTwo());

export const accessGrants = [
  command({
    name: "access_grants/create",
    parameters: create,
    returns: { access_grant: accessGrantShape },
    doors: ["mqtt", "http", "local"],
    kind: "writes",
    reveals: false,
    reachesFurther: ({ requested_access_methods: methods }) => methods.some(({ code }) => code !== undefined),
    act(records, given, { now, agent, touch }) {
      for (const one of given.device_ids) if (!records.isDevice(one)) throw deviceNotFound(one);
      const modes = given.requested_access_methods.map(({ mode }) => supported(mode));
      const grant: AccessGrant = {
        id: accessGrantId(randomUUID()),
        identity: given.user_identity_id,
        key: given.access_grant_key,
        name: given.name ?? undefined,
        window: windowAfter({ ...given, starts_at: given.starts_at ?? null }, noWindow, knownTime({ now, agent })),
        allowsExternalChanges: given.allow_external_modification,
        modes,
        createdAt: now,
      };
      if (grant.key !== undefined && records.accessGrant({ key: grant.key })) throw keyTaken();
      noteAges("grant", records, { ...grant, devices: given.device_ids }, given.as_of, now);
      records.createAccessGrant(grant, given.device_ids);
      for (const code of given.requested_access_methods.flatMap((each) => each.code ?? [])) {
        setOwnCredential(records, grant.identity, { kind: "pin", digits: code }, touch);
      }
      records.event("access_grant.created", aboutGrant(grant));
      for (const on of given.device_ids) {
        const nothingYet = { credential_kind: null, evidence: null, reason: null, access_grant_id: grant.id };
        records.event("access.accepted", { user_identity_id: grant.identity, device_id: on, ...nothingYet });
        touch(on);
      }
      return { access_grant: accessGrantObject({ ...grant, devices: given.device_ids }, records, now) };
    },
  }),
  command({
    name: "access_grants/get",
    parameters: oneOf,
    returns: { access_grant: accessGrantShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records, by, { now }) => ({ access_grant: accessGrantObject(find(records, by), records, now) }),
  }),
  command({
    name: "access_grants/list",
    parameters: z.object({
      user_identity_id: userIdentity.optional(),
      device_id: device.optional(),
      access_grant_key: key.optional(),
    }),
    returns: { access_grants: z.array(accessGrantShape) },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, { user_identity_id: identity, device_id: on, access_grant_key: named }, context) {
      const found = records.accessGrants({ identity, device: on });
      return {
        access_grants: found
          .filter(({ key: its }) => named === undefined || its === named)
          .map((grant) => ({ ...grant, devices: heardOf(grant.devices, context) }))
          .map((grant) => accessGrantObject(grant, records, context.now)),
      };
    },
  }),
  command({
    name: "access_grants/update",
    parameters: update,
    returns: { access_grant: accessGrantShape },
    doors: ["mqtt", "http", "local"],
    method: "PATCH",
    kind: "writes",
    reveals: false,
    act(records, given, { now, agent, touch }) {
      const { devices, ...before } = find(records, given);
      noteAges("grant", records, { ...before, devices }, given.as_of, now);
      const { window: was } = before;
      const grant: AccessGrant = {
        ...before,
        name: given.name === undefined ? before.name : (given.name ?? undefined),
        window: windowAfter(given, was, knownTime({ now, agent })),
      };
      records.updateAccessGrant(grant);
      if (JSON.stringify(grant.window) !== JSON.stringify(was)) {
        const { startsAt, endsAt } = grant.window;
        const times = { starts_at: iso(startsAt), ends_at: iso(endsAt) };
        records.event("access_grant.access_times_changed", { ...aboutGrant(grant), ...times });
      }
      for (const on of devices) touch(on);
      return { access_grant: accessGrantObject({ ...grant, devices }, records, now) };
    },
  }),
  command({
    name: "access_grants/delete",
    parameters: erase,
    returns: {},
    doors: ["mqtt", "http", "local"],
    method: "DELETE",
    kind: "writes",
    reveals: false,
    act(records, by, { now, touch }) {
      const grant = find(records, by);
      noteAges("revoke", records, grant, by.as_of, now);
      const applied = new Set(
        records
          .grants({ identity: grant.identity })
          .flatMap((each) => (each.accessGrantId === grant.id ? [each.device] : [])),
      );
      records.deleteAccessGrant(grant.id);
      records.event("access_grant.deleted", aboutGrant(grant));
      for (const on of applied) {
        keptBy(records, grant.identity, on);
        touch(on);
      }
      return {};
    },
  }),
];

function supported(mode: z.infer<typeof method>["mode"]): AccessMode {
  if (mode === "code" || mode === "card") return mode;
  throw new Refused("not_supported", `This agent has no ${mode}: ask for the mode "code" or "card"`);
}

/** Members that are refused, with what to do instead. */
function unchangeable(): Readonly<Record<string, z.ZodOptional<z.ZodNever>>> {
  return Object.fromEntries(
    Object.entries(fixed).map(([field, instead]) => [field, z.never(`Cannot be changed: ${instead}`).optional()]),
  );
}

/** Of one that says nothing of its age nothing is noted: it is one grant of its pairs, and there may be others. */
function noteAges(
  kind: "grant" | "revoke",
  records: Records,
  { identity, devices }: Pick<AccessGrantRecord, "identity" | "devices">,
  age: AsOf | undefined,
  now: Instant,
): void {
  if (age === undefined) return;
  for (const on of devices) noteAge(kind, records, { identity, device: on }, age, now);
}

function find(
  records: Records,
  by: { readonly access_grant_id?: AccessGrant["id"] | undefined; readonly access_grant_key?: string | undefined },
): AccessGrantRecord {
  const found =
    by.access_grant_id === undefined
      ? records.accessGrant({ key: by.access_grant_key ?? "" })
      : records.accessGrant({ id: by.access_grant_id });
  if (!found) throw new Refused("access_grant_not_found", "There is no such access grant, or it was deleted", 404);
  return found;
}

const keyTaken = (): Refused =>
  new Refused("access_grant_key_in_use", "There is an access grant with this access_grant_key already", 409);

function oneOfTheTwo(): { path: string[]; error: string } {
  return { path: ["access_grant_id"], error: "Give either access_grant_id or access_grant_key" };
}
