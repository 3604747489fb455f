import { randomUUID } from "node:crypto";
import { type FastifyInstance, type FastifyServerOptions, fastify } from "fastify";
import type { Log } from "../../drivers/driver.ts";
import { mostBytes, refusalReply } from "../commands/perform.ts";
import { closingDown, Refused } from "../commands/refusal.ts";
import { idHeader } from "./listener.ts";
import { ownFault, tooLong, unreadable } from "./refusals.ts";
import { TooManyRequests } from "./too-many-requests.ts";

/** Bodies as bytes, for the command table to read, and an answer in the envelope whatever goes wrong. */
export function plainServer(log: Log, options: FastifyServerOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: mostBytes,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    exposeHeadRoutes: false,
    ...options,
  });
  let closing = false;
  server.addHook("preClose", async () => {
    closing = true;
  });
  server.addHook("onRequest", async (_request, reply) => {
    reply.header(idHeader, randomUUID());
    if (!closing) return;
    reply.header("connection", "close");
    throw closingDown();
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, bytes, done) => done(null, bytes));
  server.setErrorHandler((error, _request, reply) => {
    if (error instanceof TooManyRequests) reply.header("retry-after", String(error.seconds));
    const { status, body } = refusalReply(
      refusedBy(error, () => log.error({ err: error }, "a command at the HTTP door failed")),
    );
    return reply.type("application/json").code(status).send(body);
  });
  return server;
}

/** The bytes of a body that {@link plainServer} has taken; none where there was none. */
export const bodyOf = (body: unknown): Uint8Array => (body instanceof Uint8Array ? body : new Uint8Array());

function refusedBy(error: unknown, tell: () => void): Refused {
  if (error instanceof Refused) return error;
  const status = statusOf(error);
  if (status === 413) return tooLong();
  if (status < 500) return unreadable();
  tell();
  return ownFault();
}

const statusOf = (error: unknown): number =>
  error instanceof Error && "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
