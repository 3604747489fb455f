import type { Link } from "../drivers/driver.ts";
import type { World } from "./commands/command.ts";
import { Refused } from "./commands/refusal.ts";
import type { Whereabouts } from "./sync/keeper.ts";

/** What commands reach beyond the records: the clock, and physical acts at the locks that are simulated in this process: a lock is named by its device or by its address. */
export function worldOf(
  devices: readonly Whereabouts[],
  linkOf: (name: string) => Link | undefined,
  confirmClock: () => boolean,
): World {
  return {
    confirmClock,
    async act(lock, act) {
      const where = devices.find(({ device }) => device === lock) ?? devices.find(({ address }) => address === lock);
      if (!where)
        throw new Refused("device_not_found", `No lock ${JSON.stringify(lock)} is configured on this agent`, 404);
      const link = linkOf(where.link);
      if (!link) throw new Refused("link_not_open", `The link ${where.link} of this lock is not open`, 409);
      if (!link.act) throw new Refused("not_simulated", "This lock is real: go and type it there");
      return link.act(where.address, act).then(({ effect }) => ({ effect }));
    },
  };
}
