import { type AccessCodeId, codeOf, isPerson } from "../domain/access-code.ts";
import { type CodeStatus, codeStatus } from "../domain/access-code-status.ts";
import { type CredentialId, secretOf } from "../domain/credential.ts";
import type { DeviceId, UserIdentityId } from "../domain/ids.ts";
import { earliest, type Instant, instant, later, toIso } from "../domain/instant.ts";
import type { CredentialReceipt } from "../domain/receipt.ts";
import type { Window } from "../domain/schedule.ts";
import { iso } from "./access-grant-object.ts";
import type { Context } from "./command.ts";
import { mayTell } from "./device-scope.ts";
import { missingLine, placedLine } from "./receipt-line.ts";
import type { AccessCodeRecord, PlacementRecord, Records } from "./records.ts";

/** A PIN on one device: one that was made by itself, or one that is there for the grants of a person. */
export interface AccessCode {
  readonly id: AccessCodeId;
  readonly device: DeviceId;
  readonly identity: UserIdentityId;
  readonly createdAt: Instant;
  /** Undefined: it is there for grants, and goes with them. */
  readonly record: AccessCodeRecord | undefined;
  /** Undefined while it is not chosen yet what the code is. */
  readonly credential: CredentialId | undefined;
  readonly placed: PlacementRecord | undefined;
}

/** Every access code, or those of a device. */
export function accessCodes(records: Records, device: DeviceId | undefined): readonly AccessCode[] {
  const own = records
    .accessCodes()
    .filter((record) => device === undefined || record.device === device)
    .map((record) => ownCode(records, record));
  return [...own, ...codesOfGrants(records, device)];
}

export function ownCode(records: Records, record: AccessCodeRecord): AccessCode {
  const { id, device, grant } = record;
  const { identity, createdAt } = grant;
  const placements = records.placements({ identity });
  const pins = records.credentials({ identity }).filter(isPin);
  const brought = pins.find(({ origin }) => origin === "own");
  const isThere = placements.some(({ placement }) => placement.credential === brought?.id);
  // What is on the lock is the code before it, and says nothing of this one.
  const isToCome = brought !== undefined && !isThere && records.isChoiceDue(identity, device);
  const placed = isToCome ? undefined : first(placements);
  const credential = placed?.placement.credential ?? brought?.id ?? pins[0]?.id;
  return { id, device, identity, createdAt, record, credential, placed };
}
const isPin = ({ kind }: { readonly kind: string }): boolean => kind === "pin";

/** PINs of people: what is, or is to be, on a lock for their grants. */
function codesOfGrants(records: Records, device: DeviceId | undefined): readonly AccessCode[] {
  const found = new Map<AccessCodeId, PlacementRecord[]>();
  for (const placed of records.placements({ device })) {
    const id = isPerson(placed.placement.identity) ? codeOf(placed.placement) : undefined;
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), placed]);
  }
  return [...found].flatMap(([id, all]) => {
    const placed = first(all);
    if (!placed) return [];
    const { device: on, identity, credential } = placed.placement;
    const createdAt = records.madeAt(credential) ?? placed.since;
    return [{ id, device: on, identity, createdAt, record: undefined, credential, placed }];
  });
}

/** Of several, what is to stay counts: another leaves because of it. */
const first = (placed: readonly PlacementRecord[]): PlacementRecord | undefined =>
  placed.find(({ placement }) => placement.wanted) ?? placed[0];

/** In Seam's shape (reference: seam-api, 3.1), with the receipt beside it under `properties.latchd`. */
export function accessCodeObjects(
  all: readonly AccessCode[],
  records: Records,
  context: Pick<Context, "now" | "codes" | "by" | "devices">,
): readonly object[] {
  const locks = new Map(records.glance().map((lock) => [lock.id, lock]));
  return all.map((code) => {
    const lock = locks.get(code.device);
    const line = lineOf(code, records, lock);
    const { endsAt } = timesOf(code, records);
    const around = { now: context.now, endsAt, isBreakerOpen: lock?.breaker !== undefined };
    return {
      ...described(code, records, context),
      ...said(line, codeStatus(line, around)),
      properties: told(code, line),
    };
  });
}

function described(code: AccessCode, records: Records, context: Pick<Context, "codes" | "by" | "devices">): object {
  const { record, credential, placed } = code;
  const isTold = credential !== undefined && mayTell(code.identity, records, context);
  const { startsAt, endsAt } = timesOf(code, records);
  return {
    access_code_id: code.id,
    device_id: code.device,
    workspace_id: records.workspaceId,
    name: record?.grant.name ?? null,
    code: isTold ? secretOf(records.reveal(credential, context.by)).reveal() : null,
    common_code_key: record?.grant.commonCodeKey ?? null,
    type: endsAt === undefined ? "ongoing" : "time_bound",
    starts_at: endsAt === undefined ? null : iso(startsAt),
    ends_at: iso(endsAt),
    created_at: toIso(code.createdAt),
    is_managed: true,
    is_backup: false,
    is_backup_access_code_available: false,
    pulled_backup_access_code_id: null,
    is_external_modification_allowed: record?.grant.allowsExternalChanges ?? placed?.placement.external ?? false,
    is_offline_access_code: false,
    is_one_time_use: false,
    is_waiting_for_code_assignment: credential === undefined,
  };
}

const said = (line: CredentialReceipt, { status, pending, errors, warnings }: CodeStatus): object => ({
  status,
  pending_mutations: pending,
  errors,
  warnings,
  is_scheduled_on_device: isScheduled(line),
});

const told = ({ identity, record }: AccessCode, line: CredentialReceipt): object => ({
  latchd: { user_identity_id: identity, is_managed_by_grant: record === undefined, ...line },
});

function lineOf(
  { identity, device, placed, record }: AccessCode,
  records: Records,
  lock: ReturnType<Records["glance"]>[number] | undefined,
): CredentialReceipt {
  const stands = records.grants({ identity, device });
  if (placed) return placedLine(placed, records.reach(placed.placement), stands, lock);
  const line = missingLine(records, { identity, device }, stands, lock);
  return record?.isDeleted ? { ...line, state: "gone" } : line;
}

/** It is on the lock ahead of its time, and the lock keeps it shut until then. */
const isScheduled = ({ reason, evidence, enforced_by: by }: CredentialReceipt): boolean =>
  reason === "outside_window" && by === "lock" && evidence !== null && evidence !== "never_sent";

/** From when until when it may open, whatever the weekly times in between. */
function timesOf(
  { record, identity, device, placed }: AccessCode,
  records: Records,
): Pick<Window, "startsAt" | "endsAt"> {
  if (record) return record.grant.window;
  // What leaves is of the grants that stood until then.
  const at = placed && !placed.placement.wanted ? later(placed.since, -1) : undefined;
  const windows = records.grantsAt(identity, device, at).map(({ window }) => window);
  const ends = windows.flatMap((window) => window?.endsAt ?? []);
  const isOngoing = ends.length < windows.length || ends.length === 0;
  return {
    startsAt: earliest(windows.map((window) => window?.startsAt)),
    endsAt: isOngoing ? undefined : instant(Math.max(...ends)),
  };
}
