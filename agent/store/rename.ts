import type { Database } from "better-sqlite3";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";

/**
 * Gives all that is kept of a device to another name of the same door, its past included. The caller's transaction. False where nothing is known of the old name: it was done before.
 */
export function renameDevice(db: Database, was: DeviceId, is: DeviceId, now: Instant): boolean {
  const known = db.prepare("SELECT 1 FROM devices WHERE device_id = ?");
  if (!known.get(was)) return false;
  const run = (sql: string, of: object = {}): void => void db.prepare(sql).run({ was, is, ...of });
  // Of two grants the older one stays: it decides who comes first at a full lock.
  run(
    `UPDATE grants SET valid_to = @now WHERE row IN (
       SELECT max(row) FROM grants WHERE valid_to IS NULL AND device_id IN (@was, @is)
       GROUP BY user_identity_id, access_grant_id HAVING count(*) > 1)`,
    { now },
  );
  run("UPDATE grants SET device_id = @is WHERE device_id = @was");
  run("UPDATE placements SET device_id = @is WHERE device_id = @was");
  run("UPDATE OR REPLACE codes_told SET device_id = @is WHERE device_id = @was");
  run("INSERT OR IGNORE INTO choices SELECT @is, user_identity_id FROM choices WHERE device_id = @was");
  run("DELETE FROM choices WHERE device_id = @was");
  // Of two marks the one that lets less through stays.
  const twin = "EXISTS (SELECT 1 FROM marks AS m WHERE m.user_identity_id = marks.user_identity_id AND m.device_id";
  const isNewer = "(m.as_of > marks.as_of OR (m.as_of = marks.as_of AND m.closed >= marks.closed))";
  run(`DELETE FROM marks WHERE device_id = @was AND ${twin} = @is AND ${isNewer})`);
  run(`DELETE FROM marks WHERE device_id = @is AND ${twin} = @was)`);
  run("UPDATE marks SET device_id = @is WHERE device_id = @was");
  // What a lock said of itself under the new name is more recent.
  run("DELETE FROM devices WHERE device_id = @is AND abilities IS NULL");
  run("UPDATE OR IGNORE devices SET device_id = @is WHERE device_id = @was");
  run("DELETE FROM devices WHERE device_id = @was");
  return true;
}
