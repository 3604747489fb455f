import { earliest, type Instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import { Deframer, type LineCounts, type Received } from "./deframer.ts";
import { nobody, type Overhears } from "./overhears.ts";
import type { Session } from "./session.ts";

/** Times of a line (reference 1.5). */
export interface BusTimes {
  /** Bits a second, of which a byte takes ten. */
  readonly baud: number;
  /** How long a reader may think before the first byte of its reply. */
  readonly replyWithin: Milliseconds;
  /** How long a frame may pause: adapters on USB hand over what comes in lumps, with pauses inside of frames. */
  readonly gap: Milliseconds;
}

/** The standard's limit for a reply, and a pause that adapters on USB were measured to make. */
export const usualTimes = { replyWithin: 200, gap: 150 } as const;

/** Silence on the line before somebody speaks, in bytes. */
const quietBytes = 2;

interface Exchange {
  readonly session: Session;
  /** When there will have been silence for too long. */
  over: Instant;
}

/**
 * One line with its readers, of which one is asked at a time. Pure: who owns the port hands in what comes from it, sends
 * what {@link tick} gives, and calls that when {@link next} says so.
 *
 * A reader that is told to move its output comes first, then those that are online, in turn; of the others one in a round,
 * as each of them costs the time of a silence (reference 1.6).
 */
export class Bus {
  readonly #times: BusTimes;
  readonly #deframer = new Deframer();
  readonly #overhears: Overhears;
  /** Who had the turn last stands last. */
  #queue: readonly Session[];
  #exchange: Exchange | undefined;
  /** Nobody speaks before. */
  #quiet: Instant | undefined;
  /** Turns of those that are online since one was asked that is not. */
  #served = 0;

  constructor(sessions: readonly Session[], times: BusTimes, overhears: Overhears = nobody) {
    this.#queue = sessions;
    this.#times = times;
    this.#overhears = overhears;
  }

  get counts(): LineCounts {
    return this.#deframer.counts;
  }

  /** When {@link tick} has something to do; undefined: not before something is wanted of a session. */
  next(now: Instant): Instant | undefined {
    if (this.#exchange) return this.#exchange.over;
    const due = earliest(this.#queue.map((session) => session.due(now)));
    return due === undefined || this.#quiet === undefined || due > this.#quiet ? due : this.#quiet;
  }

  /** @returns what to send now; nothing else may be sent before it is called again. */
  tick(now: Instant): Uint8Array | undefined {
    this.#endSilence(now);
    this.idle(now);
    if (this.#exchange || (this.#quiet !== undefined && now < this.#quiet)) return undefined;
    for (const session of this.#inTurn(now)) {
      const bytes = session.turn(now);
      if (!bytes) continue;
      this.#queue = [...this.#queue.filter((other) => other !== session), session];
      this.#served = session.isOnline ? this.#served + 1 : 0;
      const sent = later(now, bytes.length * this.#perByte);
      this.#exchange = { session, over: later(sent, this.#times.replyWithin) };
      return bytes;
    }
    return undefined;
  }

  /** What came from the line, in pieces of whatever size. */
  onBytes(bytes: Uint8Array, now: Instant): void {
    const { counts } = this.#deframer;
    const received = this.#deframer.push(bytes);
    this.#overhears.received(counts, this.#deframer.counts);
    this.#rest(now);
    const exchange = this.#exchange;
    // With the first byte the wait is for the next one.
    if (exchange && this.#deframer.waiting > 0) exchange.over = later(now, this.#times.gap);
    for (const one of received) if (this.#hear(one, exchange, now)) this.#exchange = undefined;
  }

  /** The line is gone: what was waited for does not come any more. */
  lost(now: Instant): void {
    this.#deframer.gap();
    this.#exchange?.session.silence(now);
    this.#exchange = undefined;
  }

  /** There is no line: nobody has a turn, and who was silent for too long is offline. */
  idle(now: Instant): void {
    for (const session of this.#queue) session.tick(now);
  }

  #endSilence(now: Instant): void {
    const exchange = this.#exchange;
    if (!exchange || exchange.over > now) return;
    this.#exchange = undefined;
    this.#rest(now);
    const { counts } = this.#deframer;
    const received = this.#deframer.gap();
    this.#overhears.received(counts, this.#deframer.counts);
    for (const one of received) if (this.#hear(one, exchange, now)) return;
    exchange.session.silence(now);
  }

  /** @returns whether the exchange is over. */
  #hear(one: Received, exchange: Exchange | undefined, now: Instant): boolean {
    const isOver = exchange?.session.hear(one, now) === true;
    this.#overhears.heard(one, isOver);
    return isOver;
  }

  #inTurn(now: Instant): readonly Session[] {
    const due = this.#queue.filter((session) => {
      const at = session.due(now);
      return at !== undefined && at <= now;
    });
    const online = due.filter(({ isOnline }) => isOnline);
    const urgent = online.filter(({ isUrgent }) => isUrgent);
    const others = online.filter(({ isUrgent }) => !isUrgent);
    const isRound = this.#served >= this.#queue.filter(({ isOnline }) => isOnline).length;
    const away = due.filter(({ isOnline }) => !isOnline);
    return isRound ? [...urgent, ...away.slice(0, 1), ...others] : [...urgent, ...others, ...away.slice(0, 1)];
  }

  #rest(now: Instant): void {
    this.#quiet = later(now, quietBytes * this.#perByte);
  }

  get #perByte(): Milliseconds {
    return 10_000 / this.#times.baud;
  }
}
