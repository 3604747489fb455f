import { randomUUID } from "node:crypto";
import { createServer as createPlain, type RequestListener, type Server, STATUS_CODES } from "node:http";
import { createServer as createSecure } from "node:https";
import type { Duplex } from "node:stream";
import { refusalReply } from "../commands/perform.ts";
import { Refused } from "../commands/refusal.ts";
import type { Http } from "../config/http.ts";
import { isLoopback } from "../config/loopback.ts";
import type { Milliseconds } from "../domain/instant.ts";

/** Seam's SDKs read a request's id from here, and from nowhere else. */
export const idHeader = "seam-request-id";

/** More at once are not taken, so that who opens connections by the thousand does not take all that this machine has. */
const mostConnections = 2_000;
const lookEveryMs = 500;

/** @param patience within it a whole request must have come. */
export function listenerFor({ tls }: Http, patience: Milliseconds, handler: RequestListener): Server {
  const limits = {
    headersTimeout: patience,
    requestTimeout: patience,
    connectionsCheckingInterval: lookEveryMs,
    // Nothing here goes by the name of the host, and node itself would answer without our envelope.
    requireHostHeader: false,
  };
  const server: Server = tls
    ? createSecure({ ...limits, cert: tls.cert, key: tls.key.reveal() }, handler)
    : createPlain(limits, handler);
  server.maxConnections = mostConnections;
  // What somebody expects beyond what HTTP knows: as if they had not said so, where node would answer without our envelope.
  server.on("checkExpectation", handler);
  return server;
}

/** Whether nobody on the way can read what is answered. */
export const isPrivate = ({ tls }: Pick<Http, "tls">, from: string): boolean => tls !== undefined || isLoopback(from);

/** What cannot be read as a request of HTTP at all, or does not end. */
export function answerRaw(error: Error, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = refusalReply(refusedBy("code" in error ? error.code : undefined));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `${idHeader}: ${randomUUID()}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function refusedBy(code: unknown): Refused {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new Refused("request_timeout", "the request did not come to an end", 408);
  if (code === "HPE_HEADER_OVERFLOW") return new Refused("invalid_input", "the headers are too long", 431);
  return new Refused("invalid_input", "the request cannot be read");
}
