import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FaultSetting } from "../../simulator/fault.ts";
import type { RunningFault } from "../../simulator/faults.ts";
import type { Condition } from "../../simulator/lying-lock.ts";

/** Where the agent of a bench is on its broker. */
export const base = "access/gateway-1";
export const grantCommand = "user_identities/grant_access_to_device";
export const revokeCommand = "user_identities/revoke_access_to_device";

export const commandTopic = (command: string): string => `${base}/command/${command}`;

export const doorOf = (number: number): string => `door-${number}`;
export const lockOf = (number: number): string => `lock-${number}`;

/** So many doors, each with a lock at an address of its own: `door-1` at `lock-1`, and so on. */
export const doorsOn = (link: string | ((door: number) => string), count: number): readonly object[] =>
  upTo(count).map((door) => ({
    device_id: doorOf(door),
    name: `Door ${door}`,
    time_zone: "UTC",
    at: { link: typeof link === "string" ? link : link(door), address: lockOf(door) },
  }));

/** 1, 2, …, `count`. */
export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at + 1);

/** A simulated lock takes its time, from before the agent starts: for all that it is asked, or for what is named. */
export function slowLock(
  dataDir: string,
  { link, lock, ms, to }: { link: string; lock: string; ms: number; to?: FaultSetting["to"] },
): void {
  const folder = join(dataDir, "links", link);
  mkdirSync(folder, { recursive: true });
  const setting: FaultSetting = { fault: "slow", ms: [ms, ms], ...(to ? { to } : {}) };
  writeFileSync(join(folder, `${lock}.condition.json`), JSON.stringify(slow(setting)));
}

type Written = Omit<Condition, "faults" | "battery"> & {
  readonly faults: readonly (Omit<RunningFault, "since"> & { readonly since: number })[];
  readonly battery: { readonly level: number; readonly at: number };
};
const slow = (setting: FaultSetting): Written => ({ faults: [{ setting, since: 0 }], battery: { level: 1, at: 0 } });
