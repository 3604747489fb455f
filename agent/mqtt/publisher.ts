import type { MqttClient } from "mqtt";
import { type PacketLimit, packetSize } from "./packet-limit.ts";

/** What the broker's PUBACK says. `unheard`: nobody is subscribed (told by MQTT 5 only), and nobody has got it. */
export type Answer = { readonly result: "taken" | "unheard" } | { readonly result: "refused"; readonly reason: string };

/** Publishes at QoS 1 on one connection. */
export interface Publisher {
  /** How many more may be sent now, before an earlier one is answered. None without a connection. */
  readonly room: number;
  /** Whether the broker takes a packet so large, as far as is known: what does not fit must not be published. */
  fits(message: Omit<Message, "retain">): boolean;
  /** `done` comes with the PUBACK; never, if the connection is lost. */
  publish(message: Message, done: (answer: Answer) => void): void;
}

interface Message {
  /** The full name. */
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** Correlation Data, sent where the connection speaks MQTT 5. */
  readonly correlation?: Uint8Array | undefined;
}

/** MQTT 5, 3.4.2.1. */
const noMatchingSubscribers = 16;

/** Enough to keep a slow line busy; few enough that what a lost connection repeats is little. */
const inFlightAtMost = 200;

/**
 * Publishes with `client`, whose life is one connection, within the broker's Receive Maximum.
 *
 * @param limit what earlier connections showed, beside the Maximum Packet Size that this one was told (MQTT 5).
 * @param onRoom called after each `done`.
 */
export function publisherOn(client: MqttClient, limit: PacketLimit, onRoom: () => void): Publisher {
  let inFlight = 0;
  // The client calls this a success, and gives the packet that it sent: the PUBACK itself passes here just before.
  const unheard = new Set<number>();
  client.on("packetreceive", (packet) => {
    if (packet.cmd !== "puback" || packet.reasonCode !== noMatchingSubscribers) return;
    if (packet.messageId !== undefined) unheard.add(packet.messageId);
  });
  const atMost = (): number => Math.min(inFlightAtMost, client.serverProperties?.receiveMaximum ?? inFlightAtMost);
  return {
    get room() {
      // MQTT.js keeps for later what it is given while there is no connection: give it nothing then.
      return client.connected && !client.disconnecting ? atMost() - inFlight : 0;
    },
    fits: (message) =>
      packetSize(message) <= Math.min(limit.largest, client.serverProperties?.maximumPacketSize ?? limit.largest),
    publish({ topic, payload, retain, correlation }, done) {
      inFlight += 1;
      const properties = correlation && { correlationData: Buffer.from(correlation) };
      client.publish(topic, payload, { qos: 1, retain, ...(properties && { properties }) }, (refusal, packet) => {
        inFlight -= 1;
        const isUnheard = packet?.messageId !== undefined && unheard.delete(packet.messageId);
        done(refusal ? { result: "refused", reason: refusal.message } : { result: isUnheard ? "unheard" : "taken" });
        onRoom();
      });
    },
  };
}
