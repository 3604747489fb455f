import type { Clock, Driver, Link } from "../drivers/driver.ts";
import type { AgentFacts } from "./commands/command.ts";
import type { Config } from "./config.ts";
import { deviceId } from "./domain/ids.ts";
import type { AgentLog } from "./log.ts";
import type { Store } from "./store/store.ts";
import type { Whereabouts } from "./sync/keeper.ts";
import type { Wire } from "./sync/links.ts";

interface WireParts {
  readonly clock: Clock;
  readonly isTimeTrusted: () => boolean;
  readonly log: AgentLog;
  readonly drivers: Readonly<Record<string, () => Promise<Driver>>>;
}

/** The configured links, with their drivers loaded and what each driver may ask of us. */
export function wiresOf(
  { links }: Config,
  { clock, isTimeTrusted, log, drivers }: WireParts,
  { driverStates }: Store,
): Promise<readonly Wire[]> {
  return Promise.all(
    [...links].flatMap(([name, { driver: driverName, options }]) => {
      const load = drivers[driverName];
      if (!load) return [];
      const host = { clock, isTimeTrusted, log: log.child({ link: name }), state: driverStates.of(name) };
      return [load().then((driver) => ({ name, driver, options, host }))];
    }),
  );
}

/** How the configured links stand. */
export const linkFacts = ({ links }: Config, linkOf: (name: string) => Link | undefined): AgentFacts["links"] =>
  [...links.keys()].map((name) => {
    const link = linkOf(name);
    const standing = link?.standing?.();
    return { link: name, open: link !== undefined, ...(standing ? { standing } : {}) };
  });

/** Where the bolt of each device is that has one, or what rounds look after: its memory, or where it has none its reader. */
export const whereabouts = ({ devices }: Config, part: "lock" | "bolt" = "lock"): readonly Whereabouts[] =>
  devices.flatMap(({ deviceId: id, parts: { memory, reader, bolt } }) => {
    const place = part === "bolt" ? bolt : (memory ?? reader);
    return place ? [{ device: deviceId(id), ...place }] : [];
  });
