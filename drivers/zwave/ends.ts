import type { UnderlyingSink, UnderlyingSource } from "node:stream/web";
import type { SerialLine } from "../shared/serial-line.ts";

/** The two ends of a line, as zwave-js takes them. */
export interface Ends {
  readonly source: UnderlyingSource<Uint8Array>;
  readonly sink: UnderlyingSink<Uint8Array>;
  close(): Promise<void>;
  /** What was written, and has not arrived for all that is known, does not arrive any more, where the line can do that. */
  forget(): void;
}

const startOfFrame = 0x01;
/** ACK, NAK and CAN, which are said at once of each frame (Serial API). */
const words: ReadonlySet<number> = new Set([0x06, 0x15, 0x18]);

/** Whether the stick has said of the last frame that it has come. */
class Acknowledged {
  isAwaited = false;
  /** Of a frame that is coming in: bytes to come; undefined: how many is said next. */
  #rest: number | undefined = 0;

  said([first]: Uint8Array): void {
    // What we say of a frame of the stick's is not answered.
    if (first === startOfFrame) this.isAwaited = true;
  }

  heard(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#rest === undefined) this.#rest = byte;
      else if (this.#rest > 0) this.#rest -= 1;
      else if (byte === startOfFrame) this.#rest = undefined;
      else if (words.has(byte)) this.isAwaited = false;
    }
  }
}

/** @param lost is called where it ends without us; what zwave-js is to be told of that. */
export function endsOf(line: SerialLine, lost: () => Error): Ends {
  const { bytes } = line;
  let isRead = true;
  const acknowledged = new Acknowledged();
  const forget = (): void => {
    if (acknowledged.isAwaited) line.cut?.();
  };
  const close = (): Promise<void> => {
    isRead = false;
    forget();
    return line.close();
  };
  return {
    close,
    forget,
    source: {
      start(reader) {
        bytes.on("data", (some: Uint8Array) => {
          acknowledged.heard(some);
          if (isRead) reader.enqueue(some);
        });
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
          acknowledged.said(some);
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
