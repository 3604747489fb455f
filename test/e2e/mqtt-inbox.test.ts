import { connectAsync } from "mqtt";
import { describe, expect, test } from "vitest";
import type { MqttProxy } from "../support/mqtt-proxy.ts";
import { brokers, client, command, grant, online, proxied, startedBroker, TestAgent, until } from "./mqtt-support.ts";

/** The PUBACKs that the agent sent for commands. */
const pubacks = ({ passed }: MqttProxy): MqttProxy["passed"] =>
  passed.filter(({ from, packet }) => from === "agent" && packet.cmd === "puback");

test("MQTT.js goes on reading, without a PUBACK, when handleMessage calls back with an error", async () => {
  // The group commit stands on this: if a new version of the client changes it, change the inbox.
  const broker = await startedBroker("aedes");
  const session = { clientId: "reader", clean: false, reconnectPeriod: 0 } as const;
  const reader = await connectAsync(broker.url, session);
  const sent: string[] = [];
  let read = 0;
  reader.on("packetsend", ({ cmd }) => sent.push(cmd));
  reader.handleMessage = (_packet, callback) => {
    read += 1;
    callback(new Error("not yet"));
  };
  expect(Reflect.get(reader, "_sendPacket")).toBeTypeOf("function");
  await reader.subscribeAsync(grant, { qos: 1 });
  await command(broker.url, 50);
  await until("all were read", () => read === 50);
  expect(sent).not.toContain("puback");
  await reader.endAsync(true);

  let redelivered = 0;
  const again = await connectAsync(broker.url, session);
  again.on("message", () => {
    redelivered += 1;
  });
  await until("all come again", () => redelivered === 50);
  await again.endAsync(true);
});

describe.each(brokers)("on $name", ({ name, start }) => {
  test("a burst of 900 commands is few commits, acknowledged in order after them", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    const mqtt = agent.open(proxy.url, {
      intake: {
        accept(arrivals) {
          // What was acknowledged before this commit is at most what earlier commits took.
          expect(pubacks(proxy).length).toBeLessThanOrEqual(agent.payloads.length);
          agent.batches.push(arrivals);
        },
        handedOut() {},
      },
    });
    await online(broker.url);
    const payloads = await command(broker.url, 900);
    await until("all are acknowledged", () => pubacks(proxy).length === 900);
    expect(agent.payloads).toEqual(payloads);
    // mosquitto has 20 messages in flight unless it is told otherwise.
    expect(agent.batches.length).toBeLessThan(name === "mosquitto" ? 200 : 100);
    const came = proxy.passed.flatMap(({ from, packet }) =>
      from === "broker" && packet.cmd === "publish" && packet.topic === grant ? [packet.messageId] : [],
    );
    expect(pubacks(proxy).map(({ packet }) => packet.messageId)).toEqual(came);
    expect(agent.failures).toEqual([]);

    await mqtt.close();
    agent.open(proxy.url);
    await command(broker.url, 1, 1000);
    await until("the next one", () => agent.payloads.includes("1000"));
    expect(agent.payloads).toEqual([...payloads, "1000"]);
  });

  test("900 commands that waited for us come once, in order", async () => {
    const broker = await start();
    const agent = new TestAgent();
    const first = agent.open(broker.url);
    await online(broker.url);
    await first.close();
    const payloads = await command(broker.url, 900);
    const second = agent.open(broker.url);
    await until("all have come", () => agent.payloads.length >= 900);
    await second.close();
    agent.open(broker.url);
    await command(broker.url, 1, 1000);
    await until("the next one", () => agent.payloads.includes("1000"));
    expect(agent.payloads).toEqual([...payloads, "1000"]);
  });

  test("what could not be committed is not acknowledged, and comes again", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    agent.broken = new Error("disk full");
    const broken = agent.open(proxy.url);
    await online(broker.url);
    const payloads = await command(broker.url, 20);
    await until("the agent is told", () => agent.failures.length > 0);
    expect(agent.failures).toEqual([agent.broken]);
    await broken.close();
    expect(pubacks(proxy)).toEqual([]);

    agent.broken = undefined;
    agent.open(proxy.url);
    await until("they come again", () => agent.payloads.length === 20);
    expect(agent.payloads).toEqual(payloads);
  });

  test("a connection lost between commit and PUBACK brings the commands again", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    agent.open(proxy.url);
    await online(broker.url);
    let committedAtCut = 0;
    proxy.cutAt(
      ({ cmd }) => cmd === "puback",
      () => {
        committedAtCut = agent.payloads.length;
        proxy.disconnect();
      },
    );
    const payloads = await command(broker.url, 5);
    await until("the line is cut", () => committedAtCut > 0);
    // Those that had passed before the cut may still have been committed after it.
    const lastFive = (): readonly string[] => agent.payloads.slice(-5);
    await until(
      "they came again",
      () => agent.payloads.length >= committedAtCut + 5 && lastFive().join() === payloads.join(),
    );
    expect(new Set(agent.payloads)).toEqual(new Set(payloads));
  });

  test("what has arrived is committed and acknowledged before we disconnect", async () => {
    const broker = await start();
    const proxy = await proxied(broker);
    const agent = new TestAgent();
    const mqtt = agent.open(proxy.url);
    await online(broker.url);
    await command(broker.url, 300);
    await mqtt.close();
    const sent = (): string[] => proxy.passed.flatMap(({ from, packet }) => (from === "agent" ? [packet.cmd] : []));
    await until("the proxy has passed it on", () => sent().at(-1) === "disconnect");
    expect(sent().filter((cmd) => cmd === "puback")).toHaveLength(agent.payloads.length);
  });

  test("messages of QoS 0 are accepted too", async () => {
    const broker = await start();
    const agent = new TestAgent();
    agent.open(broker.url);
    await online(broker.url);
    await (await client(broker.url)).publishAsync(grant, "fast", { qos: 0 });
    await until("accepted", () => agent.payloads.length > 0);
    expect(agent.payloads).toEqual(["fast"]);
  });
});
