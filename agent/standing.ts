import { agentStatus } from "./commands/agent.ts";
import type { AgentFacts } from "./commands/command.ts";
import { deviceObject } from "./commands/device-object.ts";
import type { DeviceId } from "./domain/ids.ts";
import type { Standing } from "./mqtt/retained.ts";
import type { Store } from "./store/store.ts";

/** So many devices are looked through at once, some milliseconds: commands and rounds come between. */
const devicesAtOnce = 8;

/** What stands on the broker, made anew only for the devices of which something changed. */
export function standingOf(store: Store, facts: () => AgentFacts): Standing {
  // What was said of a device that is configured no longer is taken back.
  const objects = new Map<DeviceId, string>(store.formerDevices().map((id) => [id, ""]));
  /** All of them at first: later only those of which something changed, for this comes after each commit. */
  const due = new Set<DeviceId>(store.records.glance().map(({ id }) => id));
  return {
    status: () => JSON.stringify(agentStatus(store.records, { agent: facts })),
    devices() {
      for (const id of store.takeChanged()) due.add(id);
      for (const id of [...due].slice(0, devicesAtOnce)) {
        due.delete(id);
        const record = store.records.device(id);
        if (record) objects.set(id, JSON.stringify(deviceObject(record, store.records)));
      }
      return objects;
    },
    get isGrowing() {
      return due.size > 0;
    },
  };
}
