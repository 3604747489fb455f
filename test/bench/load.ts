import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";

/** What came, by the first byte of its packet (MQTT 3.1.1, 2.2.1). */
const kinds = { connack: 2, publish: 3, puback: 4, suback: 9 } as const;

/** So many messages may be unacknowledged by the broker. */
const windowSize = 500;

/**
 * Publishes commands and counts what comes back, at QoS 1 both ways, with so little work that what it measures is the other
 * side: packets are made before, and of those that come only what has to be looked at is looked at.
 */
export class Load implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #heard: (topic: string, payload: () => string) => void;
  #rest: Buffer = Buffer.alloc(0);
  #pubacks = 0;
  #answers: Buffer[] = [];
  #arrived = new Map<number, () => void>();
  #onPuback: (() => void) | undefined;

  private constructor(socket: Socket, heard: (topic: string, payload: () => string) => void) {
    this.#socket = socket;
    this.#heard = heard;
    socket.on("data", (chunk) => this.#take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)));
    socket.on("error", () => undefined);
  }

  /** @param heard is handed each message on one of the topics. */
  static async open(
    url: string,
    topics: readonly string[],
    heard: (topic: string, payload: () => string) => void,
  ): Promise<Load> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    const load = new Load(socket, heard);
    const clientId = `load-${process.pid}-${port}-${Math.random().toString(36).slice(2)}`;
    load.#write(
      generate({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId, keepalive: 0 }),
    );
    await load.#arrival(kinds.connack);
    const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }));
    load.#write(generate({ cmd: "subscribe", messageId: 1, subscriptions }));
    await load.#arrival(kinds.suback);
    return load;
  }

  /** Made before the time is taken. */
  static packets(messages: readonly { readonly topic: string; readonly payload: string }[]): readonly Buffer[] {
    return messages.map(({ topic, payload }, at) =>
      generate({ cmd: "publish", topic, payload, qos: 1, messageId: (at % 65_535) + 1, dup: false, retain: false }),
    );
  }

  /** Resolves when the broker has acknowledged all of them. */
  async publish(packets: readonly Buffer[]): Promise<void> {
    this.#pubacks = 0;
    let sent = 0;
    await new Promise<void>((done) => {
      this.#onPuback = () => {
        if (this.#pubacks === packets.length) return done();
        const upTo = Math.min(packets.length, this.#pubacks + windowSize);
        // Few large writes take less than many small ones.
        if (sent < upTo && (upTo - sent >= windowSize / 4 || upTo === packets.length)) {
          this.#write(Buffer.concat(packets.slice(sent, upTo)));
          sent = upTo;
        }
      };
      this.#onPuback();
    });
    this.#onPuback = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }

  #write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async #arrival(kind: number): Promise<void> {
    return new Promise((done) => void this.#arrived.set(kind, done));
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let end = packetEnd(bytes); end !== undefined; end = packetEnd(bytes)) {
      this.#packet(bytes.subarray(0, end.at), end.body);
      bytes = bytes.subarray(end.at);
    }
    this.#rest = bytes;
    if (this.#answers.length > 0) {
      this.#write(Buffer.concat(this.#answers));
      this.#answers = [];
    }
    this.#onPuback?.();
  }

  #packet(packet: Buffer, body: number): void {
    const kind = packet.readUInt8(0) >> 4;
    if (kind === kinds.puback) this.#pubacks += 1;
    else if (kind === kinds.publish) this.#publish(packet, body);
    else {
      this.#arrived.get(kind)?.();
      this.#arrived.delete(kind);
    }
  }

  #publish(packet: Buffer, body: number): void {
    const topicEnd = body + 2 + packet.readUInt16BE(body);
    const qos = (packet.readUInt8(0) >> 1) & 3;
    if (qos > 0) this.#answers.push(Buffer.from([0x40, 2, packet.readUInt8(topicEnd), packet.readUInt8(topicEnd + 1)]));
    const payload = topicEnd + (qos > 0 ? 2 : 0);
    this.#heard(packet.toString("utf8", body + 2, topicEnd), () => packet.toString("utf8", payload));
  }
}

/** Where the first packet ends and its body begins; undefined where there is none as a whole. MQTT 3.1.1, 2.2.3. */
function packetEnd(bytes: Buffer): { readonly at: number; readonly body: number } | undefined {
  let length = 0;
  for (let byte = 0; byte < 4; byte++) {
    const part = bytes[1 + byte];
    if (part === undefined) return undefined;
    length += (part & 0x7f) * 128 ** byte;
    if ((part & 0x80) !== 0) continue;
    const body = 2 + byte;
    return bytes.length >= body + length ? { at: body + length, body } : undefined;
  }
  throw new Error("that is no MQTT");
}
