import { type Link, LinkError } from "../drivers/driver.ts";
import type { World } from "./commands/command.ts";
import { Refused } from "./commands/refusal.ts";
import type { Whereabouts } from "./sync/keeper.ts";

/**
 * What commands reach beyond the records: the clock, and the locks that are simulated in this process. A lock is named by its
 * device or by its address.
 */
export function worldOf(
  devices: readonly Whereabouts[],
  linkOf: (name: string) => Link | undefined,
  confirmClock: () => boolean,
): World {
  const find = (lock: string): { readonly link: Link; readonly address: string } => {
    const where = devices.find(({ device }) => device === lock) ?? devices.find(({ address }) => address === lock);
    if (!where)
      throw new Refused("device_not_found", `No lock ${JSON.stringify(lock)} is configured on this agent`, 404);
    const link = linkOf(where.link);
    if (!link) throw new Refused("link_not_open", `The link ${where.link} of this lock is not open`, 409);
    return { link, address: where.address };
  };
  return {
    confirmClock,
    async act(lock, act) {
      const { link, address } = find(lock);
      if (!link.act) throw new Refused("not_simulated", "This lock is real: go and do it there");
      try {
        return { ...(await link.act(address, act)) };
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        throw new Refused("link_not_open", [error.message, error.hint ?? []].flat().join("; "), 409);
      }
    },
    async fault(lock, change) {
      const { link, address } = find(lock);
      if (!link.fault) throw new Refused("not_simulated", "This lock is real: it has faults of its own only");
      return link.fault(address, change);
    },
    async look(lock) {
      const { link, address } = find(lock);
      if (!link.look) throw new Refused("not_simulated", "This lock is real: nobody can look into it");
      return link.look(address);
    },
  };
}
