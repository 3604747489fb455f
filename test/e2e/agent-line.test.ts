import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { allowance } from "../support/pace.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { base, Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { embedded, frontDoor, person } from "./support/doors.ts";
import { zigbeeHouse } from "./support/zigbee.ts";

const pair = { user_identity_id: person, device_id: frontDoor };

/** What is typed at a door, and whether it opens. */
type Type = (digits: string) => Promise<"opened" | "denied">;

/** The main job, told and proven from outside: a grant, its code, the door, a revoke, the door again. */
async function straightLine(agent: AgentProcess, cloud: Cloud, type: Type): Promise<void> {
  await cloud.publish(grantCommand, JSON.stringify({ request_id: "try-1", ...pair }));
  await cloud.reply("try-1");
  expect(cloud.replies.get("try-1")).toEqual(['{"ok":true}']);
  await cloud.event("access.accepted", pair);
  const live = await cloud.event("access.live", pair);
  expect(live).toMatchObject({ credential_kind: "pin", evidence: "read_back", code: null });
  // The reply is told before what it set going.
  const order = cloud.topics.filter((topic) => /^(reply|event)\//.test(topic) && !topic.startsWith("event/device."));
  expect(order.slice(0, 3)).toEqual(["reply/try-1", "event/access.accepted", "event/access.live"]);

  const told = await agent.cli("code", person, "front-door", "--data", agent.dataDir);
  expect(told).toMatchObject({ code: 0, err: "" });
  const digits = told.out.trim();
  expect(digits).toMatch(/^\d{6}$/);
  expect(await type(digits)).toBe("opened");
  expect(await cloud.event("lock.unlocked")).toMatchObject({ ...pair, method: "keycode", code: null });

  // Once more is no second event, and another id is another reply.
  expect(await cloud.command(grantCommand, pair)).toEqual({ ok: true });
  expect(await cloud.command(revokeCommand, pair)).toEqual({ ok: true });
  expect(await cloud.event("access.gone", pair)).toMatchObject({ evidence: "read_back", code: null });
  expect(await type(digits)).toBe("denied");
  expect(cloud.count("access.accepted")).toBe(1);
  expect(cloud.count("access.live")).toBe(1);
}

describe("over the simulated lock and the embedded broker", () => {
  test.each(isLong ? ["numbered", "assigned", "keyed"] : ["numbered", "assigned"])(
    "the straight line, memory %s",
    async (memory) => {
      const { config, url } = await embedded({ memory });
      const agent = await new AgentProcess(config).start();
      const cloud = await (await Cloud.connect(url)).online();
      await straightLine(agent, cloud, async (digits) => {
        const { code, out } = await agent.cli("act", "front-door", "type", digits, "--config", agent.configFile);
        expect([`${code} ${out}`]).toEqual([code === 0 ? "0 opened\n" : "1 denied\n"]);
        return code === 0 ? "opened" : "denied";
      });
      expect(await cloud.event("lock.access_denied")).toMatchObject({ device_id: frontDoor, code: null });
      expect(agent.stderr).toBe("");
    },
  );

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it within a second, with people on the line", async (signal) => {
    const { config, url } = await embedded();
    const agent = await new AgentProcess(config).start();
    const cloud = await (await Cloud.connect(url)).online();
    await cloud.command(grantCommand, pair);
    const before = Date.now();
    expect(await agent.kill(signal)).toEqual({ code: 0, signal: null });
    const took = Date.now() - before;
    process.stdout.write(`ended ${took} ms after ${signal}\n`);
    expect(took).toBeLessThan(await allowance(1_000));
    expect(agent.stderr).toBe("");
  });
});

describe.skipIf(brokerSkipReason("mosquitto"))("over zigbee2mqtt's persona and mosquitto", () => {
  test("the straight line, and a stop within a second", async () => {
    const { agent, cloud, persona } = await zigbeeHouse();
    await straightLine(agent, cloud, async (digits) => {
      const heard = await persona.act("front-door", { act: "type", digits });
      return heard?.["action"] === "unlock" ? "opened" : "denied";
    });
    expect(agent.stdout).toContain('"protocol":"MQTT 5"');
    expect(agent.stdout).toContain("secrets_exposed");
    const before = Date.now();
    expect(await agent.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    const took = Date.now() - before;
    process.stdout.write(`ended ${took} ms after SIGTERM\n`);
    expect(took).toBeLessThan(await allowance(1_000));
    await until("the agent is offline", () => cloud.state === "offline");
  });

  test("mosquitto_rr gets its reply on a Response Topic of its own", async () => {
    const { cloud, broker } = await zigbeeHouse();
    const words = ["-p", String(broker.port), "-q", "1", "-W", "30"];
    const topic = `${base}/command/${grantCommand}`;
    const request = ["-t", topic, "-e", `${base}/reply/mine`, "-D", "publish", "correlation-data", "7"];
    const message = ["-m", JSON.stringify(pair)];
    const { stdout } = await promisify(execFile)("mosquitto_rr", [...words, ...request, ...message]);
    expect(stdout).toBe('{"ok":true}\n');
    await cloud.event("access.live", pair);
  });
});
