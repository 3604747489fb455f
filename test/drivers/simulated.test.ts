import { Secret } from "../../agent/domain/secret.ts";
import simulated from "../../drivers/simulated/index.ts";
import { describeDriver } from "./conformance.ts";

for (const memory of ["numbered", "assigned", "keyed"] as const) {
  for (const readBack of ["full", "masked", "occupancy", "none"] as const) {
    const able = { memory, readBack, wire: false, lists: readBack !== "none" };
    describeDriver(`simulated, ${memory}, read back ${readBack}`, able, async () => ({
      address: "front-door",
      open: (host) => simulated.open(simulated.options.parse({ memory, read_back: readBack }), host),
      async opens(digits, link) {
        const effect = await link.act?.("front-door", { act: "type", digits: new Secret(digits) });
        return effect?.effect === "opened";
      },
      close: async () => undefined,
    }));
  }
}
