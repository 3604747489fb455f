import { systemClock } from "../../agent/clock.ts";
import type { Host, Log } from "../../drivers/driver.ts";

const nothing = (): void => undefined;
const log: Log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** What a driver needs that is called by nobody but a loop: nothing is kept, and nobody listens. */
export const bareHost = (directory: string): Host => ({
  clock: systemClock,
  log,
  state: { directory, get: () => undefined, set: nothing, delete: nothing },
  report: async () => undefined,
});
