import type { When } from "../../agent/domain/lock-window.ts";
import type { SlotContents, SlotName } from "../../agent/domain/slot.ts";
import { type Entry, LinkError, type WriteOutcome } from "../driver.ts";
import { orAbort } from "../shared/or-abort.ts";
import { failureOf } from "./codec-failure.ts";

/** The work on the slots of one lock that is ready for it, one piece at a time. */
export interface SlotWork {
  write(entry: PinEntry, slot: SlotName, ask: Ask): Promise<WriteOutcome>;
  clear(slot: SlotName, ask: Ask): Promise<WriteOutcome>;
  /** Absent: the lock cannot suspend a code. */
  readonly enable?: (slot: SlotName, entry: PinEntry, on: boolean, ask: Ask) => Promise<WriteOutcome>;
  read(slot: SlotName, ask: Ask): Promise<SlotContents>;
  /** What the lock says that it holds, slot by slot. */
  list(ask: Ask): AsyncGenerator<{ readonly slot: SlotName; readonly contents: SlotContents }>;
}
export type Pin = Entry["credential"] & { readonly kind: "pin" };
export interface PinEntry {
  readonly credential: Pin;
  readonly when: When;
}

/**
 * Sends one command by zwave-js. Rejects with {@link LinkError} where nothing came back, with the signal's reason where it
 * is aborted, and with {@link Refusal} where zwave-js would not send it.
 */
export type Ask = <T>(command: () => Promise<T>) => Promise<T>;

/** zwave-js found, before it sent anything, that the lock cannot take this. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly outcome: Extract<WriteOutcome, { result: "refused" }>;

  constructor(outcome: Extract<WriteOutcome, { result: "refused" }>) {
    super(outcome.detail);
    this.outcome = outcome;
  }
}

const unheard = "check the lock's batteries and its distance to the controller or a repeater";

/** @param who the lock, for the operator. */
export const asking =
  (who: string, signal: AbortSignal): Ask =>
  async (command) => {
    signal.throwIfAborted();
    try {
      return await orAbort(command(), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = failureOf(error);
      if ("refused" in failure) throw new Refusal(failure.refused);
      // No cause: zwave-js's error may quote the command, and that may hold a code.
      throw new LinkError(`${who} does not answer: ${failure.silent}`, {
        sent: failure.sent,
        hint: unheard,
      });
    }
  };

/** What was asked for, where it was answered. @throws LinkError: nothing that changes anything has been sent. */
export async function answered<T>(who: string, answer: Promise<T | undefined>): Promise<T> {
  try {
    const said = await answer;
    if (said !== undefined) return said;
  } catch (error) {
    if (!(error instanceof LinkError) || !error.sent) throw error;
    throw new LinkError(error.message, { sent: false, hint: unheard });
  }
  throw new LinkError(`${who} does not answer: its radio acknowledged, and that was all`, {
    sent: false,
    hint: "check the lock's batteries, or give it more time with timeout_ms of the link",
  });
}

export const invalid = (detail: string): Extract<WriteOutcome, { result: "refused" }> => ({
  result: "refused",
  reason: "invalid",
  detail,
});

/** The answer to a question after something was sent: silence is an answer, too. */
export async function orSilence<T>(answer: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof LinkError) return undefined;
    throw error;
  }
}
