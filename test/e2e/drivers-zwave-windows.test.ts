import { afterAll, beforeAll, describe } from "vitest";
import { describeDriver } from "../drivers/conformance.ts";
import { isLong } from "../support/long.ts";
import { inZone } from "../support/machine-zone.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { socatSkipReason, zwaveLocks } from "../support/zwave-far-end.ts";

const minute = 60_000;
const local = { together: false, base: "local" } as const;

describe.skipIf(socatSkipReason() ?? !isLong)("over a serial device, in a zone that is not the door's", () => {
  // zwave-js sets the clocks of locks by the zone of the machine.
  inZone("America/St_Johns");
  let house: ZwaveHouse;
  beforeAll(async () => {
    house = await ZwaveHouse.open(cases.map(({ address }) => address));
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const cases = [
    {
      name: "zwave, times of a week by an old lock",
      address: zwaveLocks.timed1,
      readBack: "masked",
      windows: { weekly: { perEntry: 7, of: "days", resolution: 1 }, ...local },
    },
    {
      name: "zwave, dates and times of several days",
      address: zwaveLocks.timed2,
      readBack: "full",
      suspends: true,
      windows: {
        dates: minute,
        weekly: { perEntry: 7, of: "windows", resolution: 1, longest: 1439 },
        ...local,
      },
    },
  ] as const;

  for (const { name, address, ...able } of cases) {
    describeDriver(name, { memory: "numbered", wire: true, lists: true, ...able }, () => house.bench(address));
  }
});
