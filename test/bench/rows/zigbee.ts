import { Socket } from "node:net";
import { connectAsync, type MqttClient } from "mqtt";
import { z } from "zod";
import { friendlyName, hasZigbee2mqtt, RealZigbee2mqtt } from "../../interop/real-zigbee2mqtt.ts";
import { bestBroker, startBroker } from "../../support/broker.ts";
import type { Bench } from "../bench.ts";
import { upTo } from "../house.ts";
import { install } from "../install.ts";
import { Site } from "../site.ts";
import { median } from "../statistics.ts";
import { until } from "../until.ts";

const row = "grant latency over zigbee2mqtt";
/** Milliseconds: sooner than locks that sleep between two looks at their parent. */
const lockAnswersIn = 100;
const baseTopic = "zigbee2mqtt";
/** The last slot of the lock: latchd takes the first that it finds empty. */
const user = 29;
const state = z.looseObject({
  users: z
    .record(z.string(), z.looseObject({ pin_code: z.string().optional(), status: z.string() }))
    .optional()
    .catch(undefined),
});

export const zigbee: Bench = {
  name: "zigbee",
  rows: [row],
  beside: "others that wait",
  unit: { [row]: "ms" },

  async *rounds(context) {
    const { quick, progress, missing, note } = context;
    const [first, times, rounds] = quick ? [1, 3, 1] : [5, 10, 5];
    const absent = await install("zigbee2mqtt", "test/interop", hasZigbee2mqtt, context);
    if (absent !== undefined) return missing(row, absent);
    progress("zigbee: starting zigbee2mqtt");
    await using broker = await startBroker(bestBroker(), ["max_queued_messages 0"]);
    await using real = new RealZigbee2mqtt({
      brokerUrl: broker.url,
      baseTopic,
      pollControl: false,
      air: lockAnswersIn,
    });
    await real.running();
    const config = {
      links: { zigbee: { driver: "zigbee2mqtt", url: broker.url } },
      devices: [{ device_id: "door", name: "Door", time_zone: "UTC", at: { link: "zigbee", address: friendlyName } }],
    };
    await using site = await Site.open(context, "zigbee", config);
    const client = await connectAsync(broker.url);
    try {
      if (client.stream instanceof Socket) client.stream.setNoDelay();
      const byHand = await Hand.at(client);
      const latchd = async (name: string): Promise<number> => {
        const pair = { identity: name, device: "door" };
        const took = await site.cloud.grant([pair]);
        await site.cloud.revoke([pair]);
        return took;
      };
      // What runs for the first time is compiled first.
      for (const time of upTo(first)) await latchd(`first-${time}`);
      for (const time of upTo(first)) await byHand.put(String(7_000 + time));
      await site.agent.loopDelay();
      const looking: number[] = [];
      for (const round of upTo(rounds)) {
        progress(`zigbee: round ${round} of ${rounds}`);
        const [ours, theirs]: [number[], number[]] = [[], []];
        for (const time of upTo(times)) {
          ours.push(await latchd(`person-${round}-${time}`));
          const look = await byHand.look();
          const put = await byHand.put(String(10_000 + 100 * round + time));
          theirs.push(put);
          looking.push(look + put);
        }
        context.delayed("zigbee2mqtt", await site.agent.loopDelay());
        yield { [row]: { latchd: median(ours), reference: median(theirs) } };
      }
      note(row, `by hand, with a look at the slot before: ${median(looking).toFixed(1)} ms`);
    } finally {
      await client.endAsync(true);
    }
  },
};

/** Somebody who knows what to publish: sets a code, and gets it until it is there. */
class Hand {
  readonly #client: MqttClient;
  #there: string | undefined;
  #answers = 0;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (_topic, payload) => {
      const found = state.parse(JSON.parse(payload.toString("utf8"))).users?.[String(user)];
      if (!found) return;
      this.#there = found.pin_code;
      this.#answers += 1;
    });
  }

  static async at(client: MqttClient): Promise<Hand> {
    const hand = new Hand(client);
    await client.subscribeAsync(`${baseTopic}/${friendlyName}`);
    return hand;
  }

  /** Over the code that was there before. Milliseconds until the lock has said that it holds it. */
  async put(digits: string): Promise<number> {
    const before = performance.now();
    await this.#publish("set", { user, pin_code: digits });
    do await this.#ask();
    while (this.#there !== digits);
    return performance.now() - before;
  }

  /** Milliseconds until the lock has said what it holds. */
  async look(): Promise<number> {
    const before = performance.now();
    await this.#ask();
    return performance.now() - before;
  }

  async #ask(): Promise<void> {
    const answers = this.#answers;
    await this.#publish("get", { user });
    await until("zigbee2mqtt answers", () => this.#answers > answers, 10_000, 1);
  }

  async #publish(verb: "get" | "set", pin: object): Promise<void> {
    await this.#client.publishAsync(`${baseTopic}/${friendlyName}/${verb}`, JSON.stringify({ pin_code: pin }));
  }
}
