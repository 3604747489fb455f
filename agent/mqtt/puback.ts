import type { IPublishPacket, MqttClient } from "mqtt";
import type { Arrival, Inbox } from "./inbox.ts";

/** Whether a retained message is one that the broker had kept, and not published just now. */
type IsKept = (topic: string) => boolean;

/**
 * Puts into `inbox` what arrives on one connection, and acknowledges it when it is committed.
 *
 * MQTT.js handles one packet at a time, and sends the PUBACK by itself when `handleMessage` calls back without an error.
 * So we call back with an error as soon as the inbox takes more, which skips that PUBACK and lets it read on, and write the
 * PUBACK later with the client's own packet writer. A client is used for one connection only: what it did not acknowledge comes again on the next.
 */
export function collectFrom(client: MqttClient, inbox: Inbox, isKept: IsKept): void {
  const notYet = new Error("acknowledged after the commit");
  client.handleMessage = (packet, callback) => {
    const { qos, messageId } = packet;
    const acknowledged = (result: "committed" | "not taken"): void => {
      if (result === "committed" && qos > 0 && messageId !== undefined) acknowledge(client, messageId);
    };
    inbox.collect(arrivalOf(packet, isKept), acknowledged, () => callback(notYet));
  };
}

function acknowledge(client: MqttClient, messageId: number): void {
  // Written after the connection was lost, it would wait in a queue and answer for another message on the next.
  if (!client.connected) return;
  const send: unknown = Reflect.get(client, "_sendPacket");
  if (typeof send !== "function") throw new TypeError("This version of MQTT.js has no _sendPacket");
  Reflect.apply(send, client, [{ cmd: "puback", messageId, reasonCode: 0 }]);
}

function arrivalOf({ topic, payload, retain, dup, properties }: IPublishPacket, isKept: IsKept): Arrival {
  return {
    topic,
    payload: typeof payload === "string" ? Buffer.from(payload) : payload,
    retained: retain,
    ...(retain && (isKept(topic) || dup) ? { kept: true } : {}),
    ...(properties?.responseTopic === undefined ? {} : { responseTopic: properties.responseTopic }),
    ...(properties?.correlationData === undefined ? {} : { correlation: properties.correlationData }),
  };
}
