import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { allowance } from "../support/pace.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, upTo } from "./support/cloud.ts";
import { door, frontDoor, person, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";
import { receiptsOf } from "./support/receipts.ts";
import { type Cut, shotAt } from "./support/shot.ts";
import { lockName, zigbeeHouse } from "./support/zigbee.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
const grant = JSON.stringify({ request_id: "try-1", ...pair });

const isPuback: Cut = (packet) => packet.cmd === "puback";
const isReply: Cut = (packet) => packet.cmd === "publish" && packet.topic.includes("/reply/");
const isEvent: Cut = (packet) => packet.cmd === "publish" && packet.topic.includes("/event/");

describe.skipIf(brokerSkipReason("mosquitto"))("kill -9", () => {
  test.each([
    ["between COMMIT and PUBACK", isPuback],
    ["between PUBACK and reply", isReply],
    ["between reply and event", isEvent],
  ])("%s: one grant, one code, one reply, one event", async (_, isIt) => {
    const { agent, cloud, revived } = await shotAt(isIt);
    await cloud.publish(grantCommand, grant);
    await revived();
    await cloud.reply("try-1");
    await cloud.event("access.live", pair);
    await agent.allTold();
    expect(new Set(cloud.replies.get("try-1"))).toEqual(new Set(['{"ok":true}']));
    expect(cloud.numbers()).toEqual(upTo(cloud.numbers().length));
    expect(cloud.count("access.accepted")).toBe(1);
    expect(cloud.count("access.live")).toBe(1);
    expect(cloud.count("access_code.set_on_device")).toBe(1);
    // Where it was killed in the middle of the write, too, that is told, and that the lock is there; nothing else is.
    const others = cloud.count("access.unconfirmed") + cloud.count("device.connected");
    expect(cloud.told().size).toBe(3 + others);
    expect([...agent.codes("front-door").values()].map(({ label }) => label)).toEqual([person]);
    expect(await receiptsOf(agent, frontDoor)).toMatchObject([{ state: "live", grants: ["direct"] }]);
    expect(agent.stderr).toBe("");
  });

  test("in the middle of a stream: what was replied to is kept, and nothing is done twice", async () => {
    const total = 60;
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url, { slots: 100 })).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    const sent = Promise.all(
      upTo(total).map((number) =>
        cloud.publish(
          grantCommand,
          JSON.stringify({ request_id: `r-${number}`, user_identity_id: `person-${number}`, device_id: frontDoor }),
        ),
      ),
    );
    for (const replies of [1, 15, 30]) {
      await until(`${replies} replies`, () => cloud.replies.size >= replies);
      await agent.kill("SIGKILL");
      const before = new Set(cloud.replies.keys());
      await agent.start();
      const there = new Set((await receiptsOf(agent, frontDoor)).map(({ user_identity_id: id }) => id));
      for (const id of before) expect(there).toContain(id.replace("r-", "person-"));
    }
    await sent;
    await until("all are replied to", () => cloud.replies.size === total);
    await until("all are live", () => cloud.count("access.live") === total);
    await agent.allTold();
    expect(cloud.numbers().toSorted((a, b) => a - b)).toEqual(upTo(cloud.numbers().length));
    expect(cloud.numbers()).toEqual(upTo(cloud.numbers().length));
    expect(cloud.count("access.accepted")).toBe(total);
    const codes = [...agent.codes("front-door").values()];
    expect(new Set(codes.map(({ label }) => label)).size).toBe(total);
    expect(codes.length).toBe(total);
    expect(new Set([...cloud.replies.values()].flat())).toEqual(new Set(['{"ok":true}']));
  });

  test.each([
    ["that has stored it", false],
    ["that never heard of it", true],
  ])("in mid-write to a lock %s: unconfirmed, read back, live, and in the lock once", async (_, isLost) => {
    const { agent, cloud, persona, proxy, writes } = await zigbeeHouse({ proxied: true, link: { timeout_ms: 1_000 } });
    let sent = 0;
    const isItsReadBack: Cut = (packet) => {
      if (packet.cmd !== "publish") return false;
      if (isWrite(packet)) sent += 1;
      return isLost ? sent > 0 : sent > 0 && packet.topic.endsWith("/get");
    };
    let killed = false;
    proxy.cutAt(isItsReadBack, () => {
      agent.shoot();
      killed = true;
    });
    await cloud.publish(grantCommand, grant);
    await until("the trap sprang", () => killed);
    await agent.kill("SIGKILL");
    if (!isLost) await until("the code is on the lock", () => persona.codes(lockName).size === 1);
    await until("the broker noticed", () => cloud.state === "offline");

    // As long as nobody can look, nobody can tell.
    await persona.act(lockName, { act: "mode", mode: "dead" });
    await agent.start();
    expect(await receiptsOf(agent, frontDoor)).toMatchObject([{ state: "unconfirmed" }]);
    expect(writes.length).toBe(isLost ? 0 : 1);
    await persona.act(lockName, { act: "mode", mode: "ok" });
    expect(await cloud.event("access.live", pair)).toMatchObject({ evidence: "read_back" });
    expect(writes.length).toBe(1);
    expect([...persona.codes(lockName).values()]).toEqual(writes);
    expect(cloud.count("access.accepted")).toBe(1);
    expect(await receiptsOf(agent, frontDoor)).toMatchObject([{ state: "live" }]);
  });
});

describe.skipIf(brokerSkipReason("mosquitto"))("SIGTERM ends it in time", () => {
  test("while a lock does not answer to a write", async () => {
    const { agent, cloud, persona, writes } = await zigbeeHouse();
    await until("the lock is known", () => isKnown(agent));
    await persona.act(lockName, { act: "mode", mode: "dead" });
    await cloud.publish(grantCommand, grant);
    await cloud.reply("try-1");
    expect(writes.length).toBe(0);
    expect(await stop(agent)).toBeLessThan(await allowance(1_000));
  });

  test("while it starts, and cannot reach a broker that hangs", async () => {
    const deaf = createServer(() => {}).listen(0, "127.0.0.1");
    await once(deaf, "listening");
    onTestFinished(() => {
      deaf.close();
    });
    const address = deaf.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const url = `mqtt://127.0.0.1:${port}`;
    const links = { zigbee: { driver: "zigbee2mqtt", url } };
    const agent = await new AgentProcess(
      remote(url, {}, { links, devices: [door(frontDoor, lockName, "zigbee")] }),
    ).start();
    expect(await stop(agent)).toBeLessThan(await allowance(1_000));
  });

  test("while the broker does not answer any more", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url)).start();
    await (await Cloud.connect(broker.url)).online();
    broker.freeze();
    expect(await stop(agent)).toBeLessThan(await allowance(1_500));
  });
});

const isKnown = async (agent: AgentProcess): Promise<boolean> =>
  JSON.stringify(await agent.ask("devices/list")).includes("max_active_codes_supported");

/** @returns how long it took, in ms. */
async function stop(agent: AgentProcess): Promise<number> {
  const before = Date.now();
  expect(await agent.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  const took = Date.now() - before;
  process.stdout.write(`ended ${took} ms after SIGTERM\n`);
  expect(agent.stderr).toBe("");
  return took;
}

const isWrite = ({ topic, payload }: { topic: string; payload: string | Buffer }): boolean =>
  topic.endsWith("/set") && /"pin_code":"/.test(payload.toString());
