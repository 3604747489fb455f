import { setTimeout as delay } from "node:timers/promises";
import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Arrival } from "../../agent/mqtt/inbox.ts";
import type { Outgoing } from "../../agent/mqtt/outbox.ts";
import { type Mqtt, type MqttOptions, openMqtt } from "../../agent/mqtt/session.ts";
import type { Clock, Log } from "../../drivers/driver.ts";
import { type Broker, type BrokerName, brokerSkipReason, startBroker } from "../support/broker.ts";
import { type MqttProxy, startMqttProxy } from "../support/mqtt-proxy.ts";

export const silent: Log = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a broker speaks: the newest by its name, and all by their protocol level. */
const spoken = {
  aedes: { protocol: "MQTT 3.1.1", levels: [4] },
  mosquitto: { protocol: "MQTT 5", levels: [4, 5] },
} as const;
const names: readonly BrokerName[] = ["aedes", "mosquitto"];
/** The brokers that are here, for `describe.each`: what holds on one must hold on the other. */
export const brokers = names
  .filter((name) => brokerSkipReason(name) === undefined)
  .map((name) => ({ name, start: () => startedBroker(name), ...spoken[name] }));

/** A broker that ends with the test. */
export async function startedBroker(name: BrokerName): Promise<Broker> {
  const broker = await startBroker(name);
  onTestFinished(() => broker[Symbol.asyncDispose]());
  return broker;
}

/** A proxy before that broker; ends with the test. */
export async function proxied({ url }: Broker): Promise<MqttProxy> {
  const proxy = await startMqttProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  return proxy;
}

/**
 * What is waited for comes in a second, or a few; so long is waited only where the machine has much other work, or it never
 * comes. Less than the minute after which a breaker lets a lock be tried again: what comes by that alone is late.
 */
const patience = 45_000;

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  within = patience,
): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${within} ms`);
    await delay(5);
  }
}

/** Real time, but pauses between tries take a twentieth of it; what is a second or less is a time for others to answer. */
const hurried: Clock = {
  now: () => instant(Date.now()),
  async sleep(ms, signal) {
    await delay(ms > 1000 ? ms / 20 : ms, undefined, signal && { signal });
  },
};

interface LogLine {
  readonly level: keyof Log;
  readonly fields: object;
  readonly message: string;
}

const rankOf = (topic: string): "reply" | "event" => (topic.includes("/reply/") ? "reply" : "event");

/** The agent's side of the seams, in memory. */
export class TestAgent {
  readonly batches: (readonly Arrival[])[] = [];
  readonly letters: Outgoing[] = [];
  readonly log: LogLine[] = [];
  readonly failures: unknown[] = [];
  readonly devices = new Map([["door-1", '{"device_id":"door-1","online":true}']]);
  status = '{"state":"online","version":"0.1.0"}';
  /** Set to make `accept` throw. */
  broken: Error | undefined;

  open(url: string, options: Partial<MqttOptions> = {}): Mqtt {
    const mqtt = openMqtt({
      url,
      protocol: "auto",
      agentId: "gateway-1",
      prefix: "access",
      log: this.#log(),
      clock: hurried,
      intake: {
        accept: (arrivals) => {
          if (this.broken) throw this.broken;
          this.batches.push(arrivals);
        },
        handedOut: () => {},
      },
      letters: {
        next: (inFlight, limit, of) =>
          this.letters
            .filter(({ id }) => !inFlight.has(id))
            .filter(({ id, topic }) =>
              "topic" in of ? topic === of.topic : rankOf(topic) === of.rank && id > of.after,
            )
            .slice(0, limit),
        delivered: (ids) => {
          const gone = new Set(ids);
          this.letters.splice(0, this.letters.length, ...this.letters.filter(({ id }) => !gone.has(id)));
        },
      },
      standing: { status: () => this.status, devices: () => this.devices },
      onFailure: (cause) => this.failures.push(cause),
      ...options,
    });
    onTestFinished(() => mqtt.close());
    return mqtt;
  }

  get payloads(): string[] {
    return this.batches.flat().map(({ payload }) => Buffer.from(payload).toString());
  }

  #log(): Log {
    const at =
      (level: keyof Log) =>
      (fields: object, message: string): void => {
        this.log.push({ level, fields, message });
      };
    return { trace: at("trace"), debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  }
}

export async function client(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const connected = await connectAsync(url, { reconnectPeriod: 0, ...options });
  onTestFinished(async () => {
    await connected.endAsync(true);
  });
  return connected;
}

/** Subscribes, and gathers what comes. */
export async function listen(url: string, filter: string, options?: IClientOptions): Promise<IPublishPacket[]> {
  const heard: IPublishPacket[] = [];
  const listener = await client(url, options);
  listener.on("message", (_topic, _payload, packet) => heard.push(packet));
  await listener.subscribeAsync(filter, { qos: 1 });
  return heard;
}

export const grant = "access/gateway-1/command/user_identities/grant_access_to_device";

/** The retained message on `topic`, once it is there and satisfies. */
export async function retained(url: string, topic: string, isIt: (payload: string) => boolean): Promise<string> {
  const heard = await listen(url, topic);
  const payloads = (): string[] => heard.map(({ payload }) => payload.toString());
  await until(`${topic} says so`, () => payloads().some(isIt));
  return payloads().findLast(isIt) ?? "";
}

/** The agent says that it is online, and so hears commands. */
export const online = (url: string): Promise<string> =>
  retained(url, "access/gateway-1/status", (payload) => payload.includes('"online"'));

/** Publishes commands with the payloads `0`, `1`, … to `count`, all PUBACKed when it resolves. */
export async function command(url: string, count: number, first = 0): Promise<string[]> {
  const publisher = await client(url);
  const payloads = Array.from({ length: count }, (_, index) => String(first + index));
  await Promise.all(payloads.map((payload) => publisher.publishAsync(grant, payload, { qos: 1 })));
  await publisher.endAsync();
  return payloads;
}
