import { z } from "zod";
import { type Agent, allOnline } from "./agent.ts";
import { base, commandTopic, grantCommand, revokeCommand } from "./house.ts";
import { Load } from "./load.ts";
import { until } from "./until.ts";

/** Whose code is to be where. */
export interface Pair {
  readonly identity: string;
  readonly device: string;
}

const event = z.looseObject({ user_identity_id: z.string().nullish(), device_id: z.string().nullish() });

interface Heard {
  /** By pair: when. */
  readonly live: Map<string, number>;
  readonly gone: Map<string, number>;
  readonly replied: Set<string>;
}

/** The cloud's side of the broker: grants, and waits until what it granted is live. */
export class Cloud implements AsyncDisposable {
  readonly #load: Load;
  /** Pairs that are live, and when that was heard. */
  readonly #live: ReadonlyMap<string, number>;
  /** Pairs of which nothing is left. */
  readonly #gone: ReadonlyMap<string, number>;
  readonly #replied: ReadonlySet<string>;
  #requests = 0;

  private constructor(load: Load, { live, gone, replied }: Heard) {
    this.#load = load;
    this.#live = live;
    this.#gone = gone;
    this.#replied = replied;
  }

  static async open(url: string): Promise<Cloud> {
    const heard: Heard = { live: new Map(), gone: new Map(), replied: new Set() };
    const topics = [`${base}/reply/#`, `${events}live`, `${events}gone`];
    const load = await Load.open(url, topics, (topic, payload) => {
      const now = performance.now();
      if (topic.startsWith(replies)) return void heard.replied.add(topic.slice(replies.length));
      const { user_identity_id: identity, device_id: device } = event.parse(JSON.parse(payload()));
      heard[topic === `${events}live` ? "live" : "gone"].set(`${identity} ${device}`, now);
    });
    return new Cloud(load, heard);
  }

  /** Grants, all at once: resolves to the milliseconds from the first publish to when the last of them was live. */
  grant(pairs: readonly Pair[]): Promise<number> {
    return this.#until(this.#live, grantCommand, pairs);
  }

  /** Revokes, all at once: resolves when nothing is left of them. */
  revoke(pairs: readonly Pair[]): Promise<number> {
    return this.#until(this.#gone, revokeCommand, pairs);
  }

  /** Resolves when the agent answers commands and every device has been heard of. */
  async ready(agent: Agent, devices: number): Promise<void> {
    await allOnline(agent, devices);
    await until(
      "the agent hears commands",
      async () => {
        await this.#load.publish(this.#packets(grantCommand, [{ identity: "nobody", device: "no-door" }]));
        return this.#replied.size > 0;
      },
      60_000,
      50,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load[Symbol.asyncDispose]();
  }

  async #until(told: ReadonlyMap<string, number>, command: string, pairs: readonly Pair[]): Promise<number> {
    const packets = this.#packets(command, pairs);
    const before = performance.now();
    await this.#load.publish(packets);
    const keys = pairs.map(({ identity, device }) => `${identity} ${device}`);
    const left = new Set(keys);
    await until(
      "all of them are told",
      () => {
        for (const key of left) {
          if (!told.has(key)) return false;
          left.delete(key);
        }
        return true;
      },
      patience,
      1,
    );
    return Math.max(...keys.map((key) => told.get(key) ?? Number.NaN)) - before;
  }

  #packets(command: string, pairs: readonly Pair[]): readonly Buffer[] {
    return Load.packets(
      pairs.map(({ identity, device }) => ({
        topic: commandTopic(command),
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
const events = `${base}/event/access.`;
const patience = 240_000;
