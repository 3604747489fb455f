import { connectAsync } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import type { Link, Memory } from "../../drivers/driver.ts";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { entry, never } from "../drivers/bench.ts";
import { type Broker, bestBroker, startBroker } from "../support/broker.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";
import { friendlyName, ieee, RealZigbee2mqtt, zigbee2mqttSkipReason } from "./real-zigbee2mqtt.ts";

const slot = slotName("3");

describe.skipIf(zigbee2mqttSkipReason())("driver zigbee2mqtt over the real one", () => {
  let broker: Broker;
  let real: RealZigbee2mqtt;
  let host: RecordingHost;
  let link: Link;
  let topics = 0;
  const start = async (pollControl = false): Promise<void> => {
    const baseTopic = `habits-${++topics}`;
    real = new RealZigbee2mqtt({ brokerUrl: broker.url, baseTopic, pollControl });
    link = await zigbee2mqtt.open(zigbee2mqtt.options.parse({ url: broker.url, base_topic: baseTopic }), host);
    await real.running();
  };
  const memory = (address = friendlyName): Memory => {
    const { memory: found } = link.lock(address);
    if (!found) throw new Error("it has one");
    return found;
  };

  beforeAll(async () => {
    broker = await startBroker(bestBroker());
  });
  afterAll(() => broker[Symbol.asyncDispose]());
  beforeEach(() => {
    host = new RecordingHost(hurriedClock(5));
  });
  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    await real[Symbol.asyncDispose]();
    host[Symbol.dispose]();
  });

  test("a command that waits while zigbee2mqtt starts is not lost", async () => {
    await start();
    expect(await memory().write(entry("04711147"), slot, never())).toMatchObject({ proof: "read_back" });
  });

  test("zigbee2mqtt keeps no code on its disk, once the driver has set it up", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    await memory().read?.(slot, never());
    await real.stop();
    expect(real.stateFile()).toContain(ieee);
    expect(real.stateFile()).not.toContain("04711147");
  });

  test("tells what happens at the lock", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    await real.act({ act: "type", digits: "04711147" });
    expect(await host.reported("unlocked")).toMatchObject({ address: friendlyName, method: "keypad", slot });
    await real.act({ act: "type", digits: "04711148" });
    expect(await host.reported("denied")).toMatchObject({ reason: "unknown_code" });
    await real.act({ act: "program", source: 1, code: 2, user: 12 });
    expect(await host.reported("changed")).toMatchObject({ slot: "12" });
    await real.act({ act: "battery", halves: 101 });
    expect(await host.reported("battery")).toMatchObject({ level: 0.505 });
  });

  test("a lock that is given another name is followed by its IEEE address", async () => {
    await start();
    expect(await memory(ieee).write(entry("04711147"), slot, never())).toMatchObject({ result: "stored" });
    const client = await connectAsync(broker.url);
    const rename = JSON.stringify({ from: friendlyName, to: "hall/front door" });
    await client.publishAsync(`habits-${topics}/bridge/request/device/rename`, rename);
    await client.endAsync();
    await eventually("the new name", async () => {
      const outcome = await memory(ieee).clear(slot, AbortSignal.timeout(3000));
      return outcome.result === "stored" ? true : undefined;
    });
    expect(await real.act({ act: "look" })).toEqual(new Map());
  });

  test("a lock that does not say how many PINs it takes is taken for an ordinary one", async () => {
    await start();
    await real.act({ act: "silence", attribute: 0x12 });
    const { memory: limits } = await link.lock(friendlyName).abilities(never());
    expect(limits?.kinds.get("pin")?.slots).toHaveLength(10);
    expect(await memory().write(entry("04711147"), slot, never())).toMatchObject({ result: "stored" });
  });

  test("with Poll Control a write that was given up is done after the clear, and read() tells", async () => {
    await start(true);
    expect((await link.lock(friendlyName).abilities(never())).memory?.settles).toBe(86_400_000);
    await real.act({ act: "mode", mode: "dead" });
    expect(await memory().write(entry("04711147"), slot, never())).toEqual({ result: "unconfirmed", slot });
    await real.act({ act: "mode", mode: "ok" });
    await memory().clear(slot, never());
    await eventually("the late write", async () => ((await real.act({ act: "look" })).size === 1 ? true : undefined));
    expect(await memory().read?.(slot, never())).toMatchObject({ state: "known" });
    expect(await memory().clear(slot, never())).toMatchObject({ result: "stored" });
    expect(await real.act({ act: "look" })).toEqual(new Map());
  });

  test("a broker that goes away and comes back without its memory is gone through", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    const before = host.events.length;
    await broker.stop();
    await host.reported("offline", before);
    await broker.start();
    await host.reported("online", before);
    expect(await memory().read?.(slot, never())).toMatchObject({ state: "known" });
  });

  test("exposures() finds that codes are copied into zigbee2mqtt's log, as they are", async () => {
    await start();
    const client = await connectAsync(broker.url);
    const logged: string[] = [];
    client.on("message", (_, payload) => void logged.push(payload.toString()));
    await client.subscribeAsync(`habits-${topics}/bridge/logging`);
    await memory().write(entry("04711147"), slot, never());
    await eventually("the leak", () => logged.find((line) => line.includes("04711147")));
    const cures = ((await link.exposures?.(never())) ?? []).map(({ cure }) => cure).join("\n");
    expect(cures).toContain('"z2m:mqtt": "warning"');

    const cure = { options: { advanced: { log_namespaced_levels: { "z2m:mqtt": "warning" } } } };
    await client.publishAsync(`habits-${topics}/bridge/request/options`, JSON.stringify(cure));
    await eventually("the cure", async () => {
      const left = (await link.exposures?.(never())) ?? [];
      return left.some((exposure) => exposure.cure.includes("z2m:mqtt")) ? undefined : true;
    });
    await memory().write(entry("04711148"), slot, never());
    expect(logged.join("\n")).not.toContain("04711148");
    await client.endAsync();
  });
});
