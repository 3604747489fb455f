import { z } from "zod";

/*
 * What zwave-js may keep of its knowledge on our disk. It keeps every value that a node reports, user codes among them, in
 * clear. Pure.
 */

/** Command classes whose values are, or may hold, codes: Door Lock Logging, User Code, Entry Control, User Credential. */
const withCodes = new Set([0x4c, 0x63, 0x6f, 0x83]);
/** Of these only what a lock is able to do is kept. Checksums are not: of four digits one tells the code. */
const harmless = /^(_?supports|supported|interviewComplete$|max[A-Z]|credentialCapabilities$|keyLockerCapabilities$)/;

const valueKey = z.object({ commandClass: z.number(), property: z.union([z.string(), z.number()]) });

/** Whether what stands under this key of one of zwave-js's databases may be on disk. */
export function isHarmless(key: string): boolean {
  if (!key.startsWith("{")) return !/privateKey|securityKey/i.test(key);
  const { data } = valueKey.safeParse(parse(key));
  if (!data) return false;
  return !withCodes.has(data.commandClass) || harmless.test(String(data.property));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
