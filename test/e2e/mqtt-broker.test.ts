import type { IClientPublishOptions } from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EmbeddedBroker, openBroker } from "../../agent/mqtt/broker.ts";
import type { Arrival } from "../../agent/mqtt/inbox.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";
import { allowance } from "../support/pace.ts";
import { client, grant, listen, silent, until } from "./mqtt-support.ts";

class Desk {
  readonly batches: (readonly Arrival[])[] = [];
  readonly failures: unknown[] = [];
  broken: Error | undefined;

  readonly accept = (arrivals: readonly Arrival[]): undefined => {
    if (this.broken) throw this.broken;
    this.batches.push(arrivals);
  };

  get payloads(): string[] {
    return this.batches.flat().map(({ payload }) => Buffer.from(payload).toString());
  }
}

const topics = topicsOf("access", "gateway-1");
const optionsOf = (desk: Desk) => ({
  log: silent,
  topics,
  intake: desk,
  onFailure: (cause: unknown) => void desk.failures.push(cause),
});

async function opened(desk = new Desk(), port = 0): Promise<EmbeddedBroker> {
  const broker = await openBroker({ port, ...optionsOf(desk) });
  onTestFinished(() => broker.close());
  return broker;
}

test("openBroker() passes messages, and hangs up on its clients within a second", async () => {
  const desk = new Desk();
  const broker = await opened(desk);
  const heard = await listen(broker.url, "a/#");
  const publisher = await client(broker.url);
  await publisher.publishAsync("a/b", "hello", { qos: 1 });
  await until("heard", () => heard.length === 1);
  expect(desk.batches).toEqual([]);
  const from = Date.now();
  await broker.close();
  const took = Date.now() - from;
  expect(took).toBeLessThan(await allowance(1_000));
  await until("the client noticed", () => !publisher.connected);
});

test("openBroker() on a taken port names the setting and a way out", async () => {
  const broker = await opened();
  const port = Number(new URL(broker.url).port);
  await expect(opened(new Desk(), port)).rejects.toMatchObject({
    name: "ConfigError",
    message: `broker.port: 127.0.0.1:${port} is in use, perhaps by another broker`,
    hint: expect.stringContaining("broker.url") as string,
  });
});

test.each(["0.0.0.0", "192.168.1.5", "::", "example.org"])("openBroker() refuses to listen on %s", async (host) => {
  await expect(openBroker({ host, port: 0, ...optionsOf(new Desk()) })).rejects.toThrow("broker.host");
});

describe("a command published to the embedded broker", () => {
  test.each([0, 1, 2] as const)("at QoS %i is taken once, and others who subscribed get it too", async (qos) => {
    const desk = new Desk();
    const broker = await opened(desk);
    const heard = await listen(broker.url, topics.commands);
    const publisher = await client(broker.url);
    const large = "x".repeat(900 * 1024);
    for (const payload of ["{}", large]) await publisher.publishAsync(grant, payload, { qos });
    // At QoS 1 and 2 the publisher has its answer now; at QoS 0 there is none.
    if (qos === 0) await until("taken", () => desk.payloads.length === 2);
    expect(desk.payloads.map(({ length }) => length)).toEqual([2, large.length]);
    expect(desk.batches[0]).toEqual([{ topic: grant, payload: Buffer.from("{}"), retained: false }]);
    await until("heard", () => heard.length === 2);
  });

  test("shares its commit with those that came with it, in order", async () => {
    const desk = new Desk();
    const broker = await opened(desk);
    const publisher = await client(broker.url);
    const payloads = Array.from({ length: 900 }, (_, index) => String(index));
    await Promise.all(payloads.map((payload) => publisher.publishAsync(grant, payload, { qos: 1 })));
    expect(desk.payloads).toEqual(payloads);
    expect(desk.batches.length).toBeLessThan(100);
  });

  test("as retained is handed on as such, and not kept for later subscribers", async () => {
    const desk = new Desk();
    const broker = await opened(desk);
    const publisher = await client(broker.url);
    const asRetained: IClientPublishOptions = { qos: 1, retain: true };
    await publisher.publishAsync(grant, "{}", asRetained);
    await publisher.publishAsync("other", "kept", asRetained);
    expect(desk.batches.flat()).toMatchObject([{ topic: grant, retained: true }]);
    const heard = await listen(broker.url, "#");
    await until("what is kept came", () => heard.length > 0);
    expect(heard.map(({ topic }) => topic)).toEqual(["other"]);
  });

  test("that cannot be committed is not acknowledged, nor is anything after it", async () => {
    const desk = new Desk();
    const broker = await opened(desk);
    const [first, second] = [await client(broker.url), await client(broker.url)];
    const acknowledged: string[] = [];
    for (const each of [first, second]) each.on("packetreceive", ({ cmd }) => acknowledged.push(cmd));
    desk.broken = new Error("disk full");
    first.publish(grant, "1", { qos: 1 });
    await until("hung up on", () => !first.connected);
    desk.broken = undefined;
    second.publish(grant, "2", { qos: 1 });
    await until("hung up on as well", () => !second.connected);
    expect(acknowledged).toEqual([]);
    expect(desk.batches).toEqual([]);
    expect(desk.failures).toEqual([new Error("disk full")]);
  });

  test("after stopTaking() is not taken, while other messages still pass", async () => {
    const desk = new Desk();
    const broker = await opened(desk);
    const heard = await listen(broker.url, "a");
    const [ours, other] = [await client(broker.url), await client(broker.url)];
    await other.publishAsync(grant, "before", { qos: 1 });
    await broker.stopTaking();
    other.publish(grant, "after", { qos: 1 });
    await until("hung up on", () => !other.connected);
    await ours.publishAsync("a", "still", { qos: 1 });
    await until("heard", () => heard.length === 1);
    expect(desk.payloads).toEqual(["before"]);
    expect(desk.failures).toEqual([]);
  });
});
