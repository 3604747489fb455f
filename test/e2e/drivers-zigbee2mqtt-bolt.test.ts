import { connectAsync } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LinkError } from "../../drivers/driver.ts";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { Zigbee2mqttPersona } from "../../simulator/zigbee2mqtt.ts";
import { never, rejection } from "../drivers/bench.ts";
import { describeBolt } from "../drivers/conformance-bolt.ts";
import { type Broker, bestBroker, startBroker } from "../support/broker.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";

const name = "front_door";
let topics = 0;

describe("over a broker", () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker(bestBroker());
  });
  afterAll(() => broker[Symbol.asyncDispose]());

  /** Resolves when what was published before this has come to who listens. */
  async function arrival(): Promise<void> {
    const client = await connectAsync(broker.url);
    const topic = `arrival-${++topics}`;
    await client.subscribeAsync(topic);
    // Two who speak at once may be heard in any order: the second time, the other was heard before.
    for (const _ of ["once", "again"]) {
      const heard = new Promise((resolve) => client.once("message", resolve));
      await client.publishAsync(topic, "");
      await heard;
    }
    await client.endAsync();
  }

  async function started(pollControl: boolean) {
    const baseTopic = `bolt-${++topics}`;
    const locks = [{ name, ieee: "0x000d6f0011223344", pollControl }];
    const persona = new Zigbee2mqttPersona({ url: broker.url, baseTopic, locks, patience: 50 });
    await persona.start();
    return { persona, options: zigbee2mqtt.options.parse({ url: broker.url, base_topic: baseTopic }) };
  }

  // zigbee2mqtt tells nobody that a lock has refused.
  describeBolt("zigbee2mqtt", { refusals: false, pace: 25 }, async () => {
    const { persona, options } = await started(false);
    return {
      address: name,
      open: (host) => zigbee2mqtt.open(options, host),
      opens: async () => false,
      door: {
        place: async () => persona.bolt(name).place,
        mood: async (fault) => void (await persona.act(name, { act: "fault", fault, to: ["bolt"] })),
        mend: async (fault) => {
          // What is on its way does not meet a lock that hears again.
          await arrival();
          await persona.act(name, { act: "mend", fault });
        },
        commands: async () => persona.bolt(name).commands,
      },
      close: () => persona.stop(),
    };
  });

  test("a lock with Poll Control has none: what it does not hear now, zigbee2mqtt says to it within a day", async () => {
    const { persona, options } = await started(true);
    await using _ = persona;
    using host = new RecordingHost(hurriedClock(25));
    await using link = await zigbee2mqtt.open(options, host);
    const lock = link.lock(name);
    const early = lock.bolt;
    expect(await lock.abilities(never())).not.toHaveProperty("bolt");
    expect(lock.bolt).toBeUndefined();
    // Nor does one that was given out before that was known.
    const moved = early?.unlock(never()) ?? Promise.reject(new LinkError("none was given out", { sent: false }));
    expect(await rejection(moved)).toMatchObject({ name: "LinkError", sent: false });
    expect(persona.bolt(name)).toEqual({ place: "locked", commands: 0 });
  });

  test("a lock that answers nothing is not told to move", async () => {
    const { persona, options } = await started(false);
    await using _ = persona;
    using host = new RecordingHost(hurriedClock(25));
    await using link = await zigbee2mqtt.open(options, host);
    const lock = link.lock(name);
    await lock.abilities(never());
    await persona.act(name, { act: "mode", mode: "dead" });
    expect(await rejection(lock.bolt?.unlock(never()))).toMatchObject({ name: "LinkError", sent: false });
    expect(persona.bolt(name)).toEqual({ place: "locked", commands: 0 });
  });
});
