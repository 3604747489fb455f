import { afterAll, beforeAll, describe } from "vitest";
import { describeBolt } from "../drivers/conformance-bolt.ts";
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
    // Without Supervision nobody is told that a lock has refused.
    { name: "zwave, without Supervision", address: zwaveLocks.userCode1, refusals: false },
    { name: "zwave, User Code 2", address: zwaveLocks.userCode2, refusals: true },
    { name: "zwave, User Credential", address: zwaveLocks.userCredential, refusals: true },
  ];
  const cases = isLong ? everyLock : everyLock.filter(({ address }) => address === zwaveLocks.userCode2);
  for (const { name, address, refusals } of cases)
    describeBolt(name, { refusals, pace: 10 }, () => house.bench(address));
});
