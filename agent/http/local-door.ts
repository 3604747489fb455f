import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Log } from "../../drivers/driver.ts";
import { Refused } from "../commands/refusal.ts";
import { localDoorPath } from "../config.ts";
import { ConfigError, isMissing } from "../errors.ts";
import { bodyOf, closeSoon, orNothing, plainServer } from "./plain-server.ts";

/** Carries out one command from the table. `body`: the bytes that came with it. The reply is sent as it is. */
export type Perform = (name: string, body: Uint8Array) => Promise<{ readonly status: number; readonly body: string }>;

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
  await server.listen({ path });
  chmodSync(path, 0o600);
  return { close: () => closeSoon(server) };
}

function door(perform: Perform, log: Log): FastifyInstance {
  const server = plainServer("the local door", log);
  server.post<{ Params: { group: string; verb: string } }>("/:group/:verb", async (request, reply) => {
    const { group, verb } = request.params;
    // Whatever a caller says it sends, the command table reads it, as it does with what comes over MQTT.
    const answer = await perform(`${group}/${verb}`, orNothing(bodyOf(request.body)));
    return reply.type("application/json").code(answer.status).send(answer.body);
  });
  server.setNotFoundHandler(() => {
    const how = "a command is sent as POST /{group}/{verb}, for example POST /agent/status";
    throw new Refused("unknown_command", how, 404);
  });
  return server;
}

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
