import { connectAsync } from "mqtt";
import { describe, expect, test } from "vitest";
import { brokerSkipReason } from "../support/broker.ts";
import { isLong } from "../support/long.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud, grantCommand } from "./support/cloud.ts";
import { frontDoor, remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";

const grantOf = (person: string): string => JSON.stringify({ user_identity_id: person, device_id: frontDoor });

describe.skipIf(brokerSkipReason("mosquitto")).each(isLong ? (["5", "3.1.1"] as const) : (["5"] as const))(
  "a retained command, by MQTT %s",
  (protocol) => {
    test("is refused once, not at each restart or lost session; another one is refused anew", async () => {
      const broker = await Mosquitto.start();
      const cloud = await Cloud.connect(broker.url, { clientId: "cloud", clean: false });
      const agent = new AgentProcess(remote(broker.url, {}, { broker: { url: broker.url, protocol } }));
      // What is handed out to our new subscription has come when the answer to a later command has.
      const restart = async (isForgotten = true): Promise<void> => {
        await agent.kill("SIGKILL");
        // A session that is there has the subscription already, and by MQTT 5 is handed out nothing.
        if (isForgotten)
          await (await connectAsync(broker.url, { clientId: "latchd-gateway-1", clean: true })).endAsync();
        await agent.start();
        await until("it is connected", async () =>
          JSON.stringify(await agent.ask("agent/status")).includes('"connected":true'),
        );
        await cloud.command("devices/list", {});
      };
      await cloud.publish(grantCommand, grantOf("kept"), true);
      await restart();
      await cloud.event("command.refused");
      await restart();
      expect(cloud.count("command.refused")).toBe(1);

      // Published while we listen: by MQTT 3.1.1 it looks like any other, and is carried out, once.
      await cloud.publish(grantCommand, grantOf("live"), true);
      if (protocol === "5") await until("it is refused", () => cloud.count("command.refused") === 2);
      else await cloud.event("access.accepted", { user_identity_id: "live" });
      await restart();
      await until("what it is told of", () => cloud.count("command.refused") === 2);
      expect(cloud.count("access.accepted")).toBe(protocol === "5" ? 0 : 1);

      // The cure, as the refusal names it, is not refused in turn; after it, the same command is another one.
      await cloud.publish(grantCommand, "", true);
      await restart();
      expect(cloud.count("command.refused")).toBe(2);
      await agent.kill("SIGTERM");
      await cloud.publish(grantCommand, grantOf("live"), true);
      await restart(false);
      // The session of MQTT 5 has kept it as the live message that it is; 3.1.1 hides that it is retained.
      if (protocol === "5") await until("it is refused", () => cloud.count("command.refused") === 3);
      expect(cloud.count("access.accepted")).toBe(protocol === "5" ? 0 : 1);
      expect(agent.stderr).toBe("");
    });
  },
);
