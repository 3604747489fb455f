import type { LineCounts, Received } from "./deframer.ts";
import type { Pending } from "./pending.ts";
import type { WrapFault } from "./secure-channel.ts";

/** Somebody who listens in on a line. He changes nothing, and is told the same whether he writes it down or not. */
export interface Overhears {
  /** A command goes to the line. */
  sent(pending: Pending, isRepeat: boolean): void;
  /** A reply is the one that was waited for: its data, decrypted; or what is wrong with it. */
  opened(received: Received, data: Uint8Array | WrapFault): void;
  /** A frame has come, and was judged. @param isOver whether it has ended an exchange. */
  heard(received: Received, isOver: boolean): void;
  /** Bytes have come. @param before what was wrong on the line until then. */
  received(before: LineCounts, after: LineCounts): void;
}

const ignored = (): void => undefined;
export const nobody: Overhears = { sent: ignored, opened: ignored, heard: ignored, received: ignored };
