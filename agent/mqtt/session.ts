import type { Clock, Log } from "../../drivers/driver.ts";
import { backoff } from "../domain/backoff.ts";
import { Connection, type ConnectionOptions, type End } from "./connection.ts";
import { hostOf, type Level, type Reach } from "./dial.ts";
import type { Intake } from "./inbox.ts";
import type { Letters } from "./outbox.ts";
import { PacketLimit } from "./packet-limit.ts";
import type { Standing } from "./retained.ts";
import { topicsOf } from "./topics.ts";

export interface MqttOptions extends Reach {
  /** `auto`: MQTT 5 where the broker speaks it, else 3.1.1. */
  readonly protocol: "auto" | "5" | "3.1.1";
  readonly agentId: string;
  readonly prefix: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Absent where the broker is in this process, and hands commands over itself: then we do not subscribe to them. */
  readonly intake?: Intake | undefined;
  readonly letters: Letters;
  readonly standing: Standing;
  /** `intake`, `letters` or `standing` threw: the agent has to stop. What was not committed is not acknowledged. */
  readonly onFailure: (cause: unknown) => void;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** The agent on its broker. */
export interface Mqtt {
  /** Something was committed: there may be letters to bring, or a state to tell. Cheap; call it after each commit. */
  nudge(): void;
  readonly connected: boolean;
  /** Commits and acknowledges what has arrived, says that we are offline, disconnects. Takes a second at most. */
  close(): Promise<void>;
}

const firstPause = 2000;
const longestPause = 30_000;

/**
 * Starts to connect, and stays connected from then on. A broker that is away is not an error: letters wait. Asks for the
 * first `standing.status()` before it returns.
 */
export function openMqtt(options: MqttOptions): Mqtt {
  return new Session(options);
}

class Session implements Mqtt {
  readonly #options: MqttOptions;
  readonly #connectionOptions: ConnectionOptions;
  readonly #log: Log;
  readonly #broker: string;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #connection: Connection | undefined;
  #level: Level;
  /** A connection at this level was accepted. */
  #proven = false;
  #subscribed = false;
  #failures = 0;
  #said: string | undefined;

  constructor(options: MqttOptions) {
    const { agentId, prefix } = options;
    this.#options = options;
    this.#log = options.log;
    this.#broker = hostOf(options.url);
    this.#level = options.protocol === "3.1.1" ? 4 : 5;
    this.#connectionOptions = {
      ...options,
      clientId: `latchd-${agentId}`,
      topics: topicsOf(prefix, agentId),
      packetLimit: new PacketLimit(),
      onEstablished: ({ level, session }) => this.#established(level, session),
    };
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#connection?.connected ?? false;
  }

  nudge(): void {
    this.#connection?.nudge();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random = Math.random, onFailure } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#connection = new Connection(this.#connectionOptions, this.#level, this.#subscribed);
      } catch (cause) {
        onFailure(cause);
        return;
      }
      const end = await this.#connection.ended;
      this.#connection = undefined;
      if (signal.aborted) return;
      this.#subscribed ||= end.subscribed;
      if (this.#fellBack(end)) continue;
      this.#tell(end);
      this.#failures += 1;
      await clock.sleep(backoff(this.#failures, firstPause, longestPause, random), signal).catch(() => {
        // Closing.
      });
    }
  }

  /** Changes to the other version where that may help; says whether to try it at once. */
  #fellBack({ versionRefused }: End): boolean {
    if (this.#options.protocol !== "auto" || versionRefused === "no") return false;
    // A broker known to speak this version, which hangs up on us, is in some other trouble.
    if (versionRefused === "likely" && this.#proven) return false;
    this.#level = this.#level === 5 ? 4 : 5;
    this.#proven = false;
    return this.#level === 4;
  }

  #established(level: Level, session: boolean): void {
    this.#proven = true;
    this.#failures = 0;
    this.#said = undefined;
    const protocol = level === 5 ? "MQTT 5" : "MQTT 3.1.1";
    this.#log.info({ broker: this.#broker, protocol, session }, "connected to the broker");
  }

  /** Each state is told once, not at each try. */
  #tell({ trouble, established }: End): void {
    if (!established && this.#said === trouble.reason) return;
    this.#said = trouble.reason;
    const message = established ? "lost the broker; trying again" : "cannot connect to the broker; trying again";
    this.#log.warn({ broker: this.#broker, ...trouble }, message);
  }
}
