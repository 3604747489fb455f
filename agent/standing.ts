import { agentStatus } from "./commands/agent.ts";
import type { AgentFacts } from "./commands/command.ts";
import { deviceObject } from "./commands/device-object.ts";
import type { DeviceId } from "./domain/ids.ts";
import type { Standing } from "./mqtt/retained.ts";
import type { Store } from "./store/store.ts";

/** What stands on the broker, made anew only for the devices of which something changed. */
export function standingOf(store: Store, facts: () => AgentFacts): Standing {
  // What was said of a device that is configured no longer is taken back.
  const objects = new Map<DeviceId, string>(store.formerDevices().map((id) => [id, ""]));
  return {
    status: () => JSON.stringify(agentStatus(store.records, { agent: facts })),
    devices() {
      const changed = store.takeChanged();
      for (const record of store.records.devices()) {
        if (objects.has(record.id) && !changed.has(record.id)) continue;
        objects.set(record.id, JSON.stringify(deviceObject(record, store.records)));
      }
      return objects;
    },
  };
}
