import { describe, expect, test } from "vitest";
import { client, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, upTo } from "./support/cloud.ts";
import { embedded, frontDoor } from "./support/doors.ts";
import { receiptsOf } from "./support/receipts.ts";

const topic = `${base}/command/${grantCommand}`;
const nameOf = (number: number): string => `person-${number}`;
const grantOf = (number: number): string =>
  JSON.stringify({ request_id: `r-${number}`, user_identity_id: nameOf(number), device_id: frontDoor });
const granted = async (agent: AgentProcess): Promise<ReadonlySet<unknown>> =>
  new Set((await receiptsOf(agent, frontDoor)).map(({ user_identity_id: id }) => id));

describe("what the embedded broker has acknowledged is kept", () => {
  test("when the agent is killed at that very moment", async () => {
    const { config, url } = await embedded();
    const agent = new AgentProcess(config);
    const tries = upTo(3);
    for (const number of tries) {
      await agent.start();
      const publisher = await client(url);
      publisher.on("packetreceive", ({ cmd }) => {
        if (cmd === "puback") agent.shoot();
      });
      await publisher.publishAsync(topic, grantOf(number), { qos: 1 });
      await agent.kill("SIGKILL");
    }
    await agent.start();
    expect(await granted(agent)).toEqual(new Set(tries.map(nameOf)));
  });

  test("when the agent is ended in the middle of a stream", async () => {
    const total = 150;
    const { config, url } = await embedded();
    const agent = await new AgentProcess(config).start();
    const publisher = await client(url);
    const acknowledged = new Set<string>();
    let exit: ReturnType<AgentProcess["kill"]> | undefined;
    for (const number of upTo(2 * total)) {
      publisher.publish(topic, grantOf(number), { qos: 1 }, (refusal) => {
        if (refusal) return;
        acknowledged.add(nameOf(number));
        if (acknowledged.size === total) exit = agent.kill("SIGTERM");
      });
    }
    await until("they are acknowledged", () => acknowledged.size >= total);
    expect(await exit).toEqual({ code: 0, signal: null });
    await agent.start();
    const kept = await granted(agent);
    expect([...acknowledged].filter((name) => !kept.has(name))).toEqual([]);
    expect(agent.stderr).toBe("");
  });
});

test("a command sent as soon as the embedded broker listens is carried out and replied to", async () => {
  const { config, url } = await embedded();
  const agent = new AgentProcess(config);
  const started = agent.start();
  let cloud: Cloud | undefined;
  await until("it listens", async () => {
    cloud = await Cloud.connect(url).catch(() => undefined);
    return cloud !== undefined;
  });
  if (!cloud) throw new Error("not connected");
  await cloud.publish(grantCommand, grantOf(1));
  expect(await cloud.reply("r-1")).toEqual({ ok: true });
  await started;
  await cloud.event("access.live", { user_identity_id: nameOf(1) });
  expect(cloud.count("access.accepted")).toBe(1);
});
