import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import type { Command, Context } from "./command.ts";
import type { Records } from "./records.ts";
import { outOfScope, type Scope } from "./scope.ts";

/**
 * Who is limited to some devices gives only commands that name devices, and only these. What is named in another way, as by
 * the id of a grant, may be of any device, and what names none is of all.
 *
 * @param parameters as the command's schema gave them back: what it does not know, it does not go by.
 * @throws Refused.
 */
export function permitDevices({ devices }: Scope, command: Command, parameters: unknown): void {
  if (devices === undefined || (command.kind !== "acts" && command.limitsItself)) return;
  const { name } = command;
  const named = devicesNamed(name, parameters);
  if (named === undefined)
    throw outOfScope(`This key is for some devices only, and ${name} was not limited to devices`);
  const open = new Set<unknown>(devices);
  if (!named.every((id) => open.has(id))) throw outOfScope("This key is not for that device");
  if (command.kind !== "acts" && command.reachesFurther?.(parameters)) {
    throw outOfScope("A code that a person brings goes to all of their devices, and this key is for some devices only");
  }
}

/** Of some devices those of which whoever asks may hear. */
export const heardOf = (devices: readonly DeviceId[], { devices: open }: Pick<Context, "devices">): DeviceId[] =>
  devices.filter((id) => open === undefined || open.includes(id));

/** Whether somebody's code may be told: who is limited to some devices is told none that opens another one, too. */
export function mayTell(
  identity: UserIdentityId,
  records: Pick<Records, "grants" | "placements">,
  { codes, devices: open }: Pick<Context, "codes" | "devices">,
): boolean {
  if (!codes || open === undefined) return codes;
  const of = { identity };
  const opens = [...records.grants(of), ...records.placements(of).map(({ placement }) => placement)];
  return opens.every(({ device }) => open.includes(device));
}

const deviceFields = ["device_id", "device_ids"];
/** What names a person says nothing of devices. */
const personFields = ["user_identity_id", "user_identity_key"];
const isNaming = (field: string): boolean => /_(id|ids|key|keys)$/.test(field);

/** The devices that parameters name; undefined where they name none, or something else that may be of other devices. */
function devicesNamed(command: string, parameters: unknown): readonly unknown[] | undefined {
  if (typeof parameters !== "object" || parameters === null) return undefined;
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  // What is made gets its key by it, and there is nothing yet that it could name.
  const isKnown = (field: string): boolean =>
    [...deviceFields, ...personFields].includes(field) || (command.endsWith("/create") && field.endsWith("_key"));
  if (given.some(([field]) => isNaming(field) && !isKnown(field))) return undefined;
  const named = given.filter(([field]) => deviceFields.includes(field)).flatMap(([, value]) => value);
  return named.length === 0 ? undefined : named;
}
