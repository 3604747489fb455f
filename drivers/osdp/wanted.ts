import { type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { Command } from "./commands.ts";
import type { Happening, Result } from "./happening.ts";
import type { Reply } from "./replies.ts";
import { poll } from "./session-options.ts";

/** A command that somebody wants to be sent. */
export interface Wanted {
  /** The caller's, to know the result by. */
  readonly id: string;
  readonly command: Command;
  /** Neither sent nor repeated from then on. */
  readonly deadline?: Instant;
  /** Nobody wants it any more: it is not sent, and an order to an output is not repeated. */
  readonly isOver?: () => boolean;
}

/** More than that waits only where something is wrong. */
const most = 32;
/** Commands other than to outputs hold polls up for no longer: it is by polls that cards are read. */
const longestWithoutPoll: Milliseconds = 1_000;

/**
 * What one reader is to be told, with polls between: outputs first, as somebody stands at a door. Of each command the result
 * is told once.
 */
export class WantedCommands {
  readonly #pollEvery: Milliseconds;
  #waiting: readonly Wanted[] = [];
  /** It was sent, and is not answered. */
  #current: Wanted | undefined;
  #sentAt: Instant = instant(0);
  /** Orders to an output that were sent, and may have been carried out or not: how the output is will tell. */
  #doubted: readonly { readonly wanted: Wanted; readonly sentAt: Instant }[] = [];
  /** Those that are sent in a second session. */
  #seconds: ReadonlySet<string> = new Set();
  #lastPoll: Instant = instant(0);
  /** Whether it was polled last: then a command may follow, however long a round takes. */
  #wasPoll = false;

  constructor(pollEvery: Milliseconds) {
    this.#pollEvery = pollEvery;
  }

  /** When there is something to send. */
  due(now: Instant): Instant {
    return this.#waiting.length > 0 ? now : later(this.#lastPoll, this.#pollEvery);
  }

  get isUrgent(): boolean {
    return this.#waiting.some(isOrder);
  }

  /** Of the one that was sent and is not answered. */
  get deadline(): Instant | undefined {
    return this.#current?.deadline;
  }

  /** Whether it must not be repeated: that may be what makes the reader act. */
  isLate(now: Instant): boolean {
    const current = this.#current;
    return current !== undefined && (!isBefore(current, now) || (isOrder(current) && isOver(current)));
  }

  add(wanted: Wanted): readonly Happening[] {
    if (this.#waiting.length >= most) return [resultOf(wanted, { result: "unsent" })];
    this.#waiting = [...this.#waiting, wanted];
    return [];
  }

  /** What to send now; undefined: nothing is due. */
  next(now: Instant): Command | undefined {
    // Only what is for an output goes before a poll then.
    const isPollLate = !this.#wasPoll && now - this.#lastPoll > longestWithoutPoll;
    const next = this.#waiting.find(isOrder) ?? (isPollLate ? undefined : this.#waiting[0]);
    this.#waiting = this.#waiting.filter((wanted) => wanted !== next);
    this.#current = next;
    this.#sentAt = now;
    if (!next && now < later(this.#lastPoll, this.#pollEvery)) return undefined;
    this.#wasPoll = next === undefined;
    if (this.#wasPoll) this.#lastPoll = now;
    return next?.command ?? poll;
  }

  /** Of a reply that is not of its shape nothing is known but that it came. */
  answered(reply: Reply | undefined, now: Instant): readonly Happening[] {
    const refused = reply?.reply === "NAK" ? { result: "refused" as const, error: reply.error } : undefined;
    const ended = this.#end(refused ?? { result: reply ? "done" : "unknown" });
    return reply?.reply === "OSTATR" ? [...ended, ...this.#seen(reply.outputs, now)] : ended;
  }

  /**
   * The session is over. An order to an output is said again in the next one, once, before its deadline, and where it is proven
   * that it was not carried out: by the answer to it, or by how the output is then (Law 10; reference 3.5). Of anything else
   * nobody knows.
   *
   * @param isProven whether it was sent once, and the reader has answered that it knows nothing of the session.
   */
  lost(now: Instant, isProven: boolean): readonly Happening[] {
    const lost = this.#current;
    if (!lost || !pulseOf(lost.command) || isUseless(lost, now) || this.#seconds.has(lost.id)) {
      return this.#end({ result: "unknown" });
    }
    this.#current = undefined;
    if (isProven) this.#again(lost);
    else this.#doubted = [...this.#doubted, { wanted: lost, sentAt: this.#sentAt }];
    return [];
  }

  /** Takes out what has become too late to be sent. */
  late(now: Instant): readonly Happening[] {
    return this.#drop((wanted) => isUseless(wanted, now));
  }

  /** Takes out all that was not sent. */
  clear(): readonly Happening[] {
    return this.#drop(() => true);
  }

  /** What is seen of the orders of which it is not known whether they were carried out. */
  #seen(outputs: readonly number[], now: Instant): readonly Happening[] {
    const doubted = this.#doubted;
    this.#doubted = [];
    return doubted.flatMap(({ wanted, sentAt }) => {
      const pulse = pulseOf(wanted.command);
      if (pulse && outputs[pulse.output] === 1) return [this.#told(wanted, { result: "done" })];
      // It would still be on.
      if (pulse && outputs[pulse.output] === 0 && now < later(sentAt, pulse.timer * 100)) {
        this.#again(wanted);
        return [];
      }
      return [this.#told(wanted, { result: "unknown" })];
    });
  }

  #again(wanted: Wanted): void {
    this.#seconds = new Set([...this.#seconds, wanted.id]);
    this.#waiting = [wanted, ...this.#waiting];
  }

  #drop(isToGo: (wanted: Wanted) => boolean): readonly Happening[] {
    const over = this.#waiting.filter(isToGo);
    const doubted = this.#doubted.filter(({ wanted }) => isToGo(wanted));
    if (over.length === 0 && doubted.length === 0) return [];
    this.#waiting = this.#waiting.filter((wanted) => !over.includes(wanted));
    this.#doubted = this.#doubted.filter((doubt) => !doubted.includes(doubt));
    return [
      ...doubted.map(({ wanted }) => this.#told(wanted, { result: "unknown" })),
      // What was sent in a session that is over may have been carried out there: an ACK may have been lost.
      ...over.map((wanted) => this.#told(wanted, { result: this.#seconds.has(wanted.id) ? "unknown" : "unsent" })),
    ];
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

const isBefore = ({ deadline }: Wanted, now: Instant): boolean => deadline === undefined || now < deadline;
const isOver = (wanted: Wanted): boolean => wanted.isOver?.() === true;
const isUseless = (wanted: Wanted, now: Instant): boolean => !isBefore(wanted, now) || isOver(wanted);
const isOrder = ({ command }: Wanted): boolean => command.command === "OUT";

/** The one output that is to be on for a time, if that is what is ordered. */
function pulseOf(command: Command): { readonly output: number; readonly timer: number } | undefined {
  const [first, ...others] = command.command === "OUT" ? command.outputs : [];
  return first?.code === 5 && others.length === 0 ? first : undefined;
}

export const resultOf = ({ id }: Wanted, result: Result): Happening => ({ happening: "result", id, result });
