import type { World } from "../support/world.ts";
import type { WorldLock } from "../support/world-lock.ts";

/** Locks and configuration change: while the agent is away, or under its eyes. */
export const rebuildDeeds = [
  ...(["swap", "repoint", "replace", "replace", "put_back", "rejoin", "remove", "restore", "rename"] as const),
] as const;
export const rebuilt = [
  ...(["swapped", "repointed", "replaced", "put_back", "rejoined", "removed", "restored", "renamed"] as const),
];

/** @param how 0: the agent is killed meanwhile, 1: it is restarted; 2: it runs on, where that can be. */
export async function rebuild(
  world: World,
  what: (typeof rebuildDeeds)[number],
  at: number,
  how: number,
): Promise<void> {
  const { house } = world;
  const other = (at + 1) % house.doors.length;
  const door = house.doors[at];
  if (!door) return;
  const again = (happened: string, change: () => void): Promise<void> => {
    world.count(happened);
    return how === 0 ? world.kill(change) : world.restart(change);
  };
  switch (what) {
    case "swap":
      return other === at ? undefined : again("swapped", () => house.swap(at, other));
    case "repoint":
      return other === at ? undefined : again("repointed", () => house.repoint(at, other));
    case "replace":
    case "put_back":
      return replace(world, what, at, how === 2 ? undefined : again);
    case "rejoin":
      world.count("rejoined");
      return rejoin(world.locks[at]);
    case "remove":
      return again("removed", () => void (door.isConfigured = false));
    case "restore":
      return again("restored", () => void (door.isConfigured = true));
    case "rename":
      return again("renamed", () => house.rename(door));
  }
}

function rejoin(lock: WorldLock | undefined): void {
  lock?.rejoin();
  lock?.tell({ event: "online" });
}

/** By a new lock, or by one that was there before. */
async function replace(
  world: World,
  what: "replace" | "put_back",
  at: number,
  again: ((happened: string, change: () => void) => Promise<void>) | undefined,
): Promise<void> {
  const before = world.locks[at];
  const by = what === "put_back" ? world.house.drawer[0] : before?.spec;
  if (!by || !before) return;
  const happened = what === "put_back" ? "put_back" : "replaced";
  const change = (): void => {
    const lock = world.house.replace(at, by);
    lock.trouble = before.trouble;
    // With codes masked nobody can tell a code of its owner's from one that we were not sure to have written.
    const isKnownMasked = what === "put_back" && lock.spec.readBack === "masked";
    if (lock.held().length > 0 || isKnownMasked || world.random() < 0.5) return;
    // It comes with codes of its owner's own.
    const any = (): string => String(10_000_000 + Math.floor(world.random() * 10_000_000));
    for (let code = 0; code < 2; code++) lock.ownerWrites(any(), "empty");
  };
  if (again) return again(happened, change);
  world.count(happened);
  change();
  world.locks[at]?.tell({ event: "online" });
}
