import type { Clock, Log } from "../../drivers/driver.ts";
import { backoff } from "../domain/backoff.ts";
import type { Instant } from "../domain/instant.ts";
import { Connection, type ConnectionOptions, type End } from "./connection.ts";
import { clientIdOf, hostOf, type Level, type Reach } from "./dial.ts";
import { IdGuard } from "./id-guard.ts";
import type { Intake } from "./inbox.ts";
import type { Letters } from "./outbox.ts";
import { PacketLimit } from "./packet-limit.ts";
import { type Chronicle, Presence } from "./presence.ts";
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
  /** More replies wait than the broker takes at once: whoever may wait is to let them pass. */
  readonly crowded?: (() => void) | undefined;
  readonly standing: Standing;
  /** Absent where the broker is in this process: it keeps nothing for us, and nobody else speaks for us there. */
  readonly chronicle?: Chronicle | undefined;
  /** `intake`, `letters`, `standing` or `chronicle` threw: the agent has to stop. What was not committed is not acknowledged. */
  readonly onFailure: (cause: unknown) => void;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** The agent on its broker. */
export interface Mqtt {
  /** Something was committed: there may be letters to bring, or a state to tell. Cheap; call it after each commit. */
  nudge(): void;
  readonly connected: boolean;
  /** Since when it looks as if another agent ran with our agent_id. */
  readonly idInUseSince: Instant | undefined;
  /** Topics, in full, whose letters wait because nobody is subscribed (MQTT 5). */
  readonly unheard: readonly string[];
  /** Commits and acknowledges what has arrived, says that we are offline, disconnects. Takes a second at most. */
  close(): Promise<void>;
}

const firstPause = 2000;
const longestPause = 30_000;
/** Where another agent has our agent_id: who came last stays for so long. */
const rivalPause = 300_000;

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
  readonly #guard = new IdGuard();
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
      clientId: clientIdOf(agentId),
      topics: topicsOf(prefix, agentId),
      packetLimit: new PacketLimit(),
      presence: new Presence(options.chronicle, options.clock),
      onEstablished: ({ level, session }) => this.#established(level, session),
    };
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#connection?.connected ?? false;
  }

  get idInUseSince(): Instant | undefined {
    return this.#guard.inUseSince(this.#options.clock.now());
  }

  get unheard(): readonly string[] {
    return this.#connection?.unheard ?? [];
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
      this.#subscribed = end.subscribed;
      if (this.#fellBack(end)) continue;
      if (!end.established) this.#guard.unreachable();
      const rival = end.established ? this.#guard.lost(clock.now(), end.loss) : "no";
      if (rival === "no") this.#tell(end);
      if (rival === "new") this.#tellOfRival(end);
      this.#failures += 1;
      const pause = rival === "no" ? backoff(this.#failures, firstPause, longestPause, random) : rivalPause;
      await clock.sleep(pause, signal).catch(() => {
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
    this.#guard.connected(this.#options.clock.now());
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

  /** Told once, until a connection lasts. */
  #tellOfRival({ trouble }: End): void {
    const { agentId, chronicle, onFailure } = this.#options;
    const hint = `give every agent an agent_id of its own; if no other has this one, the broker's log says why it hangs up on us. The next try is in ${rivalPause / 60_000} minutes`;
    this.#log.error({ agent_id: agentId, broker: this.#broker, reason: trouble.reason, hint }, "agent_id_in_use");
    try {
      chronicle?.idInUse(trouble.reason);
    } catch (cause) {
      onFailure(cause);
    }
  }
}
