import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { UnderlyingSink, UnderlyingSource } from "node:stream/web";
import type { SerialPort } from "serialport";
import type { Milliseconds } from "../../agent/domain/instant.ts";

/** An open serial device, or a connection to a serial bridge. */
export interface SerialLine {
  readonly bytes: Duplex;
  /** Resolves when nobody keeps it any more. */
  close(): Promise<void>;
}

const looksEvery: Milliseconds = 500;
const connectsWithin: Milliseconds = 5_000;
const keepAliveAfter: Milliseconds = 1_000;

/**
 * Opens `tcp://host:port` or the path of a serial device. zwave-js's own way to do that stops listening for errors before
 * it closes: a write that fails then, as where a stick is pulled out, would end the process.
 */
export async function openSerialLine(port: string, Port: typeof SerialPort): Promise<SerialLine> {
  return port.startsWith("tcp:") ? openBridge(new URL(port)) : openDevice(port, Port);
}

/** Whoever waits for a write is told that it failed, and whoever reads that the line is closed. */
const isToldOtherwise = (): void => undefined;

async function openDevice(path: string, Port: typeof SerialPort): Promise<SerialLine> {
  // Some sticks take a control line that falls when the port is closed for the word to start their boot loader.
  const bytes = new Port({ path, baudRate: 115_200, autoOpen: false, hupcl: false });
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
    async close() {
      const closed = new Promise((resolve) => void bytes.once("close", resolve));
      bytes.destroy();
      if (!bytes.closed) await closed;
    },
  };
}

/** The two ends of a line, as zwave-js takes them. */
export interface Ends {
  readonly source: UnderlyingSource<Uint8Array>;
  readonly sink: UnderlyingSink<Uint8Array>;
  close(): Promise<void>;
}

/** @param lost is called where it ends without us; what zwave-js is to be told of that. */
export function endsOf(line: SerialLine, lost: () => Error): Ends {
  const { bytes } = line;
  let isRead = true;
  const close = (): Promise<void> => {
    isRead = false;
    return line.close();
  };
  return {
    close,
    source: {
      start(reader) {
        bytes.on("data", (some: Uint8Array) => isRead && reader.enqueue(some));
        bytes.once("close", () => {
          if (isRead) reader.error(lost());
          isRead = false;
          // A serial port that is closed keeps what is written to it for when it is opened again.
          bytes.destroy();
        });
      },
      cancel() {
        isRead = false;
      },
    },
    sink: {
      write: (some) =>
        new Promise<void>((resolve, reject) => {
          const closed = (): void => reject(new Error("the line was closed under a write"));
          bytes.once("close", closed);
          bytes.write(some, (error) => {
            bytes.off("close", closed);
            if (error) reject(error);
            else resolve();
          });
        }),
      close,
      abort: close,
    },
  };
}
