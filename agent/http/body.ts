import type { IncomingMessage } from "node:http";
import { mostBytes } from "../commands/perform.ts";
import { tooLong, unreadable } from "./refusals.ts";

/** All that comes with a request. What is too long is read to its end, so that who sends it hears why, and not kept. */
export async function collected(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.byteLength;
    if (length <= mostBytes) chunks.push(chunk);
  });
  await new Promise((resolve, reject) => {
    request.once("end", resolve);
    // Nobody is there any more to be answered.
    request.once("error", () => reject(unreadable()));
  });
  if (length > mostBytes) throw tooLong();
  return Buffer.concat(chunks);
}

/** No body stands for no parameters. */
export const orNothing = (bytes: Uint8Array): Uint8Array => (bytes.byteLength > 0 ? bytes : Buffer.from("{}"));
