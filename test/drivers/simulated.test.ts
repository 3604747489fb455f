import type { WindowAbility } from "../../agent/domain/lock-window.ts";
import { Secret } from "../../agent/domain/secret.ts";
import type { Host } from "../../drivers/driver.ts";
import simulated from "../../drivers/simulated/index.ts";
import type { Bench } from "./bench.ts";
import { describeDriver } from "./conformance.ts";

type Options = Parameters<typeof simulated.options.parse>[0];

/** A simulated lock, by whose clock it can be any time. */
function benchOf(options: Options): Bench {
  let at: ReturnType<Host["clock"]["now"]> | undefined;
  return {
    address: "front-door",
    open: (host) => {
      const clock: Host["clock"] = {
        now: () => at ?? host.clock.now(),
        sleep: (ms, signal) => host.clock.sleep(ms, signal),
      };
      const { log, state } = host;
      return simulated.open(simulated.options.parse(options), {
        clock,
        log,
        state,
        report: (event) => host.report(event),
      });
    },
    async opens(digits, link, moment) {
      at = moment;
      const effect = await link.act?.("front-door", { act: "type", digits: new Secret(digits) });
      at = undefined;
      return effect?.effect === "opened";
    },
    close: async () => undefined,
  };
}

const minute = 60_000;
const weekly = { perEntry: 14, of: "days", resolution: 1 } as const;
const windows: Readonly<Record<"dates" | "weekly" | "both", WindowAbility>> = {
  dates: { dates: minute, together: false, base: "local" },
  weekly: { weekly, together: false, base: "local" },
  both: { dates: minute, weekly, together: true, base: "local" },
};

for (const memory of ["numbered", "assigned", "keyed"] as const) {
  for (const readBack of ["full", "masked", "occupancy", "none"] as const) {
    const able = { memory, readBack, wire: false, lists: readBack !== "none" };
    describeDriver(`simulated, ${memory}, read back ${readBack}`, able, async () =>
      benchOf({ memory, read_back: readBack }),
    );
  }
  const able = { memory, readBack: "full", wire: false, lists: true, windows: windows.both, suspends: true } as const;
  const options = { memory, windows: "both", suspends: true } as const;
  describeDriver(`simulated, ${memory}, with windows`, able, async () => benchOf(options));
}
for (const kind of ["dates", "weekly"] as const) {
  const able = { memory: "numbered", readBack: "masked", wire: false, lists: true, windows: windows[kind] } as const;
  describeDriver(`simulated, with ${kind}`, able, async () => benchOf({ read_back: "masked", windows: kind }));
}
