import { connectAsync } from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { client, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, upTo } from "./support/cloud.ts";
import { frontDoor, remote } from "./support/doors.ts";
import { journalOf } from "./support/journal.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { statesOf } from "./support/receipts.ts";

const idOf = (number: number): string => `r-${number}`;
const commandOf = (number: number): string =>
  JSON.stringify({ request_id: idOf(number), user_identity_id: `person-${number}`, device_id: frontDoor });
const statusOf = async (agent: AgentProcess): Promise<string> => JSON.stringify(await agent.ask("agent/status"));
const isConnected = async (agent: AgentProcess): Promise<boolean> =>
  (await statusOf(agent)).includes('"connected":true');

/** Repeats what was not replied to, with the same ids, as the README asks of publishers. */
async function insist(cloud: Cloud, numbers: readonly number[]): Promise<void> {
  const missing = (): readonly number[] => numbers.filter((number) => !cloud.replies.has(idOf(number)));
  await until(
    "all are replied to",
    async () => {
      for (const number of missing()) await cloud.publish(grantCommand, commandOf(number));
      // A broker with short queues drops replies, too, where we are slow to take them.
      await until("they are replied to", () => missing().length === 0, 2_000).catch(() => undefined);
      return missing().length === 0;
    },
    90_000,
  );
}

/** Nothing is missing, and nothing was done twice. */
async function expectDoneOnce(agent: AgentProcess, cloud: Cloud, numbers: readonly number[]): Promise<void> {
  // In the journal: on its way to us an event may be lost, as the broker's queues are short.
  const accepted = (await journalOf(agent)).filter(({ event_type: type }) => type === "access.accepted");
  expect(accepted.length).toBe(numbers.length);
  for (const number of numbers) expect(new Set(cloud.replies.get(idOf(number)))).toEqual(new Set(['{"ok":true}']));
  await until("all are on the lock", () => agent.codes("front-door").size === numbers.length);
}

describe.skipIf(brokerSkipReason("mosquitto"))("a broker that forgets our session", () => {
  test.each([
    ["while we are connected", false],
    ["while we are away after a kill -9", true],
  ])("%s: it is said, with the time, and repeated commands are done once", async (_, isKilled) => {
    const broker = await Mosquitto.start({ persistence: "false" });
    const agent = await new AgentProcess(remote(broker.url, { slots: 100 })).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    await insist(cloud, upTo(5));
    expect(await statusOf(agent)).toContain('"session_lost":null');

    const before = Date.now();
    if (isKilled) {
      await agent.kill("SIGKILL");
      await until("the broker noticed", () => cloud.state === "offline");
      // Acknowledged by the broker while it is our only hope, and lost with it.
      for (const number of upTo(20)) await cloud.publish(grantCommand, commandOf(number));
    }
    await broker.kill("SIGTERM");
    const after = Date.now();
    await broker.start();
    if (isKilled) await agent.start();
    const lost = await cloud.event("agent.session_lost");
    const since = Date.parse(String(lost["offline_since"]));
    expect(since).toBeLessThanOrEqual(after);
    expect(since).toBeGreaterThan(before - 60_000);
    expect(await agent.ask("agent/status")).toMatchObject({
      agent: { broker: { session_lost: { offline_since: lost["offline_since"] } } },
    });
    await insist(cloud, upTo(25));
    await expectDoneOnce(agent, cloud, upTo(25));
    expect(cloud.count("agent.session_lost")).toBe(1);
  });

  test("is not accused when it remembers, or when it has never known us", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url)).start();
    const cloud = await (await Cloud.connect(broker.url, { clientId: "cloud", clean: false })).online();
    await agent.kill("SIGKILL");
    await broker.kill("SIGTERM");
    await broker.start();
    await agent.start();
    await insist(cloud, [1]);
    await expectDoneOnce(agent, cloud, [1]);
    const other = await Mosquitto.start();
    await agent.kill("SIGTERM");
    agent.configure(remote(other.url));
    const elsewhere = await Cloud.connect(other.url);
    await agent.start();
    await elsewhere.online();
    await insist(elsewhere, [2]);
    expect(cloud.count("agent.session_lost") + elsewhere.count("agent.session_lost")).toBe(0);
    expect(await statusOf(agent)).toContain('"session_lost":null');
  });
});

describe.skipIf(brokerSkipReason("mosquitto"))("a broker whose queue for us is full", () => {
  test("loses commands that it has acknowledged: they have no reply, and a repeat with the same id is done once", async () => {
    const broker = await Mosquitto.start({ max_queued_messages: "10", max_inflight_messages: "5" });
    const agent = await new AgentProcess(remote(broker.url, { slots: 100 })).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    await agent.kill("SIGTERM");
    await until("the broker knows", () => cloud.state === "offline");
    const all = upTo(60);
    // Each resolves with the broker's PUBACK.
    for (const number of all) await cloud.publish(grantCommand, commandOf(number));
    await agent.start();
    await cloud.online();
    await insist(cloud, [61]);
    const lost = all.filter((number) => !cloud.replies.has(idOf(number)));
    expect(lost.length).toBeGreaterThan(30);
    expect(lost.length).toBeLessThan(60);
    await insist(cloud, all);
    await expectDoneOnce(agent, cloud, upTo(61));
  });
});

describe.skipIf(brokerSkipReason("mosquitto"))("a subscriber that does not keep up", () => {
  test("costs us nothing: the broker drops its events, ours are sent, and events/list has them all", async () => {
    const broker = await Mosquitto.start({ max_queued_messages: "10", max_inflight_messages: "5" });
    const slow = await connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0, clientId: "slow" });
    onTestFinished(async () => {
      await slow.endAsync(true);
    });
    const got: number[] = [];
    // It takes what comes, and acknowledges none of it.
    slow.handleMessage = (packet, callback) => {
      got.push(JSON.parse(packet.payload.toString()).number);
      callback(new Error("not yet"));
    };
    await slow.subscribeAsync(`${base}/event/#`, { qos: 1 });
    const agent = await new AgentProcess(remote(broker.url, { slots: 200 })).start();
    await until("it is connected", () => isConnected(agent));
    for (const number of upTo(100)) {
      await agent.ask(grantCommand, { user_identity_id: `person-${number}`, device_id: frontDoor });
    }
    await until("all are live", async () => (await statesOf(agent, frontDoor)).get("live") === 100);
    await agent.allTold();
    expect(got.length).toBeLessThan(50);

    // The others are told of nothing amiss, and get theirs.
    const reader = await client(broker.url);
    const heard: string[] = [];
    reader.on("message", (_topic, payload) => heard.push(payload.toString()));
    await reader.subscribeAsync(`${base}/reply/#`, { qos: 1 });
    const ask = (after: number): Promise<unknown> =>
      reader.publishAsync(
        `${base}/command/events/list`,
        JSON.stringify({ request_id: `after-${after}`, after, limit: 500 }),
        { qos: 1 },
      );
    await ask(0);
    await until("the events were told again", () => heard.length > 0);
    const { events } = JSON.parse(heard[0] ?? "") as { events: { number: number; event_type: string }[] };
    expect(events.map(({ number }) => number)).toEqual(upTo(events.length));
    expect(events.filter(({ event_type: type }) => type === "access.accepted")).toHaveLength(100);
  });
});
