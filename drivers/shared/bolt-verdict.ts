import { type ActOutcome, LinkError } from "../driver.ts";

/**
 * What became of a command to a bolt. Where the lock says that its bolt is counts, whatever it has answered: one that says
 * yes, and is somewhere else, may be on its way, or not.
 *
 * @param said what the lock answered to the command; undefined: nothing.
 * @param isThere whether it says that its bolt is where it is to be; undefined: it does not say.
 */
export function boltVerdict(
  said: "yes" | { readonly no: string | undefined } | undefined,
  isThere: boolean | undefined,
): ActOutcome {
  if (isThere === true) return { result: "done", confirmed: true };
  if (said === undefined) return { result: "unknown" };
  if (said !== "yes") return { result: "refused", ...(said.no === undefined ? {} : { detail: said.no }) };
  return isThere === undefined ? { result: "done", confirmed: false } : { result: "unknown" };
}

/** Whether the time of a command is over, by the clock. */
export type IsOver = (() => boolean) | undefined;

/** Before a command to a bolt is sent. @throws LinkError where it is too late for that: nothing was sent. */
export function unlessTooLate(signal: AbortSignal, isOver: IsOver = () => false): void {
  if (signal.aborted || isOver()) throw new LinkError("its time was over before it could be sent", { sent: false });
}
