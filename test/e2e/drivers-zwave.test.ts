import { afterAll, beforeAll, describe } from "vitest";
import { describeDriver } from "../drivers/conformance.ts";
import { isLong } from "../support/long.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { socatSkipReason, zwaveLocks } from "../support/zwave-far-end.ts";

describe.skipIf(socatSkipReason())("over a serial device", () => {
  let house: ZwaveHouse;
  beforeAll(async () => {
    house = await ZwaveHouse.open(cases.map(({ address }) => address));
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const everyLock = [
    { name: "zwave, User Code 1, masked", address: zwaveLocks.userCode1, readBack: "masked" },
    { name: "zwave, User Code 2", address: zwaveLocks.userCode2, readBack: "full", suspends: true },
    { name: "zwave, User Credential", address: zwaveLocks.userCredential, readBack: "full", suspends: true },
  ] as const;
  // Each of their tests takes a start of zwave-js.
  const cases = isLong ? everyLock : everyLock.filter(({ address }) => address === zwaveLocks.userCredential);

  for (const { name, address, ...able } of cases) {
    describeDriver(name, { memory: "numbered", wire: true, lists: true, ...able }, () => house.bench(address));
  }
});
