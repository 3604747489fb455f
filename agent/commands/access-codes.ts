import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type AccessCodeId, accessCodeId } from "../domain/access-code.ts";
import type { DeviceId } from "../domain/ids.ts";
import { misfit } from "../domain/pin.ts";
import type { Secret } from "../domain/secret.ts";
import { codeFields } from "./access-code-events.ts";
import { makeCode, requireKeypad, setCode } from "./access-code-make.ts";
import { type AccessCode, accessCodeObjects, accessCodes as allCodes, ownCode } from "./access-code-object.ts";
import { codeDigits, createOne, createSeveral, timesAfter, update } from "./access-code-parameters.ts";
import { type Context, command } from "./command.ts";
import { mayTell } from "./device-scope.ts";
import { pageOf, pageParameters } from "./page.ts";
import { accessGrant, device, plainText, userIdentity } from "./parameters.ts";
import type { AccessCodeRecord, AccessGrant, Records } from "./records.ts";
import { Refused } from "./refusal.ts";
import { knownTime } from "./schedule.ts";
import { accessCodeShape } from "./shapes/access-code.ts";
import { paginationShape } from "./shapes/pagination.ts";

const one = z.object({ access_code_id: plainText });
/** By its id, or by what it is and where. */
const which = z
  .object({ access_code_id: plainText.optional(), device_id: device.optional(), code: codeDigits.optional() })
  .refine((by) => by.access_code_id !== undefined || (by.device_id !== undefined && by.code !== undefined), {
    path: ["access_code_id"],
    error: "Give access_code_id, or device_id and code",
  });
const some = z.object({
  device_id: device.optional(),
  access_code_ids: z.array(plainText).max(500).optional(),
  user_identity_id: userIdentity.optional(),
  access_grant_id: accessGrant.optional(),
  access_grant_key: plainText.optional(),
  search: z.string().max(256).optional(),
  ...pageParameters,
});

export const accessCodes = [
  command({
    name: "access_codes/create",
    parameters: createOne,
    returns: { access_code: accessCodeShape },
    doors: ["mqtt", "http", "local"],
    kind: "writes",
    reveals: true,
    act(records, { device_id: on, ...said }, context) {
      requireKeypad(records, on);
      const record = makeCode(records, on, said.code, said, context);
      return { access_code: accessCodeObjects([ownCode(records, record)], records, context)[0] };
    },
  }),
  command({
    name: "access_codes/create_multiple",
    parameters: createSeveral,
    returns: { access_codes: z.array(accessCodeShape) },
    doors: ["mqtt", "http", "local"],
    method: "PUT",
    kind: "writes",
    reveals: true,
    act(records, { device_ids: ids, behavior_when_code_cannot_be_shared: behavior, ...given }, context) {
      for (const on of ids) requireKeypad(records, on);
      const shared = given.code ?? records.drawPin(ids);
      if (!shared && behavior === "throw") {
        throw new Refused("code_constraints_violated", "There is no code that all of these devices take");
      }
      const said = { ...given, common_code_key: given.common_code_key ?? randomUUID() };
      const made = ids.map((on) => {
        const digits = behavior === "throw" || (shared && fits(records, on, shared)) ? shared : undefined;
        return makeCode(records, on, digits, said, context);
      });
      const codes = made.map((record) => ownCode(records, record));
      return { access_codes: accessCodeObjects(codes, records, context) };
    },
  }),
  command({
    name: "access_codes/get",
    parameters: which,
    returns: { access_code: accessCodeShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "writes",
    reveals: true,
    isToldOnce: true,
    act(records, { access_code_id: id, device_id: on, code }, context) {
      const found =
        id === undefined ? findByCode(records, { device: on, said: code }, context) : find(records, accessCodeId(id));
      return { access_code: accessCodeObjects([found], records, context)[0] };
    },
  }),
  command({
    name: "access_codes/list",
    parameters: some,
    returns: { access_codes: z.array(accessCodeShape), pagination: paginationShape },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "writes",
    reveals: true,
    isToldOnce: true,
    act(records, asked, context) {
      const { page, pagination } = pageOf(listed(records, asked), asked);
      return { access_codes: accessCodeObjects(page, records, context), pagination };
    },
  }),
  command({
    name: "access_codes/update",
    parameters: update,
    returns: {},
    doors: ["mqtt", "http", "local"],
    method: ["PATCH", "PUT"],
    kind: "writes",
    reveals: false,
    act(records, given, context) {
      const record = findOwn(records, accessCodeId(given.access_code_id));
      const { id, grant: before, device: on, isDeleted } = record;
      if (isDeleted) throw notFound();
      const { allow_external_modification: allowed, is_external_modification_allowed: isAllowed } = given;
      const grant: AccessGrant = {
        ...before,
        name: given.name === undefined ? before.name : (given.name ?? undefined),
        window: timesAfter(given, before.window, knownTime(context)),
        allowsExternalChanges: allowed ?? isAllowed ?? before.allowsExternalChanges,
      };
      const isOther = given.code !== undefined && !isOf(records, ownCode(records, record).credential, given.code);
      const changed = changesOf(before, grant);
      if (isOther) changed.push("code");
      if (changed.length === 0) return {};
      records.updateAccessGrant(grant);
      if (given.code) setCode(records, id, on, given.code, context.touch);
      const fields = codeFields(id, grant.identity, on);
      records.event("access_code.changed", {
        ...fields,
        changed_properties: changed.map((property) => ({ property })),
      });
      context.touch(on);
      return {};
    },
  }),
  command({
    name: "access_codes/delete",
    parameters: one,
    returns: {},
    doors: ["mqtt", "http", "local"],
    method: "DELETE",
    kind: "writes",
    reveals: false,
    act(records, { access_code_id: id }, { touch }) {
      const { grant, device: on, isDeleted } = findOwn(records, accessCodeId(id));
      if (isDeleted) return {};
      records.deleteAccessGrant(grant.id);
      touch(on);
      return {};
    },
  }),
];

function listed(records: Records, asked: z.output<typeof some>): readonly AccessCode[] {
  const { device_id: on, access_code_ids: ids, user_identity_id: identity, search } = asked;
  const grants = pairsOf(records, asked);
  return allCodes(records, on)
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .filter((code) => identity === undefined || code.identity === identity)
    .filter((code) => grants === undefined || grants.has(`${code.identity}\t${code.device}`))
    .filter((code) => search === undefined || isAbout(code, search.toLowerCase()));
}

/** Who has an access grant, and where; undefined where none is asked for. */
function pairsOf(
  records: Records,
  { access_grant_id: id, access_grant_key: key }: z.output<typeof some>,
): ReadonlySet<string> | undefined {
  if (id === undefined && key === undefined) return undefined;
  const grant = records.accessGrant(id === undefined ? { key: key ?? "" } : { id });
  return new Set(grant?.devices.map((on) => `${grant.identity}\t${on}`));
}

const isAbout = ({ id, record }: AccessCode, text: string): boolean =>
  [id, record?.grant.name].some((said) => said?.toLowerCase().includes(text));

function fits(records: Records, on: DeviceId, digits: NonNullable<z.output<typeof createOne>["code"]>): boolean {
  const limits = records.device(on)?.limits?.kinds.get("pin");
  const credential = { kind: "pin", digits } as const;
  return !records.isCodeTaken(on, credential) && (!limits || misfit(credential, limits) === undefined);
}

/** What of an access code is another than before, but for what the code is. */
function changesOf({ window: was, ...before }: AccessGrant, { window: is, ...after }: AccessGrant): string[] {
  const changes = {
    name: before.name !== after.name,
    type: (was.endsAt === undefined) !== (is.endsAt === undefined),
    starts_at: was.startsAt !== is.startsAt,
    ends_at: was.endsAt !== is.endsAt,
    is_external_modification_allowed: before.allowsExternalChanges !== after.allowsExternalChanges,
  };
  return Object.entries(changes).flatMap(([property, isChanged]) => (isChanged ? [property] : []));
}

function find(records: Records, id: AccessCodeId): AccessCode {
  const record = records.accessCode(id);
  const found = record ? ownCode(records, record) : allCodes(records, undefined).find((code) => code.id === id);
  if (!found) throw notFound();
  return found;
}

/** Whether there is such a code is told to nobody who may not be told it: else it could be found by trying. */
function findByCode(
  records: Records,
  { device: on, said }: { device: DeviceId | undefined; said: Secret | undefined },
  context: Pick<Context, "codes" | "devices">,
): AccessCode {
  if (!context.codes) {
    throw new Refused("insufficient_scope", "Who asks by a code must be one who may be told codes", 403);
  }
  const found =
    said &&
    allCodes(records, on).find(
      ({ credential, identity }) => mayTell(identity, records, context) && isOf(records, credential, said),
    );
  if (!found) throw notFound();
  return found;
}
const isOf = (records: Records, id: AccessCode["credential"], said: Secret): boolean =>
  id !== undefined && records.isCredential(id, { kind: "pin", digits: said });

/** @throws Refused also where it is there for a grant: it goes with that. */
function findOwn(records: Records, id: AccessCodeId): AccessCodeRecord {
  const record = records.accessCode(id);
  if (record) return record;
  find(records, id);
  throw new Refused(
    "access_code_managed_by_grant",
    "This code is on the device for the grants of a user identity: revoke those, or set another code with credentials/set",
  );
}

const notFound = (): Refused =>
  new Refused("access_code_not_found", "There is no such access code, or it was deleted", 404);
