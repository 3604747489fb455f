import { lstatSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";

/**
 * A unix socket, mode 0600, at which each line is answered by one, in order. What a killed process left at the path is taken
 * away. Rejects where something else is there.
 *
 * @param hear one line, and the answer to it. It does not reject.
 */
export async function openControl(path: string, hear: (line: string) => Promise<object>): Promise<AsyncDisposable> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path);
  const guests = new Set<Socket>();
  const server = createServer((guest) => {
    guests.add(guest);
    guest.on("error", () => undefined).once("close", () => guests.delete(guest));
    void serve(guest, hear);
  });
  await listen(server, path);
  return {
    async [Symbol.asyncDispose]() {
      for (const guest of guests) guest.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

async function serve(guest: Socket, hear: (line: string) => Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: guest })) guest.write(`${JSON.stringify(await hear(line))}\n`);
}

/** Nobody else may open it, also not in the moment in which it is made. */
async function listen(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
}
