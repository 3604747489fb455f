import { instant } from "../../agent/domain/instant.ts";
import type { Clock } from "../driver.ts";

/**
 * A clock that goes on evenly, whatever the time of day is set to: a gateway without a battery learns it minutes after its
 * start, and no reader has been silent for years then. Only for what happens between now and soon: it is nobody's time of day.
 *
 * @param counts milliseconds since whenever, evenly.
 */
export function steadyClock(clock: Clock, counts: () => number = () => performance.now()): Clock {
  const before = clock.now() - counts();
  return { now: () => instant(before + counts()), sleep: (ms, signal) => clock.sleep(ms, signal) };
}
