import { expect, test } from "vitest";
import type { Link } from "../../drivers/driver.ts";
import simulated from "../../drivers/simulated/index.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";
import { type BoltBench, describeBolt } from "./conformance-bolt.ts";

const address = "front-door";
const pace = 20;
/** A fault that changes nothing, and whose strikes are logged: one for each command. */
const counted = { fault: "slow", ms: [0, 0], to: ["bolt"] } as const;
const isOfCount = (line: string): boolean => line.includes('"fault":"slow"') && line.includes('"request":"bolt"');

function bench(): BoltBench {
  const change = async (link: Link, on: boolean, setting: object): Promise<void> => {
    const told = await link.fault?.(address, { on, setting: { ...setting } });
    if (!told || "problem" in told) throw new Error(`the fault was not changed: ${JSON.stringify(told)}`);
  };
  return {
    address,
    async open(host) {
      const link = await simulated.open(simulated.options.parse({}), host);
      await change(link, true, counted);
      return link;
    },
    opens: async () => false,
    door: {
      place: async (link) => ((await link.look?.(address))?.locked ? "locked" : "unlocked"),
      mood: (fault, link) => change(link, true, { fault, to: ["bolt"] }),
      mend: (fault, link) => change(link, false, { fault }),
      commands: async (host) => host.said.filter(isOfCount).length,
    },
    close: async () => undefined,
  };
}

describeBolt("simulated", { refusals: true, pace }, async () => bench());

test("a simulated lock without a bolt has none, and does not say that it has", async () => {
  using host = new RecordingHost(hurriedClock(pace));
  await using link = await simulated.open(simulated.options.parse({ bolt: false }), host);
  const lock = link.lock(address);
  expect(lock.bolt).toBeUndefined();
  expect(await lock.abilities(new AbortController().signal)).not.toHaveProperty("bolt");
});
