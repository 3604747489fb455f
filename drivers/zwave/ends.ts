import type { UnderlyingSink, UnderlyingSource } from "node:stream/web";
import type { SerialLine } from "../shared/serial-line.ts";

/** The two ends of a line, as zwave-js takes them. */
export interface Ends {
  readonly source: UnderlyingSource<Uint8Array>;
  readonly sink: UnderlyingSink<Uint8Array>;
  close(): Promise<void>;
  /** What was written, and may not have arrived, does not arrive any more, where the line can do that. */
  forget(): void;
}

/** @param lost is called where it ends without us; what zwave-js is to be told of that. */
export function endsOf(line: SerialLine, lost: () => Error): Ends {
  const { bytes } = line;
  let isRead = true;
  /** Whether something came since something was written: a stick acknowledges each frame at once. */
  let isHeard = true;
  const close = (): Promise<void> => {
    isRead = false;
    return line.close();
  };
  return {
    close,
    forget() {
      if (!isHeard) line.cut?.();
    },
    source: {
      start(reader) {
        bytes.on("data", (some: Uint8Array) => {
          isHeard = true;
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
          isHeard = false;
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
