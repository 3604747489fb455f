import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../../drivers/driver.ts";
import type { Command } from "../commands/command.ts";
import type { KeyRecord } from "../commands/key-book.ts";
import { type Reply, refusalReply } from "../commands/perform.ts";
import { Refused } from "../commands/refusal.ts";
import { table } from "../commands/table.ts";
import type { Http } from "../config/http.ts";
import type { Milliseconds } from "../domain/instant.ts";
import { ConfigError } from "../errors.ts";
import { packageVersion } from "../package.ts";
import { orNothing } from "./body.ts";
import { closeSoon } from "./close-soon.ts";
import { openApi } from "./contract/openapi.ts";
import type { Gate } from "./gate.ts";
import { answerRaw, idHeader, isPrivate, listenerFor } from "./listener.ts";
import { bodyOf, plainServer } from "./plain-server.ts";
import { parametersIn, type Shape, shapeOf } from "./query.ts";
import { asksByQuery, methodsOf, notSupported, routeOf, unknownPath } from "./route.ts";

/** Who asks. */
interface Client {
  readonly key: KeyRecord;
  /** Nobody on the way can read what is answered. */
  readonly isPrivate: boolean;
}

export interface HttpParts {
  readonly gate: Pick<Gate, "admit">;
  /** Carries out one command from the table. `payload`: JSON. The reply is sent as it is. */
  readonly perform: (name: string, payload: Uint8Array, client: Client) => Promise<Reply>;
  readonly log: Log;
  /** Within it a whole request must have come. */
  readonly patience?: Milliseconds;
}

export interface HttpDoor {
  readonly port: number;
  /** Within a second, whoever is still connected. */
  close(): Promise<void>;
}

/** What a request is after, found out before its body is read: who has no key need not send one. */
interface Asked {
  readonly command: Command;
  readonly key: KeyRecord;
}

/** Where Seam's command line looks for it. */
const contractPath = "/openapi.json";
const usualPatience: Milliseconds = 10_000;

/**
 * The door for programs, here and elsewhere: Seam's API for who shows a key, by `POST /{group}/{verb}` or the method that Seam
 * has for it.
 *
 * @throws ConfigError where it cannot listen.
 */
export async function openHttpDoor(settings: Http, parts: HttpParts): Promise<HttpDoor> {
  const server = plainServer(parts.log, {
    serverFactory: (handler) => listenerFor(settings, parts.patience ?? usualPatience, handler),
    clientErrorHandler: answerRaw,
    // A path that is none.
    frameworkErrors: (_error, _request, reply) => {
      reply.header(idHeader, randomUUID());
      void send(reply, refusalReply(unknownPath()));
    },
  });
  const shapes = new Map<string, Shape>();
  let contract: string | undefined;
  // For who has no key yet, too: it says no more than the source does.
  server.get(contractPath, async (_request, reply) => {
    contract ??= JSON.stringify(openApi(table, packageVersion()));
    return reply.type("application/json").send(contract);
  });
  server.decorateRequest("asked");
  server.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.url === contractPath) return;
    request.setDecorator<Asked>("asked", await ask(request, reply, parts.gate));
  });
  server.all("*", async (request, reply) => {
    const { command, key } = request.getDecorator<Asked>("asked");
    const client: Client = { key, isPrivate: isPrivate(settings, request.ip) };
    return send(reply, await parts.perform(command.name, payloadOf(request, command, shapes), client));
  });
  try {
    await server.listen({ host: settings.host, port: settings.port });
  } catch (cause) {
    await server.close();
    throw cause instanceof Error ? cannotListen(cause, settings) : cause;
  }
  const [address] = server.addresses();
  const port = typeof address === "object" ? address.port : settings.port;
  return { port, close: () => closeSoon(server.server, () => server.close()) };
}

async function ask(request: FastifyRequest, reply: FastifyReply, gate: HttpParts["gate"]): Promise<Asked> {
  const { method, raw, headers, ip } = request;
  const route = routeOf(raw.url ?? "");
  if (route.to === "command" && !methodsOf(route.command).includes(method)) {
    const accepted = methodsOf(route.command).join(",");
    reply.header("allow", accepted);
    throw new Refused("method_not_allowed", `only ${accepted} accepted`, 405);
  }
  const key = await gate.admit(headers, ip);
  if (route.to === "command") return { command: route.command, key };
  throw notSupported();
}

function payloadOf(
  { method, raw, headers, body }: FastifyRequest,
  command: Command,
  shapes: Map<string, Shape>,
): Uint8Array {
  if (asksByQuery(method)) {
    const shape = shapes.get(command.name) ?? shapeOf(command.parameters);
    shapes.set(command.name, shape);
    const [, query = ""] = (raw.url ?? "").split(/\?(.*)/s);
    return Buffer.from(JSON.stringify(parametersIn(query, shape)));
  }
  const bytes = bodyOf(body);
  if (bytes.byteLength > 0 && !/^application\/json\s*(?:;|$)/i.test(headers["content-type"] ?? "")) {
    throw new Refused("invalid_content_type", "a body must come with the header content-type: application/json");
  }
  return orNothing(bytes);
}

const send = (reply: FastifyReply, { status, body }: Reply): FastifyReply =>
  reply.type("application/json").code(status).send(body);

function cannotListen(cause: Error, { host, port }: Http): ConfigError {
  const isTaken = "code" in cause && cause.code === "EADDRINUSE";
  return new ConfigError(
    isTaken ? `http.port: ${host}:${port} is in use` : `http.port: cannot listen on ${host}:${port} (${cause.message})`,
    {
      hint: isTaken
        ? 'set http.port to a free port, or http to "off"'
        : "set http.host and http.port to what this process may listen on",
      cause,
    },
  );
}
