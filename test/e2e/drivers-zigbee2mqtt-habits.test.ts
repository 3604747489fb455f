import { connectAsync } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import { type Link, LinkError, type Memory } from "../../drivers/driver.ts";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { Zigbee2mqttPersona } from "../../simulator/zigbee2mqtt.ts";
import { entry, never, rejection } from "../drivers/bench.ts";
import { type Broker, bestBroker, freePort, startBroker } from "../support/broker.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";

const [name, ieee, baseTopic] = ["front_door", "0x000d6f0011223344", "z/2m"];
const slot = slotName("3");

describe("driver zigbee2mqtt", () => {
  let broker: Broker;
  let persona: Zigbee2mqttPersona;
  let host: RecordingHost;
  let link: Link;
  const open = (more: object = {}): Promise<Link> =>
    zigbee2mqtt.open(zigbee2mqtt.options.parse({ url: broker.url, base_topic: baseTopic, ...more }), host);
  const start = async (pollControl = false): Promise<void> => {
    const locks = [{ name, ieee, pollControl }];
    persona = new Zigbee2mqttPersona({ url: broker.url, baseTopic, locks, patience: 20 });
    await persona.start();
    link = await open();
  };
  const memory = (address = name): Memory => {
    const { memory: found } = link.lock(address);
    if (!found) throw new Error("it has one");
    return found;
  };

  beforeEach(async () => {
    broker = await startBroker(bestBroker());
    host = new RecordingHost(hurriedClock(25));
  });
  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    await persona.stop();
    await broker[Symbol.asyncDispose]();
    host[Symbol.dispose]();
  });

  test("tells what happens at the lock", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    await host.reported("online");
    await persona.act(name, { act: "type", digits: "04711147" });
    expect(await host.reported("unlocked")).toMatchObject({ address: name, method: "keypad", slot });
    await persona.act(name, { act: "type", digits: "04711148" });
    expect(await host.reported("denied")).toMatchObject({ address: name, reason: "unknown_code" });
    await persona.act(name, { act: "program", source: 0, code: 3, user: 8 });
    expect(await host.reported("changed")).toMatchObject({ address: name, slot: "8" });
    await persona.act(name, { act: "bolt", state: 0 });
    await host.reported("jammed");
    await persona.act(name, { act: "battery", halves: 100 });
    expect(await host.reported("battery")).toMatchObject({ level: 0.5 });
  });

  test("an address is a friendly name or an IEEE address", async () => {
    await start();
    expect(await memory(ieee).write(entry("04711147"), slot, never())).toMatchObject({ result: "stored" });
    expect(await link.lock(name).abilities(never())).toMatchObject({ identity: ieee, model: "Yale YRD256HA20BP" });
    await persona.act(name, { act: "type", digits: "04711147" });
    await eventually("both", () => host.events.filter(({ event }) => event === "unlocked").length === 2 || undefined);
  });

  test("a device that zigbee2mqtt does not have is an error that says what to do", async () => {
    await start();
    const error = await rejection(link.lock("back_door").abilities(never()));
    expect(error).toMatchObject({ name: "LinkError", sent: false });
    expect(error instanceof LinkError && error.hint).toContain("friendly name");
  });

  test("options that someone takes away are set again before the next command", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    const client = await connectAsync(broker.url);
    const gone = { id: name, options: { expose_pin: false, filtered_cache: [] } };
    await client.publishAsync(`${baseTopic}/bridge/request/device/options`, JSON.stringify(gone));
    const seen: string[] = [];
    client.on("message", (_, payload) => void seen.push(payload.toString()));
    await client.subscribeAsync(`${baseTopic}/bridge/response/device/options`);
    await eventually("the change", () => seen[0]);
    // The driver hears of it on a connection of its own, a little sooner or later.
    const read = async (): Promise<string | undefined> => (await memory().read?.(slot, never()))?.state;
    const deadline = Date.now() + 5_000;
    while ((await read()) !== "known" && Date.now() < deadline);
    await eventually("the option", () => (seen.at(-1)?.includes('"expose_pin":true') ? true : undefined));
    expect(await read()).toBe("known");
    await client.endAsync();
  });

  test("what the broker has kept of a lock is no answer", async () => {
    await start();
    const client = await connectAsync(broker.url);
    const kept = JSON.stringify({ users: { 3: { status: "enabled", pin_code: "04711147" } } });
    await client.publishAsync(`${baseTopic}/${name}`, kept, { retain: true });
    await client.endAsync();
    await link.lock(name).abilities(never());
    await persona.act(name, { act: "mode", mode: "dead" });
    expect(await rejection(memory().read?.(slot, never()))).toMatchObject({ name: "LinkError" });
  });

  test("a lock that zigbee2mqtt calls offline is asked before anything is sent to it", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    await host.reported("online");
    const before = host.events.length;
    await persona.miss(name);
    await host.reported("offline", before);
    await persona.act(name, { act: "mode", mode: "dead" });
    expect(await rejection(memory().clear(slot, never()))).toMatchObject({ name: "LinkError", sent: false });
    await persona.act(name, { act: "mode", mode: "ok" });
    expect(await memory().clear(slot, never())).toMatchObject({ result: "stored" });
    await host.reported("online", before);
  });

  test("with Poll Control a write that was given up can be done late: the driver says so, and read() tells", async () => {
    await start(true);
    const { memory: limits } = await link.lock(name).abilities(never());
    expect(limits?.settles).toBe(86_400_000);
    await persona.act(name, { act: "mode", mode: "dead" });
    expect(await memory().write(entry("04711147"), slot, never())).toEqual({ result: "unconfirmed", slot });
    await persona.act(name, { act: "mode", mode: "ok" });
    await memory().clear(slot, never());
    await eventually("the late write", () => (persona.codes(name).size === 1 ? true : undefined));
    expect(await memory().read?.(slot, never())).toMatchObject({ state: "known" });
  });

  test("a broker that goes away and comes back without its memory is gone through", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    await host.reported("online");
    const before = host.events.length;
    await broker.stop();
    await host.reported("offline", before);
    expect(await rejection(memory().clear(slot, never()))).toMatchObject({ name: "LinkError", sent: false });
    await broker.start();
    await host.reported("online", before);
    expect(await memory().read?.(slot, never())).toMatchObject({ state: "known" });
    expect(await memory().clear(slot, never())).toMatchObject({ result: "stored" });
  });

  test("a zigbee2mqtt that starts after us is waited for", async () => {
    await start();
    await link[Symbol.asyncDispose]();
    await persona.stop();
    link = await open();
    const written = memory().write(entry("04711147"), slot, never());
    await persona.start();
    expect(await written).toMatchObject({ result: "stored", proof: "read_back" });
  });

  test("exposures() names what this zigbee2mqtt lets out, and the setting that ends it", async () => {
    await start();
    await memory().write(entry("04711147"), slot, never());
    const found = (await link.exposures?.(never())) ?? [];
    expect(found.map(({ cure }) => cure).join("\n")).toContain('"z2m:mqtt": "warning"');
    expect(found.filter(({ address }) => address === name)).toHaveLength(1);
    expect(found.every(({ problem, cure }) => problem !== "" && cure !== "")).toBe(true);
  });

  test("open() where there is no broker is a LinkError that leaves nothing behind", async () => {
    await start();
    const error = await rejection(open({ url: `mqtt://127.0.0.1:${await freePort()}` }));
    expect(error).toMatchObject({ name: "LinkError", sent: false });
    const unreadable = await rejection(open({ username: "me", password_file: "no-such-file" }));
    expect(unreadable).toMatchObject({ name: "LinkError", message: "cannot read password_file no-such-file" });
  });
});

test("a password in the address of the broker is refused", () => {
  const { success } = zigbee2mqtt.options.safeParse({ url: "mqtt://me:password@127.0.0.1:1883" });
  expect(success).toBe(false);
});
