import type { CommandClass } from "@zwave-js/cc";
import type { Driver as Zwave } from "zwave-js";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { IsOver } from "../shared/bolt-verdict.ts";
import { orAbort } from "../shared/or-abort.ts";
import type { Ends } from "./ends.ts";
import type { Library } from "./library.ts";

/** What became of a command: whether it may have left, and the status of Supervision where the lock has told one. */
interface Sent {
  readonly sent: boolean;
  readonly status?: number | undefined;
  /** Why zwave-js gave it up. */
  readonly error?: unknown;
}

/** Sends a command that is of use now, or not at all: none once the signal is aborted or it is over, and none twice. Never rejects. */
export type SendTimely = (command: CommandClass, signal: AbortSignal, isOver?: IsOver) => Promise<Sent>;

/** zwave-js lets go of one that waits in its queue. Less than a door command is good for. */
const expire: Milliseconds = 8_000;
/**
 * Of zwave-js's own repetitions those that come so soon are of what surely did not reach the lock: the line to the stick
 * was in use, the stick did not take it, the air was jammed, or the lock could not decrypt it. Of those that come later,
 * as after a stick that fell silent and was reset, nobody knows.
 */
const surelyUnsentWithin: Milliseconds = 1_500;

/**
 * zwave-js does not let go of a command that waits for the stick, and sends one again where the stick has failed, however
 * long that takes. So whether one is still to go is asked here, at the moment at which its bytes go to the stick.
 *
 * @param line that the bytes go to: where nobody knows what came of them it is to forget them, or it brings them when it can.
 */
export function timely(driver: Zwave, library: Library, line: () => Pick<Ends, "forget"> | undefined): SendTimely {
  const gates = new WeakMap<CommandClass, () => void>();
  const wrap = driver.createSendDataMessage.bind(driver);
  driver.createSendDataMessage = (command, options) => {
    const message = wrap(command, options);
    const inner = command instanceof library.commands.SupervisionCCGet ? command.encapsulated : command;
    const gate = gates.get(inner);
    if (!gate) return message;
    const serialize = message.serialize.bind(message);
    let first: number | undefined;
    message.serialize = async (context) => {
      const now = performance.now();
      if (now - (first ?? now) > surelyUnsentWithin) throw library.expired();
      gate();
      first ??= now;
      return serialize(context);
    };
    return message;
  };

  return async (command, signal, isOver) => {
    let sent = false;
    let taken: Pick<Ends, "forget"> | undefined;
    gates.set(command, () => {
      if (signal.aborted || isOver?.()) throw library.expired();
      sent = true;
      taken = line();
    });
    try {
      const sending = driver.sendCommand(command, {
        maxSendAttempts: 1,
        preventDeduplication: true,
        // Before all else that waits for the radio, and not beside it: two encrypted exchanges at once spoil each other.
        priority: library.MessagePriority.ImmediateLow,
        expire,
      });
      const result = await orAbort(sending, signal);
      return { sent, status: result?.status };
    } catch (error) {
      taken?.forget();
      return { sent, error };
    }
  };
}
