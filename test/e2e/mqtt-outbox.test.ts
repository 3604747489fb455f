import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Clock } from "../../drivers/driver.ts";
import type { Passed } from "../support/mqtt-proxy.ts";
import { brokers, client, listen, online, proxied, retained, TestAgent, until } from "./mqtt-support.ts";

const event = (id: number) => ({ id, topic: "access/gateway-1/event/access.live", payload: `event ${id}` });
const reply = (id: number) => ({ id, topic: `access/gateway-1/reply/r${id}`, payload: `reply ${id}` });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const isDeviceSaidAgain = ({ connection, packet }: Passed): boolean =>
  connection > 1 && packet.cmd === "publish" && packet.topic.endsWith("/devices/door-1");

/** Real time, in which the pauses between tries last until somebody is there: by MQTT 3.1.1 nothing is kept for who is late. */
const held = (somebody: Promise<unknown>): Clock => ({
  now: () => instant(Date.now()),
  async sleep(ms, signal) {
    await (ms > 1000 ? somebody : delay(ms, undefined, signal && { signal }));
  },
});

describe.each(brokers)("on $name", ({ start }) => {
  test("letters leave in order, and are forgotten after their PUBACK", async () => {
    const broker = await start();
    const heard = await listen(broker.url, "access/gateway-1/+/+");
    const agent = new TestAgent();
    agent.letters.push(reply(3), event(1), event(2));
    const mqtt = agent.open(broker.url);
    await until("all are forgotten", () => agent.letters.length === 0);
    const told = (): string[] =>
      heard.map(({ payload }) => payload.toString()).filter((text) => /^(reply|event) /.test(text));
    await until("all are told", () => told().length === 3);
    expect(told()).toEqual(["reply 3", "event 1", "event 2"]);
    expect(heard.filter(({ topic }) => topic.includes("/event/")).every(({ retain }) => !retain)).toBe(true);

    agent.letters.push(event(4));
    mqtt.nudge();
    mqtt.nudge();
    await until("the next is forgotten", () => agent.letters.length === 0);
    await until("the next is told", () => told().length >= 4);
    expect(told().at(-1)).toBe("event 4");
  });

  test("1,000 letters wait while the broker is away, and then come once, in order", async () => {
    const broker = await start();
    const agent = new TestAgent();
    const back = new EventEmitter();
    const mqtt = agent.open(broker.url, { clock: held(once(back, "now")) });
    await online(broker.url);
    await broker.stop();
    await until("we noticed", () => !mqtt.connected);
    for (const id of upTo(1000)) agent.letters.push(event(id));
    mqtt.nudge();
    expect(agent.letters).toHaveLength(1000);

    await broker.start();
    const heard = await listen(broker.url, "access/gateway-1/event/#");
    back.emit("now");
    await until("all are forgotten", () => agent.letters.length === 0);
    await until("all are told", () => heard.length >= 1000);
    expect(heard.map(({ payload }) => payload.toString())).toEqual(upTo(1000).map((id) => `event ${id}`));
    expect(agent.log.filter(({ message }) => message.startsWith("lost the broker"))).toHaveLength(1);
    expect(agent.log.filter(({ message }) => message.startsWith("connected"))).toHaveLength(2);
    expect(agent.log.filter(({ message }) => message.startsWith("cannot connect")).length).toBeLessThanOrEqual(2);
  });

  test("what was in flight when the connection broke is published once more, not twice", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    await listen(broker.url, "access/gateway-1/event/#");
    for (const id of upTo(10)) agent.letters.push(event(id));
    proxy.cutAt(
      (packet) => packet.cmd === "publish" && packet.payload.toString() === "event 6",
      () => proxy.disconnect(),
    );
    agent.open(proxy.url);
    await until("all are forgotten", () => agent.letters.length === 0);
    const sent = proxy.passed.flatMap(({ from, packet }) =>
      from === "agent" && packet.cmd === "publish" && packet.topic.includes("/event/")
        ? [packet.payload.toString()]
        : [],
    );
    const afterTheBreak = sent.slice(5);
    expect(sent.slice(0, 5)).toEqual(upTo(5).map((id) => `event ${id}`));
    expect(afterTheBreak).toEqual(
      upTo(10)
        .slice(-afterTheBreak.length)
        .map((id) => `event ${id}`),
    );
    expect(afterTheBreak.at(0)).toMatch(/^event [1-6]$/);
    // The client of the first connection would come back after a second, if it were left to itself.
    const connects = (): number => proxy.passed.filter(({ packet }) => packet.cmd === "connect").length;
    const before = connects();
    await delay(1200);
    expect(connects()).toBe(before);
  });

  test("status and devices stand retained; only what changed is said again; gone devices are cleared", async () => {
    const broker = await start();
    const agent = new TestAgent();
    const mqtt = agent.open(broker.url);
    await online(broker.url);
    await retained(broker.url, "access/gateway-1/devices/door-1", (payload) => payload.includes('"online":true'));

    const heard = await listen(broker.url, "access/gateway-1/#");
    await until("the retained ones came", () => heard.length === 2);
    heard.length = 0;
    agent.devices.set("door-2", "second");
    mqtt.nudge();
    await until("the second is told", () => heard.length > 0);
    agent.devices.delete("door-1");
    agent.status = '{"state":"online","debt":1}';
    mqtt.nudge();
    await until("both are told", () => heard.length === 3);
    expect(heard.map(({ topic, payload }) => `${topic.slice(17)} ${payload.toString()}`)).toEqual([
      "devices/door-2 second",
      'status {"state":"online","debt":1}',
      "devices/door-1 ",
    ]);
    const later = await listen(broker.url, "access/gateway-1/devices/#");
    await until("what stands came", () => later.length > 0);
    expect(later.map(({ topic }) => topic)).toEqual(["access/gateway-1/devices/door-2"]);
  });

  test("the last will says offline; so do we as we leave", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    const mqtt = agent.open(proxy.url);
    await online(broker.url);
    const heard = await listen(broker.url, "access/gateway-1/status");
    const said = (): string[] => heard.map(({ payload }) => payload.toString());
    proxy.disconnect();
    await until("the will", () => said().includes('{"state":"offline","version":"0.1.0"}'));
    await until("back", () => said().at(-1) === agent.status);
    // Its device, too, is said once more: after that it has nothing to say.
    await until("all was said again", () => proxy.passed.some(isDeviceSaidAgain));
    const sentBefore = proxy.passed.length;
    await mqtt.close();
    await until("offline", () => said().at(-1) === '{"state":"offline","version":"0.1.0"}');
    const sent = (): string[] =>
      proxy.passed.slice(sentBefore).flatMap(({ from, packet }) => (from === "agent" ? [packet.cmd] : []));
    await until("the proxy has passed it on", () => sent().includes("disconnect"));
    expect(sent()).toEqual(["publish", "disconnect"]);
    const later = await client(broker.url);
    expect(later.connected).toBe(true);
  });

  test("a reply of the last commands leaves before we do", async () => {
    const broker = await start();
    const heard = await listen(broker.url, "access/gateway-1/reply/#");
    const agent = new TestAgent();
    const mqtt = agent.open(broker.url);
    await online(broker.url);
    agent.letters.push(reply(1));
    await mqtt.close();
    expect(agent.letters).toEqual([]);
    await until("told", () => heard.length === 1);
  });
});
