import { describe, expect, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand, revokeCommand } from "./support/cloud.ts";
import { embedded, frontDoor, person, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";

const pair = { user_identity_id: person, device_id: frontDoor };
const commands = [grantCommand, "devices/*"];
const unknown = { ok: false, error: { type: "unknown_command" } };

const own = async (): Promise<{ config: object; url: string }> => embedded({}, { mqtt: { commands } });
const another = async (): Promise<{ config: object; url: string }> => {
  const { url } = await Mosquitto.start();
  return { config: remote(url, {}, { mqtt: { commands } }), url };
};

describe("mqtt.commands says which commands are taken over MQTT", () => {
  test.for([
    ["the broker of our own", own, undefined],
    ["another broker", another, brokerSkipReason("mosquitto")],
  ] as const)("with %s; at the gateway, all are open", async ([_, setUp, isLeftOut], { skip }) => {
    skip(isLeftOut !== undefined, isLeftOut);
    const { config, url } = await setUp();
    const agent = await new AgentProcess(config).start();
    const cloud = await (await Cloud.connect(url)).online();
    expect(await cloud.command(grantCommand, pair)).toEqual({ ok: true });
    expect(await cloud.command("devices/list", {})).toMatchObject({ ok: true });
    for (const closed of [revokeCommand, "access/list", "agent/status", "act/type"]) {
      expect(await cloud.command(closed, { ...pair, lock: "front-door", digits: "1234" })).toMatchObject(unknown);
    }
    expect(await agent.ask("agent/status")).toMatchObject({ ok: true });
    expect(await agent.ask("act/type", { lock: "front-door", digits: "1234" })).toMatchObject({ ok: true });
    expect(await agent.ask(revokeCommand, pair)).toEqual({ ok: true });
  });

  test("and cannot name one that is for the gateway alone", async () => {
    const { config } = await embedded({}, { mqtt: { commands: ["act/type"] } });
    const { code, said } = await new AgentProcess(config).startInVain();
    expect(code).toBe(1);
    expect(said).toContain('mqtt.commands[0]: MQTT has no command "act/type"');
  });
});
