import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { seeded } from "../../../simulator/faults.ts";
import { type MqttProxy, startMqttProxy } from "../../support/mqtt-proxy.ts";
import { until } from "../mqtt-support.ts";
import { AgentProcess } from "../support/agent-process.ts";
import { Cloud, upTo } from "../support/cloud.ts";
import { door } from "../support/doors.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { LocksProcess } from "./locks-process.ts";
import { Publisher } from "./publisher.ts";

/** An agent, its locks, and who sends it commands. The name of a lock is that of its device. */
export interface Site {
  readonly agent: AgentProcess;
  readonly cloud: Cloud;
  readonly publisher: Publisher;
  readonly people: readonly string[];
  readonly locks: readonly LocksProcess[];
  readonly proxies: { readonly cloud: MqttProxy; readonly link: MqttProxy };
}

/** What a house needs to know of where it stands. */
interface Ground {
  readonly brokerUrl: string;
  /** The same broker, past who looks on. */
  readonly linkUrl: string;
  readonly folder: string;
  readonly seed: number;
}

/** Locks in a process of their own, and the link to them in the agent's configuration. */
export interface House {
  readonly name: string;
  readonly locks: readonly string[];
  build(ground: Ground): { readonly locks: LocksProcess; readonly link: object };
}

const misfortunes = ["--delay", "5-50", "--lose", "0.1", "--late", "0.1", "--seed"];

/** Locks behind a zigbee2mqtt. */
export const zigbeeHouse = (name: string, locks: readonly string[]): House => ({
  name,
  locks,
  build: ({ brokerUrl, linkUrl, folder, seed }) => ({
    locks: new LocksProcess({
      program: "main.js",
      given: [
        "--broker",
        brokerUrl,
        "--base-topic",
        name,
        ...locks.flatMap((lock) => ["--lock", lock]),
        ...misfortunes,
        String(seed),
      ],
      locks,
      folder,
    }),
    link: { driver: "zigbee2mqtt", url: linkUrl, base_topic: name, timeout_ms: 600 },
  }),
});

/** Locks of three kinds at the far end of a serial device: User Code, masked and not, and User Credential. */
export const zwaveHouse: House = {
  name: "zwave",
  locks: ["2", "3", "4"],
  build({ folder, seed }) {
    const device = join(folder, "tty");
    const given = ["--serial", device, ...misfortunes, String(seed)];
    return {
      locks: new LocksProcess({ program: "zwave-main.js", given, locks: this.locks, folder }),
      link: { driver: "zwave", port: device, timeout_ms: 500 },
    };
  },
};

/**
 * All of them run, and the agent has run once: the broker keeps a session for it, and it has met its locks, which takes
 * long where they are interviewed. Ends with the test.
 */
export async function build(houses: readonly House[], seed: number): Promise<Site> {
  const broker = await Mosquitto.start();
  const folder = mkdtempSync(join(tmpdir(), "latchd-locks-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const proxies = { cloud: await startMqttProxy(broker.port), link: await startMqttProxy(broker.port) };
  for (const proxy of Object.values(proxies)) onTestFinished(() => proxy.close());
  const ground = { brokerUrl: broker.url, linkUrl: proxies.link.url, folder };
  const built = houses.map((house, index) => ({ ...house, ...house.build({ ...ground, seed: seed + 10 * index }) }));
  const locks = await Promise.all(built.map((house) => house.locks.start()));
  const agent = new AgentProcess({
    agent_id: "gateway-1",
    broker: proxies.cloud.url,
    pins: { length: 8 },
    links: Object.fromEntries(built.map(({ name, link }) => [name, link])),
    devices: houses.flatMap((house) => house.locks.map((lock) => door(lock, lock, house.name))),
  });
  await agent.start();
  const cloud = await (await Cloud.connect(broker.url)).online();
  const devices = houses.flatMap((house) => house.locks);
  await until("all locks have said what they can hold", () => isAcquainted(agent, devices.length), 200_000);
  await agent.kill("SIGKILL");
  const people = upTo(8).map((number) => `person-${number}`);
  const publisher = new Publisher(cloud, seeded(seed), { people, devices, perSecond: 10 });
  return { agent, cloud, publisher, people, locks, proxies };
}

async function isAcquainted(agent: AgentProcess, count: number): Promise<boolean> {
  // Who asks without a pause keeps the agent from its work.
  await delay(250);
  return JSON.stringify(await agent.ask("devices/list")).split("max_active_codes_supported").length > count;
}
