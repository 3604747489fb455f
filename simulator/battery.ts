import { z } from "zod";
import { type Instant, instant, later } from "../agent/domain/instant.ts";
import { usual } from "./fault.ts";
import { endOf, type RunningFault } from "./faults.ts";

/** How full a battery was when it was last looked at or put in: 0 to 1. */
export interface Battery {
  readonly level: number;
  readonly at: Instant;
}
/** As a file has it, in JSON. */
export const batterySchema = z.strictObject({
  level: z.number().min(0).max(1),
  at: z.number().transform(instant),
});

export const fullBattery: Battery = { level: 1, at: instant(0) };

/** Below it, a lock gets slow. At 0 it is deaf. */
export const lowBattery = 0.15;

/**
 * How full it is now.
 *
 * @param dying the fault by which it runs out, where that is on or has ended by itself.
 */
export function levelAt({ level, at }: Battery, dying: RunningFault | undefined, now: Instant): number {
  if (!dying) return level;
  const from = Math.max(at, dying.since);
  const until = Math.min(now, endOf(dying) ?? now);
  return Math.max(0, level - Math.max(0, until - from) / lifetime(dying));
}

/** When it will be as low as that. */
export const reaches = (battery: Battery, dying: RunningFault, level: number): Instant =>
  later(instant(Math.max(battery.at, dying.since)), Math.ceil((battery.level - level) * lifetime(dying)));

const lifetime = ({ setting }: RunningFault): number => (setting.over_seconds ?? usual.overSeconds) * 1_000;
