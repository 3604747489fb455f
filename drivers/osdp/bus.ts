import { earliest, type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import { Deframer, type LineCounts, type Received } from "./deframer.ts";
import { longestFrame } from "./frame.ts";
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
/** A poll in the channel with its answer, and the silence before each of them, in bytes; an order to an output; what a reader thinks. */
const usual = { turn: 34, order: 50, thinks: 5 } as const;
/** Older readers give their session up when they are not asked for so long (reference 1.5). */
const longestUnasked: Milliseconds = 400;
/** However full the line is, a silence is no shorter than that, and twice what answers have taken lately. */
const leastWait: Milliseconds = 50;
/** With each answer, so that the slowest one of some hundred is what counts. */
const latencyFades = 0.99;
/** Of the waits for a reader that does not answer, one in so many is never cut short. */
const fullEvery = 8;

/** A reader in the queue. */
interface Seat {
  readonly session: Session;
  /** When it was asked last. */
  asked: Instant;
  /** How often it has not answered since it last did. */
  silences: number;
}

/** Online, or on its way there, as far as is known: it would never come there if it waited for all who are away. */
const isPresent = ({ session, silences }: Seat): boolean => session.isOnline || silences === 0;

const ended = (deframer: Deframer): readonly Received[] => deframer.gap();

interface Exchange {
  readonly seat: Seat;
  /** When its last byte has gone out, as far as can be told. */
  readonly sent: Instant;
  /** When there will have been silence for too long. */
  over: Instant;
  /** An answer has begun by then. */
  readonly begun: Instant;
  /** The longest frame would have come by then: what trickles in after that is none. */
  readonly end: Instant;
}

/**
 * One line with its readers, of which one is asked at a time. Pure: who owns the port hands in what comes from it, sends
 * what {@link tick} gives, and calls that when {@link next} says so.
 *
 * A reader that is told to move its output comes first, then those that answer, in turn; of the others one in a round,
 * as each of them costs the time of a silence (reference 1.6).
 */
export class Bus {
  readonly #times: BusTimes;
  readonly #deframer = new Deframer();
  readonly #overhears: Overhears;
  /** Who had the turn last stands last. */
  #queue: readonly Seat[];
  #exchange: Exchange | undefined;
  /** Nobody speaks before. */
  #quiet: Instant | undefined;
  /** Turns of those that are there since one was asked that is not. */
  #served = 0;
  #unasked = 0;
  /** How long it took lately, at most, until an answer began: what readers think, and what adapters and this machine add. */
  #latency: Milliseconds = 0;

  constructor(sessions: readonly Session[], times: BusTimes, overhears: Overhears = nobody) {
    this.#queue = sessions.map((session) => ({ session, asked: instant(0), silences: 0 }));
    this.#times = times;
    this.#overhears = overhears;
  }

  /** `unasked`: frames that came while no answer was waited for. */
  get counts(): LineCounts & { readonly unasked: number } {
    return { ...this.#deframer.counts, unasked: this.#unasked };
  }

  /** When {@link tick} has something to do; undefined: not before something is wanted of a session. */
  next(now: Instant): Instant | undefined {
    if (this.#exchange) return this.#exchange.over;
    const due = earliest(this.#queue.map(({ session }) => session.due(now)));
    return due === undefined || this.#quiet === undefined || due > this.#quiet ? due : this.#quiet;
  }

  /** @returns what to send now; nothing else may be sent before it is called again. */
  tick(now: Instant): Uint8Array | undefined {
    this.#endSilence(now);
    this.idle(now);
    if (this.#exchange || (this.#quiet !== undefined && now < this.#quiet)) return undefined;
    const turns = this.#inTurn(now);
    // What has begun to come before somebody is asked is no part of his answer.
    if (turns.length > 0) for (const one of this.#overheard(ended)) this.#hear(one, now);
    for (const seat of turns) {
      const bytes = seat.session.turn(now);
      if (bytes) return this.#ask(seat, bytes, now);
    }
    return undefined;
  }

  /** What came from the line, in pieces of whatever size. */
  onBytes(bytes: Uint8Array, now: Instant): void {
    const received = this.#overheard((deframer) => deframer.push(bytes));
    this.#rest(now);
    const exchange = this.#exchange;
    // With the first byte of a frame the wait is for the next one.
    if (exchange) {
      const isUnderWay = this.#deframer.waiting > 0;
      exchange.over = isUnderWay ? instant(Math.min(later(now, this.#times.gap), exchange.end)) : exchange.begun;
    }
    for (const one of received) this.#hear(one, now);
  }

  /** The line is gone: what was waited for does not come any more. */
  lost(now: Instant): void {
    this.#overheard(ended);
    this.#exchange?.seat.session.silence(now);
    this.#exchange = undefined;
  }

  /** There is no line: nobody has a turn, and who was silent for too long is offline. */
  idle(now: Instant): void {
    for (const { session } of this.#queue) session.tick(now);
  }

  #ask(seat: Seat, bytes: Uint8Array, now: Instant): Uint8Array {
    this.#queue = [...this.#queue.filter((other) => other !== seat), seat];
    this.#served = isPresent(seat) ? this.#served + 1 : 0;
    const { replyWithin, gap } = this.#times;
    const sent = later(now, bytes.length * this.#perByte);
    const end = later(sent, replyWithin + longestFrame * this.#perByte + gap);
    const begun = later(sent, this.#wait(seat, sent));
    this.#exchange = { seat, sent, over: begun, begun, end };
    seat.asked = now;
    return bytes;
  }

  /** What was found in what has come, or has come to an end. */
  #overheard(find: (deframer: Deframer) => readonly Received[]): readonly Received[] {
    const { counts } = this.#deframer;
    const received = find(this.#deframer);
    this.#overhears.received(counts, this.#deframer.counts);
    return received;
  }

  #hear(one: Received, now: Instant): void {
    const exchange = this.#exchange;
    const isOver = (exchange?.seat.session ?? this.#whose(one))?.hear(one, now) === true;
    this.#overhears.heard(one, isOver);
    if (!exchange) this.#unasked += 1;
    if (!exchange || !isOver) return;
    const took = now - exchange.sent - one.bytes.length * this.#perByte;
    this.#latency = Math.max(took, this.#latency * latencyFades);
    exchange.seat.silences = 0;
    this.#exchange = undefined;
  }

  /** Who is to hear what nobody has asked for: it is no answer, but it may be somebody else's command. */
  #whose({ frame }: Received): Session | undefined {
    const sessions = this.#queue.map(({ session }) => session);
    return sessions.find(({ address }) => address === frame.address) ?? sessions[0];
  }

  #endSilence(now: Instant): void {
    const exchange = this.#exchange;
    if (!exchange || exchange.over > now) return;
    this.#rest(now);
    for (const one of this.#overheard(ended)) if (this.#exchange) this.#hear(one, now);
    if (!this.#exchange) return;
    this.#exchange = undefined;
    exchange.seat.silences += 1;
    exchange.seat.session.silence(now);
  }

  /**
   * How long the beginning of an answer is waited for. Who has been silent before is not waited for as long, where the line
   * is so full that others would not be asked in time.
   */
  #wait(seat: Seat, sent: Instant): Milliseconds {
    const { replyWithin } = this.#times;
    if (seat.silences % fullEvery === 0) return replyWithin;
    const turn = usual.turn * this.#perByte + usual.thinks;
    // Somebody may show a card meanwhile.
    const latest = later(sent, usual.order * this.#perByte - longestUnasked);
    const room = this.#queue
      .filter((other) => other !== seat && other.session.isOnline)
      .map(({ asked }, nth) => asked - latest - (nth + 1) * turn);
    return Math.min(replyWithin, Math.max(leastWait + 2 * this.#latency, Math.min(...room)));
  }

  #inTurn(now: Instant): readonly Seat[] {
    const due = this.#queue.filter(({ session }) => {
      const at = session.due(now);
      return at !== undefined && at <= now;
    });
    const present = due.filter(isPresent);
    const urgent = present.filter(({ session }) => session.isUrgent);
    const others = present.filter(({ session }) => !session.isUrgent);
    const isRound = this.#served >= this.#queue.filter(isPresent).length;
    const away = due.filter((seat) => !isPresent(seat)).slice(0, 1);
    return isRound ? [...urgent, ...away, ...others] : [...urgent, ...others, ...away];
  }

  #rest(now: Instant): void {
    this.#quiet = later(now, quietBytes * this.#perByte);
  }

  get #perByte(): Milliseconds {
    return 10_000 / this.#times.baud;
  }
}
