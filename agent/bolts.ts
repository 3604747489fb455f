import type { Link } from "../drivers/driver.ts";
import type { DeviceConfig } from "./config/device.ts";
import type { Config } from "./config.ts";
import type { Store } from "./store/store.ts";
import { Actuator, type ActuatorParts } from "./sync/actuator.ts";
import { whereabouts } from "./wires.ts";

/** What moves the bolts of the configured devices, and writes down in the store what came of it. */
export function actuatorOf(
  config: Config,
  { attempts }: Pick<Store, "attempts">,
  { linkOf, ...parts }: Omit<ActuatorParts, "end" | "lockOf"> & { readonly linkOf: (name: string) => Link | undefined },
): Actuator {
  const bolts = new Map(whereabouts(config, "bolt").map((where) => [where.device, where]));
  return new Actuator({
    ...parts,
    end: (...ended) => attempts.end(...ended),
    lockOf(device) {
      const where = bolts.get(device);
      return where && linkOf(where.link)?.lock(where.address);
    },
  });
}

/** Whether a device has a bolt, and whether it is asked what it is when its memory is, or its reader. */
export function boltPlace({ memory, reader, bolt }: DeviceConfig["parts"]): "none" | "with memory" | "apart" {
  if (!bolt) return "none";
  const asked = memory ?? reader;
  return asked && asked.link === bolt.link && asked.address === bolt.address ? "with memory" : "apart";
}
