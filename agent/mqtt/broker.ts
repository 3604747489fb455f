import type { EventEmitter } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Aedes } from "aedes";
import type { Log } from "../../drivers/driver.ts";
import { ConfigError } from "../errors.ts";
import { Inbox, type Intake } from "./inbox.ts";
import type { Topics } from "./topics.ts";

export interface EmbeddedBroker {
  /** Where to connect: `mqtt://host:port`, with the port that was found where 0 was asked for. */
  readonly url: string;
  /** Commits and acknowledges the commands that have arrived, and takes no more: who sends one is hung up on. */
  stopTaking(): Promise<void> | undefined;
  /** {@link stopTaking}, and hangs up on all clients. Takes a second at most. */
  close(): Promise<void>;
}

interface EmbeddedBrokerOptions extends Takeover {
  readonly host?: string;
  readonly port?: number;
  readonly log: Log;
}

/** Who gets the commands that are published here. */
interface Takeover {
  readonly topics: Topics;
  readonly intake: Pick<Intake, "accept">;
  /** `intake` failed: the agent has to stop. What was not committed is not acknowledged, and nothing more is taken. */
  readonly onFailure: (cause: unknown) => void;
}

/** How long clients have to hang up by themselves. */
const grace = 500;

/**
 * A broker in this process, for agents that have none: MQTT 3.1.1, all in memory. It knows no users, so it listens on
 * the loopback interface only. Throws {@link ConfigError} where it cannot listen.
 *
 * A command goes to `intake` before anything else happens to it, so that its publisher's PUBACK (or PUBREC) says that it is
 * on disk; other clients that subscribed to it get it after that.
 */
export async function openBroker({
  host = "127.0.0.1",
  port = 1883,
  log,
  ...takeover
}: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  if (!isLoopback(host)) {
    throw new ConfigError(`broker.host: the embedded broker has no users, and would let anyone on ${host} in`, {
      hint: 'set broker.host to "127.0.0.1", or use a broker that checks who connects (broker.url)',
    });
  }
  const { Aedes } = await import("aedes");
  const aedes = await Aedes.createBroker();
  const emitter: EventEmitter = aedes;
  emitter.on("error", (cause: unknown) => log.warn({ cause }, "the embedded broker has an error"));
  aedes.on("clientError", ({ id }, { message }) => log.debug({ client: id, reason: message }, "lost an MQTT client"));
  aedes.on("connectionError", (_, { message }) => log.debug({ reason: message }, "refused an MQTT client"));
  const inbox = takeCommands(aedes, takeover);

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  try {
    await listen(server, host, port);
  } catch (cause) {
    aedes.close();
    throw cause;
  }
  const bound = server.address();
  const at = typeof bound === "object" && bound ? bound.port : port;
  return {
    url: `mqtt://${host.includes(":") ? `[${host}]` : host}:${at}`,
    stopTaking: () => inbox.close(),
    async close() {
      await inbox.close();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      aedes.close();
      const hangUp = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, grace);
      await closed;
      clearTimeout(hangUp);
    },
  };
}

/** aedes acknowledges and passes on what `authorizePublish` calls back for: so that waits for the commit (Law 1). */
function takeCommands(aedes: Aedes, { topics, intake, onFailure }: Takeover): Inbox {
  const inbox = new Inbox(intake, onFailure);
  const authorize = aedes.authorizePublish;
  aedes.authorizePublish = (client, packet, callback) => {
    const { topic, payload, retain } = packet;
    if (!topics.isCommand(topic)) {
      authorize(client, packet, callback);
      return;
    }
    // It is refused, with how to take it off a broker that keeps it; this one need not keep it first.
    packet.retain = false;
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    inbox.collect({ topic, payload: bytes, retained: retain }, (result) =>
      callback(result === "committed" ? null : new Error("the agent takes no commands any more")),
    );
  };
  return inbox;
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\.[\d.]+$/.test(host);

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(cannotListen(cause, host, port)));
    server.listen({ host, port }, resolve);
  });
}

function cannotListen(cause: Error, host: string, port: number): ConfigError {
  const code = "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") {
    return new ConfigError(`broker.port: ${host}:${port} is in use, perhaps by another broker`, {
      hint: `to use that one, set broker.url to mqtt://${host}:${port}; else set broker.port to a free port`,
      cause,
    });
  }
  return new ConfigError(`broker.port: cannot listen on ${host}:${port} (${cause.message})`, {
    hint: "set broker.host and broker.port to what this process may listen on",
    cause,
  });
}
