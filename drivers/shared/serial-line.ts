import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { SerialPort } from "serialport";
import type { Milliseconds } from "../../agent/domain/instant.ts";

/** An open serial device, or a connection to a serial bridge. */
export interface SerialLine {
  readonly bytes: Duplex;
  /** Resolves when nobody keeps it any more. What was written to a connection before that may still arrive: see {@link cut}. */
  close(): Promise<void>;
  /** Ends it at once, and what has not gone out with it. A device has no such thing: it goes out by itself. */
  cut?(): void;
}

const looksEvery: Milliseconds = 500;
const connectsWithin: Milliseconds = 5_000;
const keepAliveAfter: Milliseconds = 1_000;

/**
 * Opens `tcp://host:port` or the path of a serial device, at so many baud; a bridge has its own. Its errors are heard until
 * it is closed: a write that fails as a stick is pulled out would end the process otherwise.
 */
export async function openSerialLine(
  port: string,
  { Port, baudRate }: { readonly Port: typeof SerialPort; readonly baudRate: number },
): Promise<SerialLine> {
  return port.startsWith("tcp:") ? openBridge(new URL(port)) : openDevice(port, Port, baudRate);
}

/** Whoever waits for a write is told that it failed, and whoever reads that the line is closed. */
const isToldOtherwise = (): void => undefined;

async function openDevice(path: string, Port: typeof SerialPort, baudRate: number): Promise<SerialLine> {
  // Some sticks take a control line that falls when the port is closed for the word to start their boot loader.
  const bytes = new Port({ path, baudRate, autoOpen: false, hupcl: false });
  bytes.on("error", isToldOtherwise);
  await new Promise<void>((resolve, reject) => {
    bytes.open((error) => (error ? reject(error) : resolve()));
  });
  // Pulled out at a bad moment, a device is read again and again with nothing to read, and never said to be gone.
  const looking = setInterval(() => {
    if (!existsSync(path)) bytes.close();
  }, looksEvery);
  bytes.once("close", () => clearInterval(looking));
  return {
    bytes,
    async close() {
      await new Promise((resolve) => {
        bytes.close(resolve);
      });
      bytes.destroy();
    },
  };
}

async function openBridge({ hostname: host, port }: URL): Promise<SerialLine> {
  const bytes = connect({
    host,
    port: Number(port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfter,
  });
  bytes.on("error", isToldOtherwise);
  await new Promise<void>((resolve, reject) => {
    bytes.once("connect", resolve).once("error", reject);
    bytes.setTimeout(connectsWithin, () => bytes.destroy(new Error(`nobody answers at ${host}:${port}`)));
  });
  bytes.setTimeout(0);
  return {
    bytes,
    // One that is at its end already is beyond a reset.
    cut: () => void (bytes.writableEnded ? bytes.destroy() : bytes.resetAndDestroy()),
    async close() {
      const closed = new Promise((resolve) => void bytes.once("close", resolve));
      bytes.destroy();
      if (!bytes.closed) await closed;
    },
  };
}
