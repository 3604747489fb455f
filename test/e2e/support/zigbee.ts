import { onTestFinished } from "vitest";
import { type PersonaOptions, Zigbee2mqttPersona } from "../../../simulator/zigbee2mqtt.ts";
import { type MqttProxy, startMqttProxy } from "../../support/mqtt-proxy.ts";
import { client } from "../mqtt-support.ts";
import { AgentProcess } from "./agent-process.ts";
import { Cloud } from "./cloud.ts";
import { door, frontDoor } from "./doors.ts";
import { Mosquitto } from "./mosquitto.ts";

export const lockName = "front-door";

export interface ZigbeeHouse {
  readonly broker: Mosquitto;
  /** Between the link and the broker, where it was asked for. */
  readonly proxy: MqttProxy;
  readonly persona: Zigbee2mqttPersona;
  readonly agent: AgentProcess;
  readonly cloud: Cloud;
  /** Every code that was sent to the lock to be written, in order. */
  readonly writes: readonly string[];
}

/** An agent with one lock behind the persona of zigbee2mqtt, all on one mosquitto. Ends with the test. */
export async function zigbeeHouse({
  link = {},
  persona = {},
  proxied = false,
  deadFromStart = false,
}: {
  /** More options of the link. */
  readonly link?: object;
  readonly persona?: Partial<PersonaOptions>;
  /** The link goes through a proxy. */
  readonly proxied?: boolean;
  /** The lock answers to nothing until it is told to. */
  readonly deadFromStart?: boolean;
} = {}): Promise<ZigbeeHouse> {
  const broker = await Mosquitto.start();
  const locks = [{ name: lockName, ieee: "0x000d6f0011223344", pollControl: false }];
  const there = new Zigbee2mqttPersona({ url: broker.url, baseTopic: "zigbee2mqtt", locks, ...persona });
  await there.start();
  if (deadFromStart) await there.act(lockName, { act: "mode", mode: "dead" });
  onTestFinished(() => there.stop("power cut"));
  const writes = await sentTo(broker.url);
  const proxy = await startMqttProxy(broker.port);
  onTestFinished(() => proxy.close());
  const url = proxied ? proxy.url : broker.url;
  const agent = await new AgentProcess({
    agent_id: "gateway-1",
    broker: broker.url,
    links: { zigbee: { driver: "zigbee2mqtt", url, ...link } },
    devices: [door(frontDoor, lockName, "zigbee")],
  }).start();
  const cloud = await (await Cloud.connect(broker.url)).online();
  return { broker, proxy, persona: there, agent, cloud, writes };
}

async function sentTo(url: string): Promise<readonly string[]> {
  const writes: string[] = [];
  const listener = await client(url, { reconnectPeriod: 100 });
  listener.on("message", (_topic, payload) => {
    const { pin_code: pin } = JSON.parse(payload.toString()) as { pin_code?: { pin_code?: string | null } };
    if (typeof pin?.pin_code === "string") writes.push(pin.pin_code);
  });
  await listener.subscribeAsync(`zigbee2mqtt/${lockName}/set`);
  return writes;
}
