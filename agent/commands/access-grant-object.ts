import type { DeviceId } from "../domain/ids.ts";
import { type Instant, toIso } from "../domain/instant.ts";
import type { AccessGrant, AccessGrantRecord, Records } from "./records.ts";
import { scheduleToWire } from "./schedule.ts";

export const iso = (at: Instant | undefined): string | null => (at === undefined ? null : toIso(at));
/** In Seam's shape (reference: seam-api, 3.4), with what is ours beside it: device_ids, schedule, allow_external_modification. */
export function accessGrantObject(grant: AccessGrantRecord, records: Records, now: Instant): object {
  const { startsAt, endsAt, weekly: week } = grant.window;
  const createdAt = toIso(grant.createdAt);
  return {
    access_grant_id: grant.id,
    access_grant_key: grant.key ?? null,
    user_identity_id: grant.identity,
    workspace_id: records.workspaceId,
    name: grant.name ?? null,
    display_name: grant.name ?? "Access grant",
    display_status: statusOf(grant, now),
    device_ids: grant.devices,
    starts_at: iso(startsAt),
    ends_at: iso(endsAt),
    schedule: week === undefined ? null : scheduleToWire(week),
    allow_external_modification: grant.allowsExternalChanges,
    requested_access_methods: grant.modes.map((mode) => ({
      mode,
      display_name: mode === "code" ? "PIN code" : "Card",
      created_at: createdAt,
      created_access_method_ids: [],
    })),
    access_method_ids: [],
    space_ids: [],
    location_ids: [],
    created_at: createdAt,
    pending_mutations: [],
    errors: [],
    warnings: grant.devices.flatMap((on) => wear(on, records)),
  };
}

function statusOf({ window: { startsAt, endsAt } }: AccessGrant, now: Instant): string {
  if (endsAt !== undefined && endsAt <= now) return "Has ended";
  return startsAt !== undefined && startsAt > now ? "Has not begun" : "In force";
}

/** A window is a write when it opens, and another when it closes. */
function wear(id: DeviceId, records: Records): readonly object[] {
  const most = records.device(id)?.writesPerDay;
  const expected = Math.round(records.openings(id) * 2);
  if (most === undefined || expected <= most) return [];
  const message = `The windows on this device take about ${expected} writes a day, and its lock is to bear ${most}`;
  return [{ warning_code: "wear", message, device_id: id, created_at: null }];
}

/** As its events name it. */
export const aboutGrant = ({
  id,
  identity,
  key,
}: AccessGrant): { user_identity_id: string; [field: string]: unknown } => ({
  access_grant_id: id,
  access_grant_key: key ?? null,
  user_identity_id: identity,
});
