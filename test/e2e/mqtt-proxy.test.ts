import type { Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { brokers, client, listen, proxied, until } from "./mqtt-support.ts";

const publishing =
  (text: string) =>
  (packet: Packet): boolean =>
    packet.cmd === "publish" && packet.payload.toString() === text;

describe.each(brokers)("on $name", ({ start, levels }) => {
  test.each(levels)("cutAt() drops the packet and all after it, at protocol level %i", async (level) => {
    const broker = await start();
    const heard = await listen(broker.url, "t");
    const proxy = await proxied(broker);
    const publisher = await client(proxy.url, { protocolVersion: level });
    await publisher.publishAsync("t", "1", { qos: 1 });
    let cut = 0;
    proxy.cutAt(publishing("3"), () => {
      cut += 1;
    });
    await publisher.publishAsync("t", "2", { qos: 1 });
    publisher.publish("t", "3", { qos: 1 });
    publisher.publish("t", "4", { qos: 1 });
    await until("cut", () => cut === 1);
    proxy.disconnect();
    await until("the publisher noticed", () => !publisher.connected);

    const later = await client(proxy.url, { protocolVersion: level });
    await later.publishAsync("t", "3", { qos: 1 });
    await until("heard", () => heard.length >= 3);
    expect(heard.map(({ payload }) => payload.toString())).toEqual(["1", "2", "3"]);
    const passed = proxy.passed.filter(({ from }) => from === "agent").map(({ packet }) => packet.cmd);
    expect(passed).toEqual(["connect", "publish", "publish", "connect", "publish"]);
    expect(cut).toBe(1);
  });

  test("packets larger than a chunk, and many in one chunk, pass whole", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const heard = await listen(proxy.url, "t");
    const publisher = await client(proxy.url);
    const texts = ["x".repeat(300_000), ...Array.from({ length: 200 }, (_, index) => String(index))];
    await Promise.all(texts.map((text) => publisher.publishAsync("t", text, { qos: 1 })));
    await until("all came", () => heard.length === texts.length);
    expect(heard.map(({ payload }) => payload.toString())).toEqual(texts);
  });
});
