import { z } from "zod";
import { type Credential, secretOf } from "../domain/credential.ts";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import { toIso } from "../domain/instant.ts";
import { type Context, command } from "./command.ts";
import { heardOf, mayTell } from "./device-scope.ts";
import { cardBits, cardFormat, device, digits, person, userIdentity } from "./parameters.ts";
import type { CredentialRecord, Fit, Records } from "./records.ts";
import { Refused } from "./refusal.ts";
import { credentialShape } from "./shapes/credential.ts";

/** A reader that knows no format says how many bits there are. */
const ownFormat = cardFormat.refine((format) => format !== "raw", 'Must say how many bits there are, such as "raw26"');

const own = z.discriminatedUnion("kind", [
  z.object({ user_identity_id: person, kind: z.literal("pin"), value: digits }),
  z.object({
    user_identity_id: person,
    kind: z.literal("card"),
    value: z.object({ format: ownFormat, bits: cardBits }),
  }),
]);

export const credentials = [
  command({
    name: "credentials/set",
    parameters: own,
    returns: { not_on: z.array(z.strictObject({ device_id: z.string(), reason: z.string() })).optional() },
    doors: ["mqtt", "http", "local"],
    method: "PUT",
    kind: "writes",
    reveals: false,
    act(records, parameters, { touch }) {
      const credential: Credential =
        parameters.kind === "pin"
          ? { kind: "pin", digits: parameters.value }
          : { kind: "card", format: parameters.value.format, bits: parameters.value.bits };
      const notOn = setOwnCredential(records, parameters.user_identity_id, credential, touch);
      return notOn.length > 0 ? { not_on: notOn } : {};
    },
  }),
  command({
    name: "credentials/get",
    parameters: z.object({ user_identity_id: userIdentity, device_id: device.optional() }),
    returns: { credentials: z.array(credentialShape) },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "writes",
    reveals: true,
    isToldOnce: true,
    act(records, { user_identity_id: identity, device_id: id }, context) {
      const isTold = mayTell(identity, records, context);
      const found = records
        .credentials({ identity })
        .filter((credential) => id === undefined || credential.devices.includes(id));
      return {
        credentials: found.map((credential) => ({
          ...shown({ ...credential, devices: heardOf(credential.devices, context) }),
          code: isTold ? secretOf(records.reveal(credential.id, context.by)).reveal() : null,
        })),
      };
    },
  }),
  command({
    name: "credentials/list",
    parameters: z.object({ user_identity_id: userIdentity.optional() }),
    returns: { credentials: z.array(credentialShape) },
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records, { user_identity_id: identity }) => ({ credentials: records.credentials({ identity }).map(shown) }),
  }),
];

/**
 * A person brings a credential. Returns where it cannot be.
 *
 * @throws Refused where no device of the person can take it: then it is not stored.
 */
export function setOwnCredential(
  records: Pick<Records, "fits" | "setOwn">,
  identity: UserIdentityId,
  credential: Credential,
  touch: Context["touch"],
): readonly { readonly device_id: DeviceId; readonly reason: string }[] {
  const fits = records.fits(identity, credential);
  const notOn = fits.flatMap((fit) => (fit.problem ? [{ device_id: fit.device, reason: reasonOf(fit.problem) }] : []));
  if (fits.length > 0 && notOn.length === fits.length) throw unfit(notOn);
  records.setOwn(identity, credential);
  for (const fit of fits) touch(fit.device);
  return notOn;
}

const shown = ({ id, identity, kind, origin, devices, createdAt }: CredentialRecord): object => ({
  credential_id: id,
  user_identity_id: identity,
  kind,
  origin,
  device_ids: devices,
  created_at: toIso(createdAt),
});

const reasonOf = (problem: NonNullable<Fit["problem"]>): string =>
  problem === "duplicate" ? "duplicate_access_code" : problem.rule;

/** No device of the person can take it: it is not stored. Who else has the code is never told. */
function unfit(notOn: readonly { device_id: string; reason: string }[]): Refused {
  const rules = [...new Set(notOn.map(({ reason }) => reason))];
  if (rules.length === 1 && rules[0] === "duplicate_access_code") {
    return new Refused("duplicate_access_code", "That code is in use on every device of this user identity", 409, {
      data: { not_on: notOn },
    });
  }
  return new Refused(
    "code_constraints_violated",
    `No device of this user identity takes it: ${rules.join(", ")}`,
    400,
    {
      data: { not_on: notOn },
    },
  );
}
