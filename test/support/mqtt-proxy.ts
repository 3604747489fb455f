import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Packet, parser } from "mqtt-packet";

/** A packet that was passed on. `connection`: which one of all that were made, from 1. */
export interface Passed {
  readonly from: "agent" | "broker";
  readonly packet: Packet;
  readonly connection: number;
}

/** Stands between an agent and its broker, sees each packet, and can cut the line at one of them. */
export interface MqttProxy {
  /** For the agent to connect to. */
  readonly url: string;
  readonly port: number;
  /** Every packet that was passed on, in order, over all connections. */
  readonly passed: readonly Passed[];
  /** From now on this hears of each packet as it passes; nobody else does. */
  listen(hear: (passed: Passed) => void): void;
  /**
   * Arms it once. The first packet of the agent that matches is dropped, and so is all that follows it on that
   * connection, in both directions; `sprung` is called in the same turn, for instance to kill the agent. Connections made
   * later pass.
   */
  cutAt(matches: (packet: Packet) => boolean, sprung?: () => void): void;
  /** Ends all connections, as a lost network does; new ones are taken. */
  disconnect(): void;
  close(): Promise<void>;
}

export async function startMqttProxy(brokerPort: number): Promise<MqttProxy> {
  const passed: Passed[] = [];
  let connections = 0;
  let hear: ((passed: Passed) => void) | undefined;
  const sockets = new Set<Socket>();
  let trap: { matches: (packet: Packet) => boolean; sprung: () => void } | undefined;

  const server = createServer((agent) => {
    const broker = connect(brokerPort, "127.0.0.1");
    connections += 1;
    const connection = connections;
    let isCut = false;
    let level = 4;
    const seen = (from: "agent" | "broker", frame: Buffer): boolean => {
      const packet = parse(frame, level);
      if (packet?.cmd === "connect") level = packet.protocolVersion ?? 4;
      if (packet && from === "agent" && trap?.matches(packet)) {
        const { sprung } = trap;
        trap = undefined;
        isCut = true;
        sprung();
      }
      if (packet && !isCut) {
        passed.push({ from, packet, connection });
        hear?.({ from, packet, connection });
      }
      return !isCut;
    };
    pass(agent, broker, (frame) => seen("agent", frame));
    pass(broker, agent, (frame) => seen("broker", frame));
    for (const socket of [agent, broker]) {
      sockets.add(socket);
      // Either end may reset the line: the other is told by closing it.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        agent.destroy();
        broker.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const disconnect = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    passed,
    cutAt(matches, sprung = () => {}) {
      trap = { matches, sprung };
    },
    listen(listener) {
      hear = listener;
    },
    disconnect,
    async close() {
      server.close();
      disconnect();
      await once(server, "close");
    },
  };
}

/** Passes on whole packets, each after `allows` said so. */
function pass(from: Socket, to: Socket, allows: (frame: Buffer) => boolean): void {
  let rest = Buffer.alloc(0);
  from.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let length = frameLength(rest); length !== undefined; length = frameLength(rest)) {
      const frame = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (allows(frame)) to.write(frame);
    }
  });
}

/** The length of the packet that `bytes` begins with (MQTT 5, 2.1.4); undefined while it is not all there. */
function frameLength(bytes: Buffer): number | undefined {
  let remaining = 0;
  for (let at = 1; at <= 4; at += 1) {
    const digit = bytes[at];
    if (digit === undefined) return undefined;
    remaining += (digit & 0x7f) * 0x80 ** (at - 1);
    if (digit < 0x80) return bytes.length > at + remaining ? at + 1 + remaining : undefined;
  }
  throw new Error("not MQTT: the remaining length has more than four bytes");
}

/** Undefined for what is not a packet at this protocol level: it is passed on as it is. */
function parse(frame: Buffer, protocolVersion: number): Packet | undefined {
  let packet: Packet | undefined;
  const reader = parser({ protocolVersion });
  reader.on("packet", (parsed) => {
    packet = parsed;
  });
  reader.on("error", () => {});
  reader.parse(frame);
  return packet;
}
