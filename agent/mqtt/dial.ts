import { Socket } from "node:net";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Secret } from "../domain/secret.ts";

/** How to reach the broker, and as whom. */
export interface Reach {
  /** `mqtt://host:port`, or `mqtts://host:port`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: Secret;
  /** For `mqtts://`, as PEM: whom to trust instead of the system's authorities, and what we show of ourselves. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: Secret };
}

/** The protocol level of a CONNECT: 4 is MQTT 3.1.1. */
export type Level = 4 | 5;

/** Commands that the broker sends before it has to wait for their PUBACKs (MQTT 5): some groups of what is committed together. */
const receiveMaximum = 1000;
/** Seconds that the broker keeps our session, and what arrives for it, while we are away (MQTT 5). */
const sessionExpiryInterval = 7 * 24 * 3600;

/**
 * Starts one connection. The client never connects again by itself, so that whatever it holds for later, its outgoing
 * store and its queue, ends with it: what is to be sent again is known by the outbox alone.
 */
export function dial(
  reach: Reach,
  level: Level,
  clientId: string,
  will: { topic: string; payload: string },
): MqttClient {
  const { username, password, tls: { ca, cert, key } = {} } = reach;
  const options: IClientOptions = {
    clientId,
    clean: false,
    protocolVersion: level,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // All numbers of 16 bits, ready to be written: 6 MB, and 20 ms as the first packet goes.
    writeCache: false,
    keepalive: 30,
    connectTimeout: 10_000,
    rejectUnauthorized: true,
    // Its own log, switched on by an environment variable, prints payloads.
    log: () => {},
    will: { ...will, qos: 1, retain: true },
    // No Maximum Packet Size: a broker drops in silence what is larger.
    ...(level === 5 && { properties: { sessionExpiryInterval, receiveMaximum } }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key: key.reveal() }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: password.reveal() }),
  };
  const client = connect(reach.url, options);
  // A PUBACK, and the reply a moment later, are two small writes: without this the second waits up to 40 ms for the first.
  if (client.stream instanceof Socket) client.stream.setNoDelay();
  return client;
}

/** Who we are to the broker: it keeps our session under this name. */
export const clientIdOf = (agentId: string): string => `latchd-${agentId}`;

/** `host:port` for people: without the login that a URL may hold. */
export function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === "mqtts:" ? 8883 : 1883)}`;
}
