import { afterAll, beforeAll, describe } from "vitest";
import { describeDriver } from "../drivers/conformance.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { socatSkipReason, zwaveLocks } from "../support/zwave-far-end.ts";

describe.skipIf(socatSkipReason())("over a serial device", () => {
  let house: ZwaveHouse;
  beforeAll(async () => {
    house = await ZwaveHouse.open();
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const cases = [
    { name: "zwave, User Code 1, masked", address: zwaveLocks.userCode1, readBack: "masked" },
    { name: "zwave, User Code 2", address: zwaveLocks.userCode2, readBack: "full" },
    { name: "zwave, User Credential", address: zwaveLocks.userCredential, readBack: "full" },
  ] as const;

  for (const { name, address, readBack } of cases) {
    describeDriver(name, { memory: "numbered", readBack, wire: true, lists: true }, async () => {
      const { far } = house;
      await far.act(address, { act: "forget" });
      return {
        address,
        open: (host) => house.connect(host),
        opens: async (digits) => Object.values((await far.look(address)).codes).includes(digits),
        peer: {
          mode: async (mode) => void (await far.act(address, { act: "mode", mode })),
          leave: () => far.unplug(),
          comeBack: () => far.plug(),
        },
        wires: () => house.wires(),
        close: () => far.plug(),
      };
    });
  }
});
