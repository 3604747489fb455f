import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "../../agent/domain/secret.ts";
import type { DriverState } from "../driver.ts";

/** Where Linux names serial devices by what they are, and not by the order in which they were plugged in. */
export const linuxNames = "/dev/serial/by-id";

const keptAs = "port";

/**
 * The path under which to open a serial device now: the name that stays with it, from when it was first open on, also over
 * our own end. A stick that is plugged in again may be another `/dev/ttyACM…`, and what has its old number may be
 * another stick.
 *
 * @param configured a device, or `tcp://…`, which is left as it is.
 */
export function portToOpen(configured: string, names: string, state: DriverState): string {
  if (configured.startsWith("tcp:")) return configured;
  const kept = known(configured, state);
  if (kept !== undefined && existsSync(kept)) return kept;
  return aliasOf(configured, names) ?? configured;
}

/** What we look for has answered there. Before that it may be any other stick, whose name is not to be kept. */
export function keepPort(configured: string, opened: string, state: DriverState): void {
  if (opened !== configured) state.set(keptAs, new Secret(JSON.stringify([configured, opened])));
}

/** As {@link portToOpen}, once the device has been open: its place is not taken by another one. */
export const portToReopen = (configured: string, state: DriverState): string => known(configured, state) ?? configured;

function known(configured: string, state: DriverState): string | undefined {
  const kept: unknown = JSON.parse(state.get(keptAs)?.reveal() ?? "[]");
  if (!Array.isArray(kept) || kept[0] !== configured) return undefined;
  const alias: unknown = kept[1];
  return typeof alias === "string" ? alias : undefined;
}

function aliasOf(device: string, names: string): string | undefined {
  try {
    const real = realpathSync(device);
    return readdirSync(names)
      .map((name) => join(names, name))
      .find((name) => realpathSync(name) === real);
  } catch {
    // Not plugged in, or a system without such names.
    return undefined;
  }
}
