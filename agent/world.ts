import { type Link, LinkError } from "../drivers/driver.ts";
import type { World } from "./commands/command.ts";
import { Refused } from "./commands/refusal.ts";
import type { Whereabouts } from "./sync/keeper.ts";

interface Place {
  readonly link: Link;
  /** Absent where a link was named. */
  readonly address?: string;
}

/**
 * What commands reach beyond the records: the clock, the wires, and the locks that are simulated in this process. A lock is
 * named by its device or by its address.
 */
export function worldOf(
  devices: readonly Whereabouts[],
  linkOf: (name: string) => Link | undefined,
  confirmClock: () => boolean,
): World {
  const find = (lock: string): Required<Place> => {
    const where = devices.find(({ device }) => device === lock) ?? devices.find(({ address }) => address === lock);
    if (!where)
      throw new Refused("device_not_found", `No lock ${JSON.stringify(lock)} is configured on this agent`, 404);
    const link = linkOf(where.link);
    if (!link) throw new Refused("link_not_open", `The link ${where.link} of this lock is not open`, 409);
    return { link, address: where.address };
  };
  // It ends in its own time, or with the link.
  const never = new AbortController();
  const findLine = (line: string): Place => {
    const link = linkOf(line);
    return link ? { link } : find(line);
  };
  return {
    confirmClock,
    ...simulatedOf(find),
    async pair(lock, within) {
      const { link, address } = find(lock);
      if (!link.pair) throw new Refused("no_keys", "This lock is given no key by latchd");
      return unlessSilent(link.pair(address, within, never.signal));
    },
    async rotateKey(lock) {
      const { link, address } = find(lock);
      if (!link.rotateKey) throw new Refused("no_keys", "This lock is given no key by latchd");
      return unlessSilent(link.rotateKey(address, never.signal));
    },
    async readdress(lock, to) {
      const { link, address } = find(lock);
      if (!link.readdress) throw new Refused("no_address", "This lock is given no address by latchd");
      return unlessSilent(link.readdress(address, to, never.signal));
    },
    async frames(line, after) {
      const { link, address } = findLine(line);
      if (!link.frames) throw new Refused("no_frames", "What is said on this link is not told: it is none of OSDP");
      const { frames, ...rest } = link.frames(after);
      const isOfIt = (of: string | undefined): boolean => address === undefined || of === undefined || of === address;
      return { frames: frames.filter((frame) => isOfIt(frame.address)), ...rest };
    },
  };
}

function simulatedOf(find: (lock: string) => Required<Place>): Pick<World, "act" | "fault" | "look"> {
  return {
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

/** What becomes of it where the link is closed meanwhile is for its error to say. */
async function unlessSilent<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    throw new Refused("link_failed", error.hint === undefined ? error.message : `${error.message}: ${error.hint}`, 409);
  }
}
