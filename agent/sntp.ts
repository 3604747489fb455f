import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import type { Instant, Milliseconds } from "./domain/instant.ts";
import { sntpOffset, sntpReply, sntpRequest } from "./domain/sntp.ts";

export interface TimeServer {
  readonly host: string;
  readonly port: number;
}

/** An answer that took longer says little. */
const patience: Milliseconds = 3_000;

/**
 * How far the clock of an SNTP server is ahead of ours (RFC 4330), asked once. Rejects where it does not answer, or says that
 * it cannot.
 */
export async function askServer(
  { host, port }: TimeServer,
  { now, monotonic }: { readonly now: () => Instant; readonly monotonic: () => Milliseconds },
  signal: AbortSignal,
): Promise<Milliseconds> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  const over = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  try {
    return await new Promise<Milliseconds>((resolve, reject) => {
      const nonce = randomBytes(8);
      over.addEventListener("abort", () => reject(new Error("it does not answer")), { once: true });
      if (over.aborted) reject(new Error("it was not asked"));
      socket.once("error", reject);
      let [sent, began] = [now(), monotonic()];
      // Connected, so that only this server is heard.
      socket.connect(port, address, () => {
        [sent, began] = [now(), monotonic()];
        socket.send(sntpRequest(nonce));
      });
      socket.on("message", (packet) => {
        const reply = sntpReply(packet, nonce);
        if (reply?.result === "time") resolve(sntpOffset(reply, sent, monotonic() - began));
        else if (reply) reject(new Error(`it does not tell the time: ${reply.reason}`));
      });
    });
  } finally {
    socket.close();
  }
}
