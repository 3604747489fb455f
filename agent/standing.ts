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
  let isFirst = true;
  return {
    status: () => JSON.stringify(agentStatus(store.records, { agent: facts })),
    devices() {
      // All of them are looked at once: later only those of which something changed, for this comes after each commit.
      const ids = isFirst ? store.records.glance().map(({ id }) => id) : store.takeChanged();
      if (isFirst) store.takeChanged();
      isFirst = false;
      for (const id of ids) {
        const record = store.records.device(id);
        if (record) objects.set(id, JSON.stringify(deviceObject(record, store.records)));
      }
      return objects;
    },
  };
}
