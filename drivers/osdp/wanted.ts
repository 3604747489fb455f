import type { Instant } from "../../agent/domain/instant.ts";
import type { Command } from "./commands.ts";
import type { Happening, Result } from "./happening.ts";
import type { Reply } from "./replies.ts";

/** A command that somebody wants to be sent. */
export interface Wanted {
  /** The caller's, to know the result by. */
  readonly id: string;
  readonly command: Command;
  /** Neither sent nor repeated from then on. */
  readonly deadline?: Instant;
  /** Nobody wants it any more: it is not sent. */
  readonly isOver?: () => boolean;
}

/** More than that waits only where something is wrong. */
const most = 32;

/**
 * What one reader is to be told: outputs first, as somebody stands at a door. Of each command the result is told once.
 */
export class WantedCommands {
  #waiting: readonly Wanted[] = [];
  /** It was sent, and is not answered. */
  #current: Wanted | undefined;
  /** Those that are sent in a second session. */
  #seconds: ReadonlySet<string> = new Set();

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isUrgent(): boolean {
    return this.#waiting.some(({ command }) => command.command === "OUT");
  }

  /** Of the one that was sent and is not answered. */
  get deadline(): Instant | undefined {
    return this.#current?.deadline;
  }

  add(wanted: Wanted): readonly Happening[] {
    if (this.#waiting.length >= most) return [resultOf(wanted, { result: "unsent" })];
    this.#waiting = [...this.#waiting, wanted];
    return [];
  }

  /** What to send now. @param isPollLate only what is for an output goes before a poll then. */
  next(isPollLate: boolean): Command | undefined {
    const next =
      this.#waiting.find(({ command }) => command.command === "OUT") ?? (isPollLate ? undefined : this.#waiting[0]);
    this.#waiting = this.#waiting.filter((wanted) => wanted !== next);
    this.#current = next;
    return next?.command;
  }

  /** Of a reply that is not of its shape nothing is known but that it came. */
  answered(reply: Reply | undefined): readonly Happening[] {
    const refused = reply?.reply === "NAK" ? { result: "refused" as const, error: reply.error } : undefined;
    return this.#end(refused ?? { result: reply ? "done" : "unknown" });
  }

  /**
   * The session is over. An order to an output is said again in the next one, once, and before its deadline only, where it was
   * sent once and the reader has answered that it knows nothing of the session: so it has not acted on that. Where it was
   * repeated, it may have acted on the first, and lost its session after that. Of anything else nobody knows (reference 3.5).
   *
   * @param isProven whether it has answered so.
   */
  lost(now: Instant, isProven: boolean): readonly Happening[] {
    const { id, command, deadline } = this.#current ?? {};
    const isDue = command?.command === "OUT" && deadline !== undefined && deadline > now;
    if (!this.#current || id === undefined || !isProven || !isDue || this.#seconds.has(id)) {
      return this.#end({ result: "unknown" });
    }
    this.#seconds = new Set([...this.#seconds, id]);
    this.#waiting = [this.#current, ...this.#waiting];
    this.#current = undefined;
    return [];
  }

  /** Takes out what has become too late to be sent. */
  late(now: Instant): readonly Happening[] {
    return this.#drop(({ deadline, isOver }) => (deadline !== undefined && deadline <= now) || isOver?.() === true);
  }

  /** Takes out all that was not sent. */
  clear(): readonly Happening[] {
    return this.#drop(() => true);
  }

  #drop(isOver: (wanted: Wanted) => boolean): readonly Happening[] {
    const over = this.#waiting.filter(isOver);
    if (over.length === 0) return [];
    this.#waiting = this.#waiting.filter((wanted) => !over.includes(wanted));
    // What was sent in a session that is over may have been carried out there: an ACK may have been lost.
    return over.map((wanted) => this.#told(wanted, { result: this.#seconds.has(wanted.id) ? "unknown" : "unsent" }));
  }

  #end(result: Result): readonly Happening[] {
    const ended = this.#current;
    this.#current = undefined;
    return ended ? [this.#told(ended, result)] : [];
  }

  #told(wanted: Wanted, result: Result): Happening {
    this.#seconds = new Set([...this.#seconds].filter((id) => id !== wanted.id));
    return resultOf(wanted, result);
  }
}

export const resultOf = ({ id }: Wanted, result: Result): Happening => ({ happening: "result", id, result });
