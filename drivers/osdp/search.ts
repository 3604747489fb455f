import { type Instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import type { BusTimes } from "./bus.ts";
import { abilitiesOf, type ReaderAbilities } from "./capabilities.ts";
import { type Command, encodeCommand } from "./commands.ts";
import { Deframer, type Received } from "./deframer.ts";
import { type Check, encodeFrame, mark } from "./frame.ts";
import { decodeReply, type Identity, type Reply } from "./replies.ts";

/** Somebody at an address, and what he says of himself in clear: nothing of it is proven. */
export interface Sighting {
  readonly address: number;
  readonly identity?: Identity;
  readonly abilities?: ReaderAbilities;
  /** That of its replies. */
  readonly check?: Check;
  /** It refuses to say who it is: with the code of a NAK. */
  readonly error?: number;
  /** Something came, and nothing that can be read: another rate, or two at one address. */
  readonly isGarbled?: true;
}

export type SearchStep =
  | { readonly step: "asking"; readonly address: number }
  | { readonly step: "found"; readonly sighting: Sighting }
  /** Somebody else gives commands on the line. */
  | { readonly step: "foreign_panel" };

/** A command with its number: 0 begins anew (reference 1.4). */
interface Question {
  readonly command: Command;
  readonly sequence: number;
}
/** What came of a question: a reply, things that nobody can read, or nothing. */
type Answer = { readonly reply: Reply | undefined; readonly check: Check } | "garbled" | "silence";

interface Exchange {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** When there will have been silence for too long. */
  over: Instant;
  isGarbled: boolean;
  /** A reader that is busy is asked again then. */
  again: Instant | undefined;
  busy: number;
}

const afterBusy: Milliseconds = 100;
const mostBusy = 10;
const quietBytes = 2;
const id: Command = { command: "ID", kind: 0 };

/**
 * Looks who is at the addresses of a line at one rate: in clear, and with the checksum, which all readers know (reference
 * 1.2, 1.3, 1.5). Pure, and driven as a bus is.
 */
export class Search {
  readonly #times: BusTimes;
  readonly #deframer = new Deframer();
  readonly #steps: SearchStep[] = [];
  readonly #addresses: readonly number[];
  #nth = 0;
  #talk: Generator<Question, Sighting | undefined, Answer> | undefined;
  #question: Question | undefined;
  #exchange: Exchange | undefined;
  #quiet: Instant | undefined;

  constructor(addresses: readonly number[], times: BusTimes) {
    this.#addresses = addresses;
    this.#times = times;
    this.#begin();
  }

  get isOver(): boolean {
    return this.#question === undefined && this.#exchange === undefined;
  }

  /** What there is to tell since it was asked last. */
  take(): readonly SearchStep[] {
    return this.#steps.splice(0);
  }

  next(now: Instant): Instant | undefined {
    if (this.#exchange) return this.#exchange.again ?? this.#exchange.over;
    return this.isOver ? undefined : (this.#quiet ?? now);
  }

  tick(now: Instant): Uint8Array | undefined {
    const exchange = this.#exchange;
    if (exchange?.again !== undefined && exchange.again <= now) return this.#say(exchange, now);
    if (exchange && exchange.again === undefined && exchange.over <= now) this.#silence(exchange, now);
    if (this.#exchange || !this.#question || (this.#quiet !== undefined && now < this.#quiet)) return undefined;
    const address = this.#addresses[this.#nth] ?? 0;
    const { command, sequence } = this.#question;
    this.#question = undefined;
    const bytes = encodeFrame({ address, isReply: false, sequence, check: "checksum", ...encodeCommand(command) });
    return this.#say({ address, bytes, over: now, isGarbled: false, again: undefined, busy: 0 }, now);
  }

  onBytes(bytes: Uint8Array, now: Instant): void {
    const { noise } = this.#deframer.counts;
    const received = this.#deframer.push(bytes);
    this.#quiet = later(now, quietBytes * this.#perByte);
    const exchange = this.#exchange;
    if (exchange) exchange.isGarbled ||= this.#deframer.counts.noise > noise;
    // With the first byte the wait is for the next one.
    if (exchange && (this.#deframer.waiting > 0 || exchange.isGarbled)) exchange.over = later(now, this.#times.gap);
    for (const one of received) this.#hear(one, now);
  }

  lost(): void {
    this.#deframer.gap();
    this.#exchange = undefined;
    this.#question = undefined;
  }

  idle(): void {
    // Nothing happens without a line.
  }

  #say(exchange: Exchange, now: Instant): Uint8Array {
    const said = Uint8Array.of(mark, ...exchange.bytes);
    exchange.again = undefined;
    exchange.over = later(now, said.length * this.#perByte + this.#times.replyWithin);
    this.#exchange = exchange;
    return said;
  }

  #hear({ frame, bytes }: Received, now: Instant): void {
    const exchange = this.#exchange;
    if (!frame.isReply) {
      // Some adapters give back what was sent.
      if (!exchange || Buffer.compare(bytes, exchange.bytes) !== 0) this.#steps.push({ step: "foreign_panel" });
      return;
    }
    if (!exchange || frame.address !== exchange.address) return;
    const reply = decodeReply(frame.code, frame.data);
    if (reply?.reply === "BUSY" && exchange.busy < mostBusy) {
      exchange.busy += 1;
      exchange.again = later(now, afterBusy);
      return;
    }
    this.#answered({ reply, check: frame.check });
  }

  #silence(exchange: Exchange, now: Instant): void {
    this.#quiet = later(now, quietBytes * this.#perByte);
    const { noise } = this.#deframer.counts;
    for (const one of this.#deframer.gap()) this.#hear(one, now);
    exchange.isGarbled ||= this.#deframer.counts.noise > noise;
    if (this.#exchange === exchange && exchange.again === undefined) {
      this.#answered(exchange.isGarbled ? "garbled" : "silence");
    }
  }

  #answered(answer: Answer): void {
    this.#exchange = undefined;
    const next = this.#talk?.next(answer);
    if (next && !next.done) {
      this.#question = next.value;
      return;
    }
    if (next?.value) this.#steps.push({ step: "found", sighting: next.value });
    this.#nth += 1;
    this.#begin();
  }

  #begin(): void {
    const address = this.#addresses[this.#nth];
    if (address === undefined) return;
    this.#steps.push({ step: "asking", address });
    this.#talk = talk(address);
    const first = this.#talk.next();
    if (!first.done) this.#question = first.value;
  }

  get #perByte(): Milliseconds {
    return 10_000 / this.#times.baud;
  }
}

/** What is asked of one address, in turn; nothing where nobody is there. */
function* talk(address: number): Generator<Question, Sighting | undefined, Answer> {
  let sequence = 0;
  let who = yield { command: id, sequence };
  if (who === "silence") {
    // Some readers say nothing before they were polled.
    const polled = yield { command: { command: "POLL" }, sequence: 0 };
    if (polled === "silence") return undefined;
    sequence = 1;
    who = polled === "garbled" ? polled : yield { command: id, sequence };
  }
  if (who === "silence") return { address };
  if (who === "garbled") return { address, isGarbled: true };
  const { reply, check } = who;
  if (reply?.reply === "NAK") return { address, check, error: reply.error };
  if (reply?.reply !== "PDID") return { address, check };
  const { reply: _, ...identity } = reply;
  const can = yield { command: { command: "CAP", kind: 0 }, sequence: sequence + 1 };
  const capabilities = typeof can === "string" || can.reply?.reply !== "PDCAP" ? undefined : can.reply.capabilities;
  return { address, check, identity, ...(capabilities ? { abilities: abilitiesOf(capabilities) } : {}) };
}
