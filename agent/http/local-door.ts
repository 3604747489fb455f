import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Log } from "../../drivers/driver.ts";
import { type Reply, refusalReply } from "../commands/perform.ts";
import { closingDown, Refused } from "../commands/refusal.ts";
import { localDoorPath } from "../config.ts";
import { ConfigError, isMissing } from "../errors.ts";
import { collected, orNothing } from "./body.ts";
import { closeSoon } from "./close-soon.ts";
import { answerRaw, idHeader } from "./listener.ts";
import { ownFault } from "./refusals.ts";

/** Carries out one command from the table. `body`: the bytes that came with it. The reply is sent as it is. */
export type Perform = (name: string, body: Uint8Array) => Promise<Reply>;

export interface LocalDoor {
  /** Within a second, whoever is still connected. */
  close(): Promise<void>;
}

/** `sockaddr_un.sun_path` holds 108 bytes, one of them the closing NUL (unix(7)). */
const longestPath = 107;

/**
 * The door for this machine: `POST /{group}/{verb}` on a unix socket in the data directory, mode 0600, so that who may
 * open the file may do everything. Rejects with a {@link ConfigError} where another agent is behind it.
 */
export async function openLocalDoor(dataDir: string, perform: Perform, log: Log): Promise<LocalDoor> {
  const path = localDoorPath(dataDir);
  await makeRoom(path, dataDir);
  const server = door(perform, log);
  await once(server.listen({ path }), "listening");
  chmodSync(path, 0o600);
  return { close: () => closeSoon(server, () => closed(server)) };
}

/** On Node's own server: every agent has this door, and a framework would take a fifth of a second of its start. */
function door(perform: Perform, log: Log): Server {
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const answer = server.listening ? answerTo(request, perform) : Promise.reject(closingDown());
    void answer
      .catch((error: unknown) => {
        if (error instanceof Refused) return refusalReply(error);
        log.error({ err: error }, "a command at the local door failed");
        return refusalReply(ownFault());
      })
      .then((reply) => send(response, reply, server.listening));
  });
  server.on("clientError", answerRaw);
  // As `listenerFor` does.
  server.on("checkExpectation", (request, response) => void server.emit("request", request, response));
  return server;
}

async function answerTo(request: IncomingMessage, perform: Perform): Promise<Reply> {
  const [, name] = /^\/([^/?]+\/[^/?]+)(?:\?|$)/.exec(request.url ?? "") ?? [];
  if (request.method !== "POST" || name === undefined) {
    const how = "a command is sent as POST /{group}/{verb}, for example POST /agent/status";
    throw new Refused("unknown_command", how, 404);
  }
  // Whatever a caller says it sends, the command table reads it, as it does with what comes over MQTT.
  return perform(name, orNothing(await collected(request)));
}

function send(response: ServerResponse, { status, body }: Reply, mayAskMore: boolean): void {
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    [idHeader]: randomUUID(),
    ...(mayAskMore ? {} : { connection: "close" }),
  });
  response.end(body);
}

const closed = (server: Server): Promise<void> =>
  new Promise((done) => {
    server.close(() => done());
  });

/** Takes away the socket that a killed agent left behind; never one that is in use. */
async function makeRoom(path: string, dataDir: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > longestPath) {
    throw new ConfigError(`the path of the local door is ${bytes} bytes long, and may have ${longestPath}: ${path}`, {
      hint: "set data_dir to a shorter path",
    });
  }
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown";
    throw new ConfigError(`the data directory ${dataDir} cannot be made: ${why}`, {
      hint: "the setting data_dir must name a directory that this user may write to",
      cause,
    });
  }
  try {
    if (!lstatSync(path).isSocket()) {
      throw new ConfigError(`${path} is in the way: it is not a socket`, {
        hint: "move it elsewhere, or change data_dir",
      });
    }
  } catch (cause) {
    if (isMissing(cause)) return;
    throw cause;
  }
  if (await answers(path)) {
    throw new ConfigError(`an agent is already running on ${dataDir}`, {
      hint: "stop it first, or give this one another data_dir",
    });
  }
  rmSync(path, { force: true });
}

/** Whether someone listens at a socket. Rejects where we may not even ask. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (cause) => {
      if ("code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "ENOENT")) return resolve(false);
      reject(new ConfigError(`cannot tell whether an agent is running behind ${path}: ${cause.message}`, { cause }));
    });
  });
}
