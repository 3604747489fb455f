import { randomUUID } from "node:crypto";
import { z } from "zod";
import { userIdentityId } from "../domain/ids.ts";
import { toIso } from "../domain/instant.ts";
import { aboutGrant } from "./access-grant-object.ts";
import { command } from "./command.ts";
import { pageOf, pageParameters } from "./page.ts";
import { moment, plainText, userIdentity } from "./parameters.ts";
import type { Records, UserIdentity } from "./records.ts";
import { Refused } from "./refusal.ts";
import { paginationShape } from "./shapes/pagination.ts";
import { userIdentityShape } from "./shapes/user-identity.ts";
import { noteAge } from "./stale.ts";

/** What may be said of a person. Null takes it away. */
const profile = {
  user_identity_key: plainText.nullish(),
  full_name: plainText.nullish(),
  email_address: z.email().max(254).nullish(),
  phone_number: z
    .string()
    .regex(/^\+[1-9]\d{1,14}$/, "Must be a number as E.164 has it, such as +15555550100")
    .nullish(),
};
type Profile = z.output<z.ZodObject<typeof profile>>;

const oneOf = z
  .object({ user_identity_id: userIdentity.optional(), user_identity_key: plainText.optional() })
  .refine((by) => (by.user_identity_id === undefined) !== (by.user_identity_key === undefined), {
    path: ["user_identity_id"],
    error: "Give either user_identity_id or user_identity_key",
  });

/** The commands on people themselves; what they may open is in `user-identities.ts`. */
export const people = [
  command({
    name: "user_identities/create",
    parameters: z.object({
      ...profile,
      acs_system_ids: z.array(z.string()).max(0, "This agent has no access systems, only devices").optional(),
    }),
    returns: { user_identity: userIdentityShape },
    doors: ["mqtt", "http", "local"],
    kind: "writes",
    reveals: false,
    act(records, given, { now }) {
      const nobody = { id: userIdentityId(randomUUID()), createdAt: now, deletedAt: undefined };
      const identity = withProfile({ ...nobody, ...unsaid }, given);
      put(records, identity);
      return { user_identity: identityObject(identity, records) };
    },
  }),
  command({
    name: "user_identities/get",
    parameters: oneOf,
    returns: { user_identity: userIdentityShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records, { user_identity_id: id, user_identity_key: key = "" }) => ({
      user_identity: identityObject(find(records, id === undefined ? { key } : { id }), records),
    }),
  }),
  command({
    name: "user_identities/list",
    parameters: z.object({
      user_identity_ids: z.array(userIdentity).max(500).optional(),
      search: z.string().max(256).optional(),
      created_before: moment.optional(),
      ...pageParameters,
    }),
    returns: { user_identities: z.array(userIdentityShape), pagination: paginationShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act(records, asked) {
      const { user_identity_ids: ids, search, created_before: before } = asked;
      const found = records
        .userIdentities()
        .filter(({ id }) => ids === undefined || ids.includes(id))
        .filter(({ createdAt }) => before === undefined || createdAt < before)
        .filter((identity) => search === undefined || isAbout(identity, search.toLowerCase()));
      const { page, pagination } = pageOf(found, asked);
      return { user_identities: page.map((identity) => identityObject(identity, records)), pagination };
    },
  }),
  command({
    name: "user_identities/update",
    parameters: z.object({ user_identity_id: userIdentity, ...profile }),
    returns: {},
    doors: ["mqtt", "http", "local"],
    method: "PATCH",
    kind: "writes",
    reveals: false,
    act(records, { user_identity_id: id, ...given }) {
      const identity = find(records, { id });
      // Nothing is kept any more of who is being deleted, and nothing is to be kept anew.
      if (identity.deletedAt !== undefined) throw notFound();
      put(records, withProfile(identity, given));
      return {};
    },
  }),
  command({
    name: "user_identities/delete",
    parameters: z.object({ user_identity_id: userIdentity }),
    returns: {},
    doors: ["mqtt", "http", "local"],
    method: "DELETE",
    kind: "writes",
    reveals: false,
    act(records, { user_identity_id: identity }, { now, touch }) {
      find(records, { id: identity });
      const granted = new Set(records.grants({ identity }).map(({ device }) => device));
      for (const grant of records.accessGrants({ identity })) {
        records.deleteAccessGrant(grant.id);
        records.event("access_grant.deleted", aboutGrant(grant));
      }
      for (const device of granted) {
        records.revokeDirect(identity, device);
        noteAge("revoke", records, { identity, device }, undefined, now);
        touch(device);
      }
      records.eraseUserIdentity(identity);
      return {};
    },
  }),
];

const unsaid = { key: undefined, fullName: undefined, email: undefined, phone: undefined };

/** What is not named stays. */
function withProfile(before: UserIdentity, given: Profile): UserIdentity {
  const { user_identity_key: key, full_name: fullName, email_address: email, phone_number: phone } = given;
  return {
    ...before,
    key: after(key, before.key),
    fullName: after(fullName, before.fullName),
    email: after(email, before.email),
    phone: after(phone, before.phone),
  };
}

const after = <T>(said: T | null | undefined, was: T | undefined): T | undefined =>
  said === undefined ? was : (said ?? undefined);

function put(records: Records, identity: UserIdentity): void {
  const [taken] = records.takenOf(identity);
  if (taken) throw new Refused(`${taken}_in_use`, `Another user identity has this ${taken} already`, 409);
  records.putUserIdentity(identity);
}

function find(records: Records, by: Parameters<Records["userIdentity"]>[0]): UserIdentity {
  const found = records.userIdentity(by);
  if (!found) throw notFound();
  return found;
}

const notFound = (): Refused =>
  new Refused("user_identity_not_found", "There is no such user identity, or it was deleted", 404);

const isAbout = ({ id, key, fullName, email, phone }: UserIdentity, text: string): boolean =>
  [id, key, fullName, email, phone].some((said) => said?.toLowerCase().includes(text));

/** In Seam's shape (reference: seam-api, section 1). */
function identityObject(identity: UserIdentity, records: Pick<Records, "workspaceId">): object {
  const { id, key, fullName, email, phone, createdAt, deletedAt } = identity;
  return {
    user_identity_id: id,
    workspace_id: records.workspaceId,
    user_identity_key: key ?? null,
    display_name: fullName ?? email ?? phone ?? key ?? id,
    full_name: fullName ?? null,
    email_address: email ?? null,
    phone_number: phone ?? null,
    acs_user_ids: [],
    created_at: toIso(createdAt),
    errors: [],
    warnings: deletedAt === undefined ? [] : [beingDeleted(toIso(deletedAt))],
  };
}

const beingDeleted = (since: string): object => ({
  warning_code: "being_deleted",
  message: "It was deleted, and something of it is not proven gone from a lock yet",
  created_at: since,
});
