import { onTestFinished } from "vitest";
import { type MqttProxy, startMqttProxy } from "../../support/mqtt-proxy.ts";
import { until } from "../mqtt-support.ts";
import { AgentProcess } from "./agent-process.ts";
import { Cloud } from "./cloud.ts";
import { remote } from "./doors.ts";
import { Mosquitto } from "./mosquitto.ts";

export type Cut = Parameters<MqttProxy["cutAt"]>[0];

interface Shot {
  readonly agent: AgentProcess;
  readonly cloud: Cloud;
  /** Waits until it was killed, and starts it again. */
  readonly revived: () => Promise<void>;
}

/** An agent and its cloud at mosquitto. It is killed with -9 at the first packet that is so, which does not get through. */
export async function shotAt(isIt: Cut): Promise<Shot> {
  const broker = await Mosquitto.start();
  const proxy = await startMqttProxy(broker.port);
  onTestFinished(() => proxy.close());
  const agent = await new AgentProcess(remote(proxy.url)).start();
  const cloud = await (await Cloud.connect(broker.url)).online();
  let killed = false;
  proxy.cutAt(isIt, () => {
    agent.shoot();
    killed = true;
  });
  return {
    agent,
    cloud,
    async revived() {
      await until("the trap sprang", () => killed);
      await agent.kill("SIGKILL");
      // The will tells of it; until then the broker may still think that we are there.
      await until("the broker noticed", () => cloud.state === "offline");
      await agent.start();
    },
  };
}
