import { describe, expect, onTestFinished, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { type MqttProxy, startMqttProxy } from "../support/mqtt-proxy.ts";
import { client, online, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, upTo } from "./support/cloud.ts";
import { frontDoor, person, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";

const pair = { user_identity_id: person, device_id: frontDoor };

async function proxied(broker: Mosquitto): Promise<MqttProxy> {
  const proxy = await startMqttProxy(broker.port);
  onTestFinished(() => proxy.close());
  return proxy;
}

interface Waiting {
  readonly letters_waiting: number;
  readonly letters_without_reader: number;
}
const waiting = async (agent: AgentProcess): Promise<Waiting> => (await agent.ask("agent/status"))["agent"] as Waiting;

describe.skipIf(brokerSkipReason("mosquitto"))("letters that nobody is subscribed to", () => {
  test("stay in the outbox, are counted, and come in order when somebody subscribes, also after a restart", async () => {
    const broker = await Mosquitto.start();
    const proxy = await proxied(broker);
    const agent = await new AgentProcess(remote(proxy.url, { slots: 200 })).start();
    for (const number of upTo(100)) {
      await agent.ask(grantCommand, { user_identity_id: `person-${number}`, device_id: frontDoor });
    }
    // Three of each grant, and that the lock is there.
    await until("all 301 events wait for a reader", async () => (await waiting(agent)).letters_without_reader === 301);
    // One letter of each topic asks whether somebody listens, now and then; the rest does not trouble the broker.
    const asked = proxy.passed.filter(({ packet }) => packet.cmd === "publish" && packet.topic.includes("/event/"));
    expect(asked.length).toBeLessThan(20);

    // A topic without a reader holds up no others: a command is answered at once.
    const asker = await client(broker.url, { protocolVersion: 5 });
    const answers: string[] = [];
    asker.on("message", (topic) => answers.push(topic));
    await asker.subscribeAsync(`${base}/reply/me`, { qos: 1 });
    await asker.publishAsync(`${base}/command/access/list`, "{}", {
      qos: 1,
      properties: { responseTopic: `${base}/reply/me` },
    });
    await until("answered", () => answers.length === 1);

    await agent.kill("SIGKILL");
    await agent.start();
    await until("they wait again", async () => (await waiting(agent)).letters_without_reader === 301);
    const cloud = await Cloud.connect(broker.url);
    // What nobody has read for long is tried once a minute.
    await until("all came", () => cloud.told().size === 301, 100_000);
    expect([...cloud.told()].toSorted((a, b) => a - b)).toEqual(upTo(301));
    for (const type of ["access.accepted", "access.live"]) {
      const numbers = cloud.events.filter((event) => event.event_type === type).map(({ number }) => number);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
    await until("nothing waits", async () => (await waiting(agent)).letters_waiting === 0);
    expect(await waiting(agent)).toMatchObject({ letters_without_reader: 0 });
  });

  test("a reply waits for its reader, and comes at once when the command is repeated", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url)).start();
    await online(broker.url);
    const publisher = await client(broker.url, { protocolVersion: 5 });
    const command = JSON.stringify({ request_id: "r-1", ...pair });
    await publisher.publishAsync(`${base}/command/${grantCommand}`, command, { qos: 1 });
    await until("its reply waits", async () => (await waiting(agent)).letters_without_reader > 0);
    const cloud = await Cloud.connect(broker.url);
    await cloud.publish(grantCommand, command);
    await cloud.reply("r-1", 1, 4_000);
    expect(new Set(cloud.replies.get("r-1"))).toEqual(new Set(['{"ok":true}']));
    // What had nobody to hear it comes when it is its turn again.
    await cloud.event("access.live", pair);
    await cloud.event("access.accepted", pair);
    expect(cloud.count("access.accepted")).toBe(1);
  });
});

describe.skipIf(brokerSkipReason("mosquitto"))("Response Topic and Correlation Data", () => {
  test("outlive a kill -9 between the commit and the reply", async () => {
    const broker = await Mosquitto.start();
    const proxy = await proxied(broker);
    const agent = await new AgentProcess(remote(proxy.url)).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    const asker = await client(broker.url, { protocolVersion: 5 });
    const answers: { topic: string; text: string; correlation: Buffer | undefined }[] = [];
    asker.on("message", (topic, payload, { properties }) =>
      answers.push({ topic, text: payload.toString(), correlation: properties?.correlationData }),
    );
    const responseTopic = `${base}/reply/booking/room 7/42`;
    await asker.subscribeAsync(`${base}/reply/booking/#`, { qos: 1 });
    let killed = false;
    proxy.cutAt(
      (packet) => packet.cmd === "publish" && packet.topic === responseTopic,
      () => {
        agent.shoot();
        killed = true;
      },
    );
    const correlationData = Buffer.from([0, 1, 255, 128, 7]);
    await asker.publishAsync(`${base}/command/${grantCommand}`, JSON.stringify(pair), {
      qos: 1,
      properties: { responseTopic, correlationData },
    });
    await until("the trap sprang", () => killed);
    await agent.kill("SIGKILL");
    expect(answers).toEqual([]);
    await agent.start();
    await until("answered", () => answers.length > 0);
    expect(answers[0]).toEqual({ topic: responseTopic, text: '{"ok":true}', correlation: correlationData });
    await cloud.event("access.live", pair);
    expect(cloud.count("access.accepted")).toBe(1);
    expect(agent.stderr).toBe("");
  });
});
