import { describe, expect, test } from "vitest";
import { z } from "zod";
import { brokerSkipReason } from "../support/broker.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand, upTo } from "./support/cloud.ts";
import { frontDoor, person, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { receiptsOf, statesOf } from "./support/receipts.ts";
import { lockName, zigbeeHouse } from "./support/zigbee.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
const total = 120;
const nameOf = (number: number): string => `person-${number}`;

/** As a publisher should: sends with the same id until the reply is there (WIRE, "The publisher's proof is the reply"). */
async function insist(cloud: Cloud, number: number): Promise<void> {
  const id = `r-${number}`;
  const parameters = { request_id: id, user_identity_id: nameOf(number), device_id: frontDoor };
  const deadline = Date.now() + 120_000;
  while (!cloud.replies.has(id)) {
    if (Date.now() > deadline) throw new Error(`no reply to ${id}`);
    await cloud.publish(grantCommand, JSON.stringify(parameters));
    await cloud.reply(id, 0, 2_000).catch(() => undefined);
  }
}

const stateOf = (reply: object): string =>
  z.object({ receipt: z.object({ state: z.string() }) }).parse(reply).receipt.state;

describe.skipIf(brokerSkipReason("mosquitto"))("a broker that goes away in the middle", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)("of a stream of grants, by %s", async (signal) => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url, { slots: 200 })).start();
    const cloud = await (await Cloud.connect(broker.url, { clientId: "cloud", clean: false })).online();
    const all = Promise.all(upTo(total).map((number) => insist(cloud, number)));
    await until("a third is replied to", () => cloud.replies.size > total / 3);
    await broker.kill(signal);
    const replied = new Set(cloud.replies.keys());

    // Meanwhile the agent needs nobody: the door at the gateway still takes grants, and the lock gets them.
    const local = { user_identity_id: "local", device_id: frontDoor };
    expect(await agent.ask(grantCommand, local)).toEqual({ ok: true });
    // Of this pair alone: who asks for all receipts without a pause keeps the agent from its work.
    await until("the local grant is live", async () => stateOf(await agent.ask("access/get", local)) === "live");
    const kept = new Set((await receiptsOf(agent, frontDoor)).map((each) => each.user_identity_id));
    for (const id of replied) expect(kept).toContain(id.replace("r-", "person-"));

    await broker.start();
    await all;
    await until("all are live", async () => (await statesOf(agent, frontDoor)).get("live") === total + 1);
    await agent.allTold();
    expect(new Set([...cloud.replies.values()].flat())).toEqual(new Set(['{"ok":true}']));
    expect(agent.codes("front-door").size).toBe(total + 1);

    // That the lock is there is told first. One that was killed has saved no session: that is told too.
    const last = 1 + 3 * (total + 1) + (signal === "SIGKILL" ? 1 : 0);
    const lost = signal === "SIGKILL" ? 1 : 0;
    await until("the lost session is told", () => cloud.count("agent.session_lost") >= lost);
    expect(cloud.count("agent.session_lost")).toBe(lost);
    const told = await numbersToldBy(agent);
    expect(told).toEqual(upTo(last));
    // A broker that was killed may have lost what it had acknowledged; what it handed on came in order.
    if (signal === "SIGTERM") await until("all events came", () => cloud.told().size === last);
    // Where its session is lost nobody listens at first: what waits for that comes in order for each topic.
    const types = signal === "SIGTERM" ? [/^access/] : [/accepted/, /live/, /set_on/];
    for (const type of types) {
      const numbers = [...cloud.told(type)];
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
    process.stdout.write(
      `${signal} after ${replied.size} replies: ${cloud.numbers().length} of ${last} events over MQTT, ${cloud.events.length} copies\n`,
    );
  });

  test("commands that are sent while the agent is down are carried out when it is back", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url)).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    expect(await cloud.command(grantCommand, { ...pair, user_identity_id: "leaver" })).toEqual({ ok: true });
    await cloud.event("access.live");
    await agent.kill("SIGTERM");
    await until("the broker knows", () => cloud.state === "offline");
    await cloud.publish(grantCommand, JSON.stringify({ request_id: "while-away", ...pair }));
    await cloud.publish(
      revokeCommand,
      JSON.stringify({ request_id: "leave", user_identity_id: "leaver", device_id: frontDoor }),
    );
    await agent.start();
    expect(await cloud.reply("while-away")).toEqual({ ok: true });
    expect(await cloud.reply("leave")).toEqual({ ok: true });
    await cloud.event("access.live", pair);
    await cloud.event("access.gone", { user_identity_id: "leaver" });
    expect([...agent.codes("front-door").values()].map(({ label }) => label)).toEqual([person]);
  });
});

const lineOf = async (agent: AgentProcess): Promise<object> => {
  const [first] = await receiptsOf(agent, frontDoor);
  return { state: first?.state, reason: first?.credentials[0]?.reason };
};

describe.skipIf(brokerSkipReason("mosquitto"))("a lock that is away", () => {
  test("grants wait for zigbee2mqtt, revokes too, and converge when it is back", async () => {
    const { agent, cloud, persona } = await zigbeeHouse({ link: { timeout_ms: 500 } });
    await cloud.command(grantCommand, pair);
    await cloud.event("access.live", pair);
    await persona.stop("power cut");
    await until("it is noticed", async () =>
      JSON.stringify(await agent.ask("devices/list")).includes('"online":false'),
    );

    expect(await cloud.command(grantCommand, { ...pair, user_identity_id: "second" })).toEqual({ ok: true });
    expect(await cloud.command(revokeCommand, pair)).toEqual({ ok: true });
    // What it is opened with is chosen a moment after the reply.
    await until("both wait for the lock", async () => {
      const receipts = await receiptsOf(agent, frontDoor);
      const lines = receipts.map(
        ({ state, credentials }) => `${state} ${credentials.map(({ reason }) => reason).join()}`,
      );
      return lines.toSorted().join() === "removing lock_away,waiting lock_away";
    });
    expect(await agent.ask("agent/status")).toMatchObject({ agent: { revocation_debt: { count: 1 } } });

    await persona.start();
    await cloud.event("access.gone", pair);
    await cloud.event("access.live", { user_identity_id: "second" });
    expect(persona.codes(lockName).size).toBe(1);
    expect(await agent.ask("agent/status")).toMatchObject({ agent: { revocation_debt: { count: 0 } } });
    await until("the device is online", async () =>
      JSON.stringify(await agent.ask("devices/list")).includes('"online":true'),
    );
  });

  test("a lock that was never heard of: its grants wait for what it is able to", async () => {
    const { agent, cloud, persona } = await zigbeeHouse({ link: { timeout_ms: 500 }, deadFromStart: true });
    expect(await cloud.command(grantCommand, pair)).toEqual({ ok: true });
    expect(await lineOf(agent)).toEqual({ state: "waiting", reason: "abilities_unknown" });
    await persona.act(lockName, { act: "mode", mode: "ok" });
    await cloud.event("access.live", pair);
    expect(await lineOf(agent)).toEqual({ state: "live", reason: null });
  });
});

/** The numbers of all events, as the journal has them. */
async function numbersToldBy(agent: AgentProcess): Promise<readonly number[]> {
  const { events } = await agent.ask("events/list");
  return Array.isArray(events) ? events.map(({ number }: { number: number }) => number) : [];
}
