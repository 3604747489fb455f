import { join } from "node:path";
import { boltPlace } from "./bolts.ts";
import type { Config } from "./config.ts";
import { deviceId } from "./domain/ids.ts";
import type { Instant } from "./domain/instant.ts";
import { packageRoot, packageVersion } from "./package.ts";
import type { openStore } from "./store/store.ts";

/** What the store is to know of the configuration. */
export const storeOptions = (config: Config, now: () => Instant): Parameters<typeof openStore>[0] => ({
  dataDir: config.dataDir,
  keyFile: config.keyFile,
  migrations: join(packageRoot(), "agent/store/migrations"),
  devices: config.devices.map(
    ({ deviceId: id, was, name, timeZone, leadSeconds, writesPerDay, auditReadsPerDay, doorman, parts }) => ({
      id: deviceId(id),
      name,
      timeZone,
      // Where we decide, nothing has to be there before its time.
      lead: doorman ? 0 : leadSeconds * 1000,
      writesPerDay,
      auditReads: auditReadsPerDay,
      driver: config.links.get(parts.memory?.link ?? parts.reader?.link ?? parts.bolt?.link ?? "")?.driver ?? "none",
      bolt: boltPlace(parts),
      place: parts.memory ?? parts.reader,
      ...(doorman ? { doorman } : {}),
      was: was.map(deviceId),
    }),
  ),
  pins: config.pins,
  version: packageVersion(),
  maxMassExpiry: config.clock.maxMassExpiry,
  events: config.events,
  now,
});
