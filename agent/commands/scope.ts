import type { DeviceId } from "../domain/ids.ts";
import { Refused } from "./refusal.ts";

/** What a caller may do, where the door knows more than one caller. */
export interface Scope {
  /** `group/verb`, `group/*` or `*`. */
  readonly commands: readonly string[];
  /** Undefined: all of them, also those to come. */
  readonly devices: readonly DeviceId[] | undefined;
  /** May be told codes. */
  readonly codes: boolean;
}

/** @throws Refused where the command is none of those that the caller may give. */
export function permitCommand({ commands }: Scope, name: string): void {
  if (commands.some((pattern) => matches(pattern, name))) return;
  throw outOfScope(`This key is not for ${name}: make one whose scopes have it`);
}

/**
 * Who is limited to some devices gives only commands that name devices, and only these. What is named in another way, as by
 * the id of a grant, may be of any device, and what names none is of all.
 *
 * @param parameters as the command's schema gave them back: what it does not know, it does not go by.
 * @throws Refused.
 */
export function permitDevices({ devices }: Scope, name: string, parameters: unknown): void {
  if (devices === undefined) return;
  const named = devicesNamed(name, parameters);
  if (named === undefined)
    throw outOfScope(`This key is for some devices only, and ${name} was not limited to devices`);
  const open = new Set<unknown>(devices);
  if (!named.every((id) => open.has(id))) throw outOfScope("This key is not for that device");
}

/** `group/verb`, `group/*`, or `*`. */
export const matches = (pattern: string, name: string): boolean =>
  pattern === "*" || pattern === name || (pattern.endsWith("/*") && name.startsWith(pattern.slice(0, -1)));

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

const outOfScope = (message: string): Refused => new Refused("insufficient_scope", message, 403);
