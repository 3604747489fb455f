import { Socket } from "node:net";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { until } from "../mqtt-support.ts";
import { type AnyReply, readReply } from "./agent-process.ts";

export const base = "access/gateway-1";
export const grantCommand = "user_identities/grant_access_to_device";
export const revokeCommand = "user_identities/revoke_access_to_device";

const event = z.looseObject({
  event_type: z.string(),
  number: z.int(),
  user_identity_id: z.string().nullish(),
  device_id: z.string().nullish(),
  evidence: z.string().nullish(),
  reason: z.string().nullish(),
});
export type CloudEvent = z.infer<typeof event>;

/** The cloud's side of the broker: sends commands, and gathers replies and events as they come. Ends with the test. */
export class Cloud {
  /** Topics below the agent's, in order of arrival. */
  readonly topics: string[] = [];
  /** By request id: every copy of it. */
  readonly replies = new Map<string, string[]>();
  /** Every copy of each, as they came. */
  readonly events: CloudEvent[] = [];
  readonly #client: MqttClient;
  #ids = 0;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (topic, payload) => this.#heard(topic.slice(base.length + 1), payload.toString("utf8")));
    client.on("error", () => {});
    // Of a broker that went away nothing is known.
    client.on("close", () => {
      this.#state = undefined;
    });
  }

  static async connect(url: string, options: IClientOptions = {}): Promise<Cloud> {
    const client = await connectAsync(url, { reconnectPeriod: 200, ...options });
    // Else what it measures is how long its own small writes wait for each other.
    if (client.stream instanceof Socket) client.stream.setNoDelay();
    onTestFinished(async () => {
      await client.endAsync(true);
    });
    const cloud = new Cloud(client);
    await client.subscribeAsync([`${base}/reply/#`, `${base}/event/#`, `${base}/status`], { qos: 1 });
    return cloud;
  }

  /** The agent hears commands, and we hear it: its state comes with our subscriptions, each time. */
  async online(): Promise<this> {
    await until("the agent is online", () => this.#state === "online");
    return this;
  }

  /** As the broker has it: what the agent, or its last will, said last. */
  get state(): string | undefined {
    return this.#state;
  }

  /** Publishes as it is; resolves with the broker's PUBACK. */
  async publish(command: string, payload: string | Buffer, retain = false): Promise<void> {
    await this.#client.publishAsync(`${base}/command/${command}`, payload, { qos: 1, retain });
  }

  /** Sends a command and waits for its reply. */
  async command(command: string, parameters: object, requestId = `q-${++this.#ids}`): Promise<AnyReply> {
    // The client sends what it could not send before it subscribes again, and MQTT 3.1.1 keeps no reply for who is late.
    await this.online();
    const before = this.replies.get(requestId)?.length ?? 0;
    await this.publish(command, JSON.stringify({ request_id: requestId, ...parameters }));
    return this.reply(requestId, before);
  }

  /** The reply to a request, once there are more than `after` of it. */
  async reply(requestId: string, after = 0, within?: number): Promise<AnyReply> {
    await until(`the reply ${requestId}`, () => (this.replies.get(requestId)?.length ?? 0) > after, within);
    return readReply(this.replies.get(requestId)?.at(-1) ?? "");
  }

  /** The first event that is so, once it is there. */
  async event(
    type: string,
    of: Partial<Pick<CloudEvent, "user_identity_id" | "device_id">> = {},
    within?: number,
  ): Promise<CloudEvent> {
    const find = (): CloudEvent | undefined =>
      this.events.find(
        (each) => each.event_type === type && Object.entries(of).every(([name, value]) => each[name] === value),
      );
    await until(`the event ${type} ${JSON.stringify(of)}`, () => find() !== undefined, within);
    return event.parse(find());
  }

  /** How many different events of a type came. */
  count(type: string): number {
    return new Set(this.events.flatMap((each) => (each.event_type === type ? [each.number] : []))).size;
  }

  /**
   * The numbers of events in the order in which each was first heard, from 1: gapless where nothing was lost or overtaken. What
   * is told of devices may have waited for us, since nobody listened at first: it stands where it belongs.
   */
  numbers(): readonly number[] {
    const ours = [...this.told(/^(?!device\.)/)];
    const ofDevices = this.told(/^device\./);
    const first = Math.min(...ours);
    const numbers = ours.flatMap((number) => {
      let next = number + 1;
      while (ofDevices.has(next)) next += 1;
      return upTo(next - number).map((step) => number + step - 1);
    });
    return numbers.map((number) => number - first + 1);
  }

  /**
   * The numbers of all that was heard, as they are, in the order in which each was first heard.
   *
   * @param type of these only.
   */
  told(type = /./): ReadonlySet<number> {
    return new Set(this.events.filter(({ event_type: is }) => type.test(is)).map(({ number }) => number));
  }

  #state: string | undefined;

  #heard(topic: string, text: string): void {
    this.topics.push(topic);
    if (topic.startsWith("event/")) this.events.push(event.parse(JSON.parse(text)));
    else if (topic === "status") this.#state = z.looseObject({ state: z.string() }).parse(JSON.parse(text)).state;
    else
      this.replies.set(topic.slice("reply/".length), [...(this.replies.get(topic.slice("reply/".length)) ?? []), text]);
  }
}

/** 1, 2, …, `count`. */
export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
