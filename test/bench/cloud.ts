import { z } from "zod";
import type { Agent } from "./agent.ts";
import { base, commandTopic, grantCommand } from "./house.ts";
import { Load } from "./load.ts";
import { until } from "./until.ts";

/** Whose code is to be where. */
export interface Pair {
  readonly identity: string;
  readonly device: string;
}

const heard = z.looseObject({ user_identity_id: z.string().nullish(), device_id: z.string().nullish() });

/** The cloud's side of the broker: grants, and waits until what it granted is live. */
export class Cloud implements AsyncDisposable {
  readonly #load: Load;
  /** Pairs that are live, and when that was heard. */
  readonly #live: Map<string, number>;
  readonly #replied: Set<string>;
  #requests = 0;

  private constructor(load: Load, live: Map<string, number>, replied: Set<string>) {
    this.#load = load;
    this.#live = live;
    this.#replied = replied;
  }

  static async open(url: string): Promise<Cloud> {
    const live = new Map<string, number>();
    const replied = new Set<string>();
    const load = await Load.open(url, [`${base}/reply/#`, `${base}/event/access.live`], (topic, payload) => {
      const now = performance.now();
      if (topic.startsWith(replies)) return void replied.add(topic.slice(replies.length));
      const { user_identity_id: identity, device_id: device } = heard.parse(JSON.parse(payload()));
      live.set(`${identity} ${device}`, now);
    });
    return new Cloud(load, live, replied);
  }

  /** Grants, all at once: resolves to the milliseconds from the first publish to when the last of them was live. */
  async grant(pairs: readonly Pair[], within = 120_000): Promise<number> {
    const packets = this.#packets(pairs);
    const before = performance.now();
    await this.#load.publish(packets);
    const keys = pairs.map(({ identity, device }) => `${identity} ${device}`);
    await until("all are live", () => keys.every((key) => this.#live.has(key)), within, 1);
    return Math.max(...keys.map((key) => this.#live.get(key) ?? Number.NaN)) - before;
  }

  /** Resolves when the agent answers commands and every device has been heard of. */
  async ready(agent: Agent, devices: number): Promise<void> {
    await until(
      "all locks are online",
      async () => {
        const text = await agent.ask("devices/list");
        return [...text.matchAll(/"online":true/g)].length >= devices;
      },
      120_000,
      50,
    );
    await until(
      "the agent hears commands",
      async () => {
        await this.#load.publish(this.#packets([{ identity: "nobody", device: "no-door" }]));
        return this.#replied.size > 0;
      },
      60_000,
      50,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]();
  }

  #packets(pairs: readonly Pair[]): readonly Buffer[] {
    return Load.packets(
      pairs.map(({ identity, device }) => ({
        topic: commandTopic(grantCommand),
        payload: JSON.stringify({
          request_id: `request-${++this.#requests}`,
          user_identity_id: identity,
          device_id: device,
        }),
      })),
    );
  }
}

const replies = `${base}/reply/`;
