import { describe, expect, onTestFinished, test } from "vitest";
import { client, until } from "../e2e/mqtt-support.ts";
import { AgentProcess } from "../e2e/support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand } from "../e2e/support/cloud.ts";
import { door, frontDoor, person } from "../e2e/support/doors.ts";
import { receiptsOf } from "../e2e/support/receipts.ts";
import { startBroker } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { friendlyName, RealZigbee2mqtt, zigbee2mqttSkipReason } from "./real-zigbee2mqtt.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
/** ZCL: operation from the keypad, unlocked by a user's code (lock-interfaces, 1.2). */
const unlockedBy = (user: number): { act: "operate"; source: number; code: number; user: number } => ({
  act: "operate",
  source: 0,
  code: 2,
  user,
});

describe.skipIf(zigbee2mqttSkipReason())("the built agent over the real zigbee2mqtt and its broker", () => {
  test.each(isLong ? [false, true] : [true])(
    "the straight line, the lock's Poll Control %s, and zigbee2mqtt away",
    async (pollControl) => {
      const broker = await startBroker("mosquitto");
      onTestFinished(() => broker[Symbol.asyncDispose]());
      const real = new RealZigbee2mqtt({ brokerUrl: broker.url, baseTopic: "zigbee2mqtt", pollControl });
      onTestFinished(() => real[Symbol.asyncDispose]());
      await real.running();
      const agent = await new AgentProcess({
        agent_id: "gateway-1",
        broker: broker.url,
        links: { zigbee: { driver: "zigbee2mqtt", url: broker.url, timeout_ms: 2_000 } },
        devices: [door(frontDoor, friendlyName, "zigbee")],
      }).start();
      const cloud = await (await Cloud.connect(broker.url)).online();
      const codes = async (): Promise<readonly (readonly [number, string])[]> => [...(await real.act({ act: "look" }))];

      expect(await cloud.command(grantCommand, pair, "try-1")).toEqual({ ok: true });
      expect(await cloud.event("access.live", pair)).toMatchObject({ evidence: "read_back", code: null });
      const order = cloud.topics.filter((topic) => /^(reply|event\/access)/.test(topic));
      expect(order.slice(0, 3)).toEqual(["reply/try-1", "event/access.accepted", "event/access.live"]);
      const { out } = await agent.cli("code", person, frontDoor, "--data", agent.dataDir);
      const [[user, code] = [-1, ""], ...others] = await codes();
      expect(others).toEqual([]);
      expect(out).toBe(`${code}\n`);
      await real.act(unlockedBy(user));
      expect(await cloud.event("lock.unlocked")).toMatchObject({ ...pair, method: "keycode" });
      // What zigbee2mqtt is set to is asked for beside all that.
      await until("it says where codes can be read", async () =>
        /"secrets_exposed":\[\{.*"cure":"/.test(JSON.stringify(await agent.ask("agent/status"))),
      );

      // The lock is deaf when the revoke comes: it stands as removing until the lock has said that the code is gone.
      await real.act({ act: "mode", mode: "dead" });
      expect(await cloud.command(revokeCommand, pair)).toEqual({ ok: true });
      await until("the revoke waits", () => isSaid(agent, "removing"));
      expect(cloud.count("access.gone")).toBe(0);
      expect((await codes()).length).toBe(1);
      await real.act({ act: "mode", mode: "ok" });
      expect(await cloud.event("access.gone", pair)).toMatchObject({ evidence: "read_back" });
      expect(await codes()).toEqual([]);

      // zigbee2mqtt is away when a grant comes, which waits for it.
      await real.stop("SIGKILL");
      const second = { ...pair, user_identity_id: "second" };
      expect(await cloud.command(grantCommand, second)).toEqual({ ok: true });
      await until("the grant waits", () => isSaid(agent, "lock_away"));
      await real.running();
      await cloud.event("access.live", second);
      expect((await codes()).length).toBe(1);
      expect(cloud.numbers()).toEqual(cloud.numbers().toSorted((a, b) => a - b));
      expect(await agent.kill("SIGTERM")).toEqual({ code: 0, signal: null });
      expect(agent.stderr).toBe("");
    },
  );

  test("a revoke that a queued write undoes: noticed, cleared again, and owed until 24 h after the write", async () => {
    const broker = await startBroker("mosquitto");
    onTestFinished(() => broker[Symbol.asyncDispose]());
    const real = new RealZigbee2mqtt({ brokerUrl: broker.url, baseTopic: "zigbee2mqtt", pollControl: true });
    onTestFinished(() => real[Symbol.asyncDispose]());
    await real.running();
    const agent = await new AgentProcess({
      agent_id: "gateway-1",
      broker: broker.url,
      links: { zigbee: { driver: "zigbee2mqtt", url: broker.url, timeout_ms: 2_000 } },
      devices: [door(frontDoor, friendlyName, "zigbee")],
    }).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    const first = { ...pair, user_identity_id: "first" };
    await cloud.command(grantCommand, first);
    await cloud.event("access.live", first);
    const codes = async (): Promise<readonly string[]> => [...(await real.act({ act: "look" })).values()];
    const [stays] = await codes();

    // The lock falls silent just as it is written to, and the revoke comes while it is.
    await real.act({ act: "die", at: "setPinCode" });
    const before = Date.now();
    await cloud.command(grantCommand, pair);
    await cloud.event("access.unconfirmed", pair);
    const after = Date.now();
    await cloud.command(revokeCommand, pair);
    await until("the revoke waits", () => isSaid(agent, "removing"));
    expect(await codes()).toEqual([stays]);

    // It is back, which zigbee2mqtt takes as the sign to deliver what it has kept.
    const told = await toldOf(broker.url);
    await real.act({ act: "mode", mode: "ok" });
    await real.act({ act: "battery", halves: 100 });
    await until("the write is noticed, cleared and read back", () => /enabled.*available/.test(told.join(" ")));
    await until("it is owed", () => isSaid(agent, "earlier_write_in_doubt"));
    expect(await codes()).toEqual([stays]);
    const receipts = await receiptsOf(agent, frontDoor);
    const [owed] = receipts
      .filter(({ user_identity_id: id }) => id === person)
      .flatMap(({ credentials }) => credentials);
    expect(owed).toMatchObject({ state: "removing", reason: "earlier_write_in_doubt" });
    const end = Date.parse(String(owed?.["until"])) - 24 * 3600_000;
    expect(end).toBeGreaterThanOrEqual(before);
    expect(end).toBeLessThanOrEqual(after);
    expect(cloud.count("access.gone")).toBe(0);
  });
});

const isSaid = async (agent: AgentProcess, word: string): Promise<boolean> =>
  JSON.stringify(await agent.ask("access/list")).includes(`"${word}"`);

/** What zigbee2mqtt says from now on that is in the second slot of the lock: a list that grows. */
async function toldOf(url: string): Promise<readonly string[]> {
  const told: string[] = [];
  const listener = await client(url);
  listener.on("message", (_topic, payload) => {
    const { users } = JSON.parse(payload.toString()) as { users?: Readonly<Record<string, { status: string }>> };
    const status = users?.["1"]?.status;
    if (status !== undefined) told.push(status);
  });
  await listener.subscribeAsync(`zigbee2mqtt/${friendlyName}`);
  return told;
}
