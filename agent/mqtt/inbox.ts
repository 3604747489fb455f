import type { IPublishPacket, MqttClient } from "mqtt";
import { oncePerTurn } from "./once-per-turn.ts";

/** A message as it came, nothing in it judged yet. `responseTopic` and `correlation` come with MQTT 5 only. */
export interface Arrival {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/** Takes commands over from the broker. */
export interface Intake {
  /**
   * When it returns, all of them are on disk: only then are they acknowledged. Throws when they cannot be. The same
   * message may come again, after a connection was lost between the commit and its PUBACK.
   */
  accept(arrivals: readonly Arrival[]): void;
}

/** As many messages are collected before a commit, and as many does the broker send unacknowledged (MQTT 5). */
export const collectAtMost = 1000;

/**
 * What arrives on one connection, committed in groups and then acknowledged in order of arrival.
 *
 * MQTT.js handles one packet at a time, and sends the PUBACK by itself when `handleMessage` calls back without an error.
 * So we call back at once with an error, which skips that PUBACK and lets it read on; collect for a turn of the event
 * loop; commit; and write the PUBACKs with the client's own packet writer. A client is used for one connection only:
 * what it did not acknowledge comes again on the next.
 */
export class Inbox {
  readonly #client: MqttClient;
  readonly #intake: Intake;
  readonly #onFailure: (cause: unknown) => void;
  readonly #commitSoon = oncePerTurn(() => this.#commit());
  readonly #notYet = new Error("acknowledged after the commit");
  #collected: { readonly arrival: Arrival; readonly messageId: number | undefined }[] = [];
  #open = true;

  /** @param onFailure called once, when `intake` threw. Nothing more is taken then: a later command may undo an earlier. */
  constructor(client: MqttClient, intake: Intake, onFailure: (cause: unknown) => void) {
    this.#client = client;
    this.#intake = intake;
    this.#onFailure = onFailure;
    client.handleMessage = (packet, callback) => {
      this.#collect(packet);
      callback(this.#notYet);
    };
  }

  /** Commits and acknowledges what was collected, and takes no more. */
  close(): void {
    this.#commit();
    this.#open = false;
  }

  #collect(packet: IPublishPacket): void {
    if (!this.#open) return;
    this.#collected.push({
      arrival: arrivalOf(packet),
      messageId: packet.qos === 0 ? undefined : packet.messageId,
    });
    if (this.#collected.length >= collectAtMost) this.#commit();
    else this.#commitSoon();
  }

  #commit(): void {
    const batch = this.#collected;
    this.#collected = [];
    if (!this.#open || batch.length === 0) return;
    try {
      this.#intake.accept(batch.map(({ arrival }) => arrival));
    } catch (cause) {
      this.#open = false;
      this.#onFailure(cause);
      return;
    }
    for (const { messageId } of batch) if (messageId !== undefined) this.#acknowledge(messageId);
  }

  #acknowledge(messageId: number): void {
    // Written after the connection was lost, it would wait in a queue and answer for another message on the next.
    if (!this.#client.connected) return;
    const send: unknown = Reflect.get(this.#client, "_sendPacket");
    if (typeof send !== "function") throw new TypeError("This version of MQTT.js has no _sendPacket");
    Reflect.apply(send, this.#client, [{ cmd: "puback", messageId, reasonCode: 0 }]);
  }
}

function arrivalOf({ topic, payload, retain, properties }: IPublishPacket): Arrival {
  return {
    topic,
    payload: typeof payload === "string" ? Buffer.from(payload) : payload,
    retained: retain,
    ...(properties?.responseTopic === undefined ? {} : { responseTopic: properties.responseTopic }),
    ...(properties?.correlationData === undefined ? {} : { correlation: properties.correlationData }),
  };
}
