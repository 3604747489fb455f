import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { generate, type Packet, parser } from "mqtt-packet";
import { describe, expect, onTestFinished, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Chronicle } from "../../agent/mqtt/presence.ts";
import type { Clock } from "../../drivers/driver.ts";
import { brokerSkipReason } from "../support/broker.ts";
import { startedBroker, TestAgent, until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { Cloud } from "./support/cloud.ts";
import { remote } from "./support/doors.ts";
import { Mosquitto } from "./support/mosquitto.ts";

/** Real time, in which the five minutes after a rival was noticed last until the test ends them. */
class Pauses implements Clock {
  readonly waiting: (() => void)[] = [];

  now = () => instant(Date.now());

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < 60_000) return delay(Math.min(ms, 50), undefined, signal && { signal });
    await new Promise<void>((resolve, reject) => {
      this.waiting.push(resolve);
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  }

  end(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}

class Rival {
  readonly agent = new TestAgent();
  readonly clock = new Pauses();
  readonly told: string[] = [];
  readonly mqtt;

  constructor(url: string, protocol: "5" | "3.1.1") {
    const chronicle: Chronicle = { connected: () => {}, heard: () => {}, idInUse: (reason) => this.told.push(reason) };
    this.mqtt = this.agent.open(url, { protocol, clock: this.clock, chronicle });
  }

  get errors(): readonly string[] {
    return this.agent.log.flatMap(({ level, message }) => (level === "error" ? [message] : []));
  }

  get connects(): number {
    return this.agent.log.filter(({ message }) => message === "connected to the broker").length;
  }

  get isPausing(): boolean {
    return this.clock.waiting.length > 0;
  }
}

const say = (to: Socket, packet: Packet): void => void to.write(generate(packet, { protocolVersion: 5 }));

/** A broker that says, as MQTT 5 has it, why it ends a connection: mosquitto 2.0.11 just hangs up. */
async function startTalkative(): Promise<string> {
  let holder: Socket | undefined;
  const server = createServer((socket) => {
    const reader = parser({ protocolVersion: 5 });
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => reader.parse(bytes));
    reader.on("packet", (packet) => {
      if (packet.cmd === "connect") {
        const before = holder;
        holder = socket;
        if (before?.writable) say(before, { cmd: "disconnect", reasonCode: 0x8e });
        before?.end();
        say(socket, { cmd: "connack", reasonCode: 0, sessionPresent: before !== undefined });
      } else if (packet.cmd === "subscribe") {
        say(socket, { cmd: "suback", messageId: packet.messageId ?? 0, granted: [1], reasonCode: 0 });
      } else if (packet.cmd === "publish") {
        say(socket, { cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 });
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    holder?.destroy();
  });
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("an agent that is told that its session was taken over gives way at once", async () => {
  const url = await startTalkative();
  const first = new Rival(url, "5");
  await until("the first is there", () => first.mqtt.connected);
  const second = new Rival(url, "5");
  await until("the first gives way", () => first.isPausing);
  await until("the second is there", () => second.mqtt.connected);
  expect([first.connects, second.connects]).toEqual([1, 1]);
  expect(first.errors).toEqual(["agent_id_in_use"]);
  expect(first.told).toEqual(["another client took our session over"]);
  first.clock.end();
  await until("they have changed places", () => first.mqtt.connected && second.isPausing);
  expect([first.connects, second.connects]).toEqual([2, 1]);
  expect(first.errors).toHaveLength(1);
});

describe.skipIf(brokerSkipReason("mosquitto"))("two agents with one agent_id", () => {
  test.each(["5", "3.1.1"] as const)(
    "by MQTT %s: who came last stays, the other waits five minutes, and says so once",
    async (protocol) => {
      const broker = await startedBroker("mosquitto");
      const first = new Rival(broker.url, protocol);
      await until("the first is there", () => first.mqtt.connected);
      const second = new Rival(broker.url, protocol);
      const connects = (): number => first.connects + second.connects;
      await until("one gives way", () => first.isPausing || second.isPausing);
      const [loser, winner] = first.isPausing ? [first, second] : [second, first];
      await until("the other stays", () => winner.mqtt.connected);
      expect(connects()).toBeLessThan(10);
      expect(winner.isPausing).toBe(false);
      expect(loser.errors).toEqual(["agent_id_in_use"]);
      expect(loser.agent.log.find(({ level }) => level === "error")?.fields).toMatchObject({
        agent_id: "gateway-1",
        hint: expect.stringContaining("agent_id of its own") as string,
      });
      expect(loser.told).toHaveLength(1);
      expect(loser.mqtt.idInUseSince).toBeDefined();

      // The pause over, it tries again, and they change places; neither says it a second time.
      const before = connects();
      loser.clock.end();
      await until("they have changed places", () => winner.isPausing || loser.isPausing);
      const pausing = winner.isPausing ? winner : loser;
      const staying = winner.isPausing ? loser : winner;
      await until("one is there", () => staying.mqtt.connected);
      expect(connects() - before).toBeLessThan(8);
      expect(pausing.mqtt.connected).toBe(false);
      expect(loser.errors).toEqual(["agent_id_in_use"]);
      expect(loser.told).toHaveLength(1);
    },
  );

  test("is told in the log, in the status and as an event; an agent that is killed and started again is none", async () => {
    const broker = await Mosquitto.start();
    const agent = await new AgentProcess(remote(broker.url)).start();
    const cloud = await (await Cloud.connect(broker.url)).online();
    for (let time = 0; time < 4; time += 1) {
      await agent.kill("SIGKILL");
      await agent.start();
      await until("it is connected", async () =>
        JSON.stringify(await agent.ask("agent/status")).includes('"connected":true'),
      );
    }
    expect(agent.stdout).not.toContain("agent_id_in_use");
    expect(await agent.ask("agent/status")).toMatchObject({ agent: { broker: { agent_id_in_use_since: null } } });

    const other = await new AgentProcess(remote(broker.url)).start();
    await until("the first has said so", () => agent.stdout.includes("agent_id_in_use"));
    expect(await agent.ask("agent/status")).toMatchObject({
      agent: { broker: { connected: false, agent_id_in_use_since: expect.any(String) as string } },
    });
    await until("the second is connected", async () =>
      JSON.stringify(await other.ask("agent/status")).includes('"connected":true'),
    );
    // The event waits on disk: the first tells it when it is let in again.
    await other.kill("SIGTERM");
    await agent.kill("SIGTERM");
    await agent.start();
    await cloud.event("agent_id_in_use");
    expect(cloud.count("agent_id_in_use")).toBe(1);
    expect(agent.stdout.match(/"agent_id_in_use"/g)).toHaveLength(1);
  });
});
