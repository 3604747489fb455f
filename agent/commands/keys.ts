import { z } from "zod";
import { toIso } from "../domain/instant.ts";
import { command } from "./command.ts";
import type { KeyRecord } from "./key-book.ts";
import { device, moment, name } from "./parameters.ts";
import { deviceNotFound, invalidInput, Refused } from "./refusal.ts";
import { matches, type Scope } from "./scope.ts";
import { utc } from "./shapes/instant.ts";

const keyShape = z.strictObject({
  key_id: z.string(),
  kind: z.enum(["api_key", "personal_access_token"]),
  name: z.string().nullable(),
  state: z.enum(["active", "expired", "revoked"]),
  scopes: z.array(z.string()),
  device_ids: z.array(z.string()).nullable(),
  created_at: utc,
  expires_at: utc.nullable(),
  revoked_at: utc.nullable(),
});

/** May be told codes (WIRE, "Telling a PIN"): in no other scope, however wide. */
const codesScope = "codes:read";

/**
 * Who may ask at the HTTP door, and for what. At the local door only: a key makes no keys.
 *
 * @param overHttp the commands that have that door: a scope that fits none of them is a mistake.
 */
export const keysFor = (overHttp: readonly string[]) => [
  command({
    name: "keys/create",
    parameters: z.object({
      kind: z.enum(["api_key", "personal_access_token"]).default("api_key"),
      name: name.optional(),
      scopes: z.array(scopeOf(overHttp)).min(1).max(100).default(["*"]),
      device_ids: z.array(device).min(1).max(1000).optional(),
      expires_at: moment.nullish(),
    }),
    returns: { key: z.string(), key_id: z.string(), workspace_id: z.string() },
    doors: ["local"],
    kind: "writes",
    reveals: true,
    isToldOnce: true,
    act(records, { kind, name: called, scopes, device_ids: devices, expires_at: end }, { now }) {
      for (const one of devices ?? []) if (!records.isDevice(one)) throw deviceNotFound(one);
      if (end != null && end <= now) throw unfit("expires_at", "Is past already");
      if (scopes.every((one) => one === codesScope)) throw unfit("scopes", "Must name a command beside codes:read");
      const scope: Scope = {
        commands: scopes.filter((one) => one !== codesScope),
        devices,
        codes: scopes.includes(codesScope),
      };
      const { id, key } = records.keys.create({ kind, name: called, scope, expiresAt: end ?? undefined });
      return { key: key.reveal(), key_id: id, workspace_id: records.workspaceId };
    },
  }),
  command({
    name: "keys/list",
    parameters: z.object({}),
    returns: { keys: z.array(keyShape) },
    doors: ["local"],
    kind: "reads",
    reveals: false,
    act: (records, _, { now }) => ({ keys: records.keys.all().map((key) => keyObject(key, now)) }),
  }),
  command({
    name: "keys/revoke",
    parameters: z.object({ key_id: z.string().min(1).max(128) }),
    returns: {},
    doors: ["local"],
    kind: "writes",
    reveals: false,
    act(records, { key_id: id }) {
      if (records.keys.revoke(id)) return {};
      throw new Refused("key_not_found", "There is no key with that key_id: keys/list shows them", 404);
    },
  }),
];

const scopeOf = (overHttp: readonly string[]) =>
  z
    .string()
    .refine(
      (scope) => scope === codesScope || overHttp.some((each) => matches(scope, each)),
      'Must be "*", "group/*" or "group/verb" of a command over HTTP, or "codes:read"',
    );

const unfit = (field: string, message: string): Refused =>
  invalidInput([{ code: "custom", path: [field], message, input: undefined }]);

function keyObject({ id, kind, name: called, scope, createdAt, expiresAt, revokedAt }: KeyRecord, now: number): object {
  const isOver = expiresAt !== undefined && expiresAt <= now;
  return {
    key_id: id,
    kind,
    name: called ?? null,
    state: revokedAt === undefined ? (isOver ? "expired" : "active") : "revoked",
    scopes: [...scope.commands, ...(scope.codes ? [codesScope] : [])],
    device_ids: scope.devices ?? null,
    created_at: toIso(createdAt),
    expires_at: expiresAt === undefined ? null : toIso(expiresAt),
    revoked_at: revokedAt === undefined ? null : toIso(revokedAt),
  };
}
