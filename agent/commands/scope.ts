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

/** `group/verb`, `group/*`, or `*`. */
export const matches = (pattern: string, name: string): boolean =>
  pattern === "*" || pattern === name || (pattern.endsWith("/*") && name.startsWith(pattern.slice(0, -1)));

export const outOfScope = (message: string): Refused => new Refused("insufficient_scope", message, 403);
