import { readFileSync } from "node:fs";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { LinkError, type Log } from "../driver.ts";
import type { Options } from "./options.ts";

export interface Listener {
  /** `retained`: it was said before we asked, at some time. */
  heard(topic: string, text: string, retained: boolean): void;
  connected(): void;
  disconnected(): void;
}

/**
 * Our session at the broker. At QoS 0 and without a queue, on purpose: a write that leaves late, after we have given it
 * up, could bring back a code that was revoked.
 */
export class Wire {
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  /** Rejects with {@link LinkError} where the broker is away or does not let us in. */
  static async open(options: Options, log: Log, listener: Listener): Promise<Wire> {
    const how = session(options);
    let client: MqttClient;
    try {
      client = await connectAsync(options.url, how, false);
    } catch (cause) {
      throw new LinkError(`cannot connect to the broker of zigbee2mqtt at ${options.url}`, {
        sent: false,
        hint: "check url, username and password_file of this link, and that the broker runs",
        cause,
      });
    }
    client.on("message", (topic, payload, { retain }) => listener.heard(topic, payload.toString("utf8"), retain));
    client.on("connect", () => listener.connected());
    client.on("close", () => listener.disconnected());
    client.on("error", (error) => log.debug({ error: error.message }, "the broker of zigbee2mqtt is in trouble"));
    return new Wire(client);
  }

  get isConnected(): boolean {
    return this.#client.connected;
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    await this.#client.subscribeAsync([...topics], { qos: 0 });
  }

  async unsubscribe(topics: readonly string[]): Promise<void> {
    await this.#client.unsubscribeAsync([...topics]);
  }

  /** Rejects with {@link LinkError} where it cannot leave at once. */
  async publish(topic: string, text: string): Promise<void> {
    if (!this.#client.connected) {
      throw new LinkError("the broker of zigbee2mqtt is away", { sent: false, hint: "check that the broker runs" });
    }
    try {
      await this.#client.publishAsync(topic, text, { qos: 0 });
    } catch {
      // The cause is left out: it could quote the packet, and that may hold a PIN.
      throw new LinkError("the connection to the broker of zigbee2mqtt broke");
    }
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

const session = ({ username, password_file, ca_file, timeout_ms }: Options): IClientOptions => ({
  clean: true,
  // Its own log, switched on by an environment variable, prints payloads, and these hold codes.
  log: () => {},
  queueQoSZero: false,
  reconnectPeriod: 1000,
  connectTimeout: timeout_ms,
  ...(username === undefined ? {} : { username }),
  ...(password_file === undefined ? {} : { password: file(password_file, "password_file").toString("utf8").trimEnd() }),
  ...(ca_file === undefined ? {} : { ca: file(ca_file, "ca_file") }),
});

function file(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new LinkError(`cannot read ${option} ${path}`, { sent: false, hint: "check its path and owner", cause });
  }
}
