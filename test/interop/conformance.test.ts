import { afterAll, beforeAll, describe } from "vitest";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { describeDriver } from "../drivers/conformance.ts";
import { type BoltBench, describeBolt } from "../drivers/conformance-bolt.ts";
import { type Broker, bestBroker, startBroker } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { friendlyName, RealZigbee2mqtt, zigbee2mqttSkipReason } from "./real-zigbee2mqtt.ts";

const plain = { lock: "without Poll Control", pollControl: false, exposePin: true };
const cases = isLong
  ? [plain, { lock: "with Poll Control, its codes not exposed", pollControl: true, exposePin: false }]
  : [plain];

describe.skipIf(zigbee2mqttSkipReason())("over the real zigbee2mqtt", () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker(bestBroker());
  });
  afterAll(() => broker[Symbol.asyncDispose]());

  for (const { lock, pollControl, exposePin } of cases) {
    describe(`a lock ${lock}`, () => {
      let real: RealZigbee2mqtt;
      const baseTopic = pollControl ? "sleepy" : "awake";
      beforeAll(() => {
        // With last_seen it says every sign of life of the lock, which must not be taken for an answer.
        const advanced = { last_seen: "ISO_8601" };
        real = new RealZigbee2mqtt({ brokerUrl: broker.url, baseTopic, pollControl, advanced });
        real.start();
      });
      afterAll(() => real[Symbol.asyncDispose]());

      const able = {
        memory: "numbered",
        readBack: exposePin ? "full" : "occupancy",
        wire: true,
        lists: false,
        pace: 10,
      } as const;
      const options = (): ReturnType<typeof zigbee2mqtt.options.parse> =>
        zigbee2mqtt.options.parse({ url: broker.url, base_topic: baseTopic, expose_pin: exposePin });
      const bench = async (): Promise<BoltBench> => {
        await real.running();
        await real.act({ act: "forget" });
        return {
          address: friendlyName,
          open: (host) => zigbee2mqtt.open(options(), host),
          opens: async (digits) => [...(await real.act({ act: "look" })).values()].includes(digits),
          peer: {
            mode: async (mode) => {
              await real.act({ act: "mode", mode });
            },
            leave: () => real.stop("SIGKILL"),
            comeBack: () => real.running(),
          },
          door: {
            place: async () => (await real.bolt()).place,
            mood: async (mood) => void (await real.act({ act: "mood", mood })),
            mend: async () => void (await real.act({ act: "mood", mood: "ok" })),
            commands: async () => (await real.bolt()).commands,
          },
          close: async () => undefined,
        };
      };
      describeDriver("zigbee2mqtt", able, bench);
      if (!pollControl) describeBolt("zigbee2mqtt", { refusals: false, pace: 10 }, bench);
    });
  }
});
