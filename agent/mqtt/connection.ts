import type { MqttClient } from "mqtt";
import type { Clock, Log } from "../../drivers/driver.ts";
import { dial, type Level, type Reach } from "./dial.ts";
import { Handout } from "./handout.ts";
import type { Loss } from "./id-guard.ts";
import { Inbox, type Intake } from "./inbox.ts";
import { oncePerTurn } from "./once-per-turn.ts";
import { type Letters, Outbox } from "./outbox.ts";
import type { PacketLimit } from "./packet-limit.ts";
import type { Presence } from "./presence.ts";
import { collectFrom } from "./puback.ts";
import { publisherOn } from "./publisher.ts";
import { offline, Retained, type Standing } from "./retained.ts";
import { subscribe } from "./subscribe.ts";
import type { Topics } from "./topics.ts";
import { type Trouble, troubleOf, troubleOfReason, type VersionRefused, versionRefusal } from "./trouble.ts";

export interface ConnectionOptions extends Reach {
  readonly clientId: string;
  readonly topics: Topics;
  readonly log: Log;
  readonly clock: Clock;
  /** Absent where the broker is in this process, and hands commands over itself: then we do not subscribe to them. */
  readonly intake?: Intake | undefined;
  readonly letters: Letters;
  readonly crowded?: (() => void) | undefined;
  readonly standing: Standing;
  /** What earlier connections showed; learns from how this one ends. */
  readonly packetLimit: PacketLimit;
  readonly presence: Presence;
  /** The broker accepted us; `session`: it remembers us. */
  readonly onEstablished: (by: { readonly level: Level; readonly session: boolean }) => void;
  /** The store gave an error: the agent has to stop. Called at most once for a connection, which does nothing after. */
  readonly onFailure: (cause: unknown) => void;
}

/** How a connection ended. */
export interface End {
  readonly trouble: Trouble;
  /** The broker had accepted us. */
  readonly established: boolean;
  /** Where it had. */
  readonly loss: Loss;
  readonly versionRefused: VersionRefused;
  readonly subscribed: boolean;
}

/** MQTT 5, 3.14.2.1. */
const sessionTakenOver = 0x8e;

/** How long leaving may take, with a broker that does not answer: then it is told by our last will. */
const leaveWithin = 1000;

/** One connection to the broker, from its CONNECT to its end. Never opens again: the session makes another. */
export class Connection {
  readonly ended: Promise<End>;
  readonly #options: ConnectionOptions;
  readonly #level: Level;
  readonly #client: MqttClient;
  readonly #inbox: Inbox | undefined;
  readonly #outbox: Outbox;
  readonly #retained: Retained;
  readonly #handout = new Handout();
  readonly #life = new AbortController();
  readonly #wake = oncePerTurn(() => this.#turn());
  /** Somebody waits for a reply: what stands for everyone who comes later is made when that has left. */
  readonly #tellStanding = oncePerTurn(() =>
    this.#guarded(() => {
      if (this.#state === "sending") this.#retained.send();
    }),
  );
  #state: "opening" | "established" | "sending" | "leaving" | "over" | "failed" = "opening";
  #subscribed: boolean;
  #trouble: Trouble | undefined;
  #versionRefused: VersionRefused | undefined;
  /** Of the broker's DISCONNECT (MQTT 5). */
  #reasonCode: number | undefined;

  /** @param subscribed the session that the broker had for the connection before has our subscription. */
  constructor(options: ConnectionOptions, level: Level, subscribed: boolean) {
    const { clientId, topics, standing, intake, packetLimit } = options;
    this.#options = options;
    this.#level = level;
    this.#subscribed = subscribed;
    const client = dial(options, level, clientId, { topic: topics.status, payload: offline(standing.status()) });
    this.#client = client;
    this.#inbox = intake && new Inbox(intake, (cause) => this.#fail(cause));
    if (this.#inbox) collectFrom(client, this.#inbox, (topic) => this.#handout.isKept(topic));
    const publisher = publisherOn(client, packetLimit, this.#wake);
    this.#outbox = new Outbox(options, { publisher, wake: this.#wake, signal: this.#life.signal });
    this.#retained = new Retained(options, { publisher, wake: this.#wake, signal: this.#life.signal });

    client.on("connect", ({ sessionPresent }) => this.#opened(sessionPresent));
    client.on("packetreceive", () => this.#guarded(() => options.presence.heard()));
    client.on("disconnect", ({ reasonCode = 0 }) => {
      this.#reasonCode = reasonCode;
      this.#trouble ??= troubleOfReason(reasonCode);
    });
    client.on("error", (cause) => {
      this.#trouble ??= troubleOf(cause);
      this.#versionRefused ??= versionRefusal(cause);
      // After some errors, as of a packet that makes no sense, the client would just stop reading.
      client.stream.destroy();
    });
    this.ended = new Promise((resolve) => {
      client.on("close", () => resolve(this.#over()));
    });
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** Topics, in full, whose letters wait because nobody is subscribed. */
  get unheard(): readonly string[] {
    return this.#outbox.unheard;
  }

  /** Something was committed: there may be letters to bring, or a state to tell. */
  nudge(): void {
    this.#retained.changed();
    this.#wake();
  }

  /** Ends it. What arrived is committed and acknowledged, what waits is sent, as far as the broker answers in time. */
  async close(): Promise<void> {
    const client = this.#client;
    // After a failure it just hangs up, so that the broker tells of it by our last will.
    if (client.connected && !this.#hasFailed()) {
      const late = this.#options.clock.sleep(leaveWithin, this.#life.signal).catch(() => {});
      await Promise.race([this.#inbox?.close(), late]);
      this.#turn();
      await Promise.race([this.#leave(), this.ended, late]);
      if (!this.#hasFailed()) client.end();
      await Promise.race([this.ended, late]);
    }
    client.stream.destroy();
    await this.ended;
  }

  #hasFailed(): boolean {
    return this.#state === "failed";
  }

  #leave(): Promise<void> {
    this.#state = "leaving";
    return new Promise((resolve) => {
      this.#guarded(() => this.#retained.leave(resolve));
    });
  }

  #opened(session: boolean): void {
    const { topics, intake, clock } = this.#options;
    const { signal } = this.#life;
    this.#state = "established";
    this.#guarded(() => this.#options.presence.connected(session));
    if (this.#hasFailed()) return;
    this.#options.onEstablished({ level: this.#level, session });
    if (!this.#inbox) {
      this.#begin();
      return;
    }
    // It is known to have our subscription when it has granted it, also where this connection ends before.
    if (!session) this.#subscribed = false;
    // By MQTT 3.1.1 each subscription brings every retained command again, to be refused again.
    if (this.#level === 4 && session && this.#subscribed) {
      this.#begin();
      return;
    }
    // By MQTT 5 a session that is there has the subscription, and is handed out nothing.
    if (this.#level === 4 || !session) this.#handout.begin();
    else this.#begin();
    void subscribe(this.#client, topics.commands, this.#options, signal, (granted) => {
      this.#subscribed = granted;
      this.#begin();
      if (granted) this.#handout.tell(intake, clock, signal).catch((cause: unknown) => this.#fail(cause));
    });
  }

  /** Only when we hear commands is it true that we are online. */
  #begin(): void {
    if (this.#state !== "established") return;
    this.#state = "sending";
    this.#wake();
  }

  #turn(): void {
    this.#guarded(() => {
      if (this.#state === "sending") {
        this.#outbox.send();
        this.#tellStanding();
      } else if (this.#state === "leaving") {
        this.#outbox.settle();
      }
    });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    if (this.#state === "failed") return;
    this.#state = "failed";
    void this.#inbox?.close();
    this.#options.onFailure(cause);
  }

  #over(): End {
    const established = this.#state !== "opening";
    let isTooLarge = false;
    if (this.#state !== "failed") {
      this.#guarded(() => {
        this.#options.presence.lost();
        this.#outbox.settle();
      });
      if (established) isTooLarge = this.#options.packetLimit.lost(this.#outbox.unanswered);
      this.#state = "over";
    }
    this.#life.abort();
    return {
      trouble: this.#trouble ?? troubleOf(undefined),
      established,
      loss: this.#lossOf(isTooLarge),
      versionRefused: established ? "no" : (this.#versionRefused ?? versionRefusal(undefined)),
      subscribed: this.#subscribed,
    };
  }

  #lossOf(isTooLarge: boolean): Loss {
    if (this.#reasonCode === sessionTakenOver) return "taken over";
    const isHungUp = (this.#versionRefused ?? "likely") === "likely";
    return this.#reasonCode === undefined && isHungUp && !isTooLarge ? "unexplained" : "explained";
  }
}
