import { afterAll, beforeAll, describe } from "vitest";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { Zigbee2mqttPersona } from "../../simulator/zigbee2mqtt.ts";
import { describeDriver } from "../drivers/conformance.ts";
import { type Broker, brokerSkipReason, startBroker } from "../support/broker.ts";
import { isLong } from "../support/long.ts";

const name = "front_door";
let topics = 0;

for (const kind of ["aedes", "mosquitto"] as const) {
  describe.skipIf(brokerSkipReason(kind))(`over ${kind}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await startBroker(kind);
    });
    afterAll(() => broker[Symbol.asyncDispose]());

    // Without codes in its answers once is enough: the broker makes no difference to it.
    const withCodes = kind === "aedes" || isLong ? [true] : [];
    for (const exposePin of kind === "mosquitto" ? [...withCodes, false] : withCodes) {
      const able = {
        memory: "numbered",
        readBack: exposePin ? "full" : "occupancy",
        wire: true,
        lists: false,
        pace: 25,
      } as const;
      describeDriver(`zigbee2mqtt, expose_pin ${exposePin}`, able, async () => {
        const baseTopic = `zigbee2mqtt-${++topics}`;
        const locks = [{ name, ieee: "0x000d6f0011223344", pollControl: false }];
        const persona = new Zigbee2mqttPersona({ url: broker.url, baseTopic, locks, patience: 50 });
        await persona.start();
        const options = zigbee2mqtt.options.parse({ url: broker.url, base_topic: baseTopic, expose_pin: exposePin });
        return {
          address: name,
          open: (host) => zigbee2mqtt.open(options, host),
          opens: async (digits) => [...persona.codes(name).values()].includes(digits),
          peer: {
            mode: async (mode) => void (await persona.act(name, { act: "mode", mode })),
            leave: () => persona.stop("power cut"),
            comeBack: () => persona.start(),
          },
          close: () => persona.stop(),
        };
      });
    }
  });
}
