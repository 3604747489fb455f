import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Broker, bestBroker, startBroker } from "../support/broker.ts";
import { Agent } from "./agent.ts";
import type { BenchContext } from "./bench.ts";
import { Cloud } from "./cloud.ts";

/** An agent at a broker, and the cloud at the same. */
export class Site implements AsyncDisposable {
  readonly broker: Broker;
  readonly agent: Agent;
  readonly cloud: Cloud;

  private constructor(broker: Broker, agent: Agent, cloud: Cloud) {
    this.broker = broker;
    this.agent = agent;
    this.cloud = cloud;
  }

  /**
   * @param name of its folder.
   * @param config beside what is said of the broker.
   * @param before what is to be in its folder when it starts.
   * @param preloads of our programs: run in its process before it.
   */
  static async open(
    { folder }: Pick<BenchContext, "folder">,
    name: string,
    config: { readonly devices: readonly object[]; readonly links: object },
    before: (agent: Agent) => void | Promise<void> = () => undefined,
    preloads: readonly string[] = [],
  ): Promise<Site> {
    const broker = await startBroker(bestBroker(), ["max_queued_messages 0"]);
    const agent = new Agent(join(folder, name), { agent_id: "gateway-1", broker: broker.url, ...config }, preloads);
    const cloud = await Cloud.open(broker.url);
    const site = new Site(broker, agent, cloud);
    try {
      await before(agent);
      await agent.start();
      await cloud.ready(agent, config.devices.length);
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloud[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
    rmSync(this.agent.folder, { recursive: true, force: true });
  }
}
