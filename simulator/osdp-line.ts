import { type Instant, instant, type Milliseconds } from "../agent/domain/instant.ts";
import { calm, type Weather } from "./osdp-weather.ts";

/** Something at the line. It hears what any other says, and speaks by {@link PacedLine.say}. */
export interface Station {
  /** Bits a second at which it speaks and listens. */
  readonly baud: number;
  /** It hears itself, too. */
  readonly echoes?: boolean;
  readonly hear: (bytes: Uint8Array, at: Instant) => void;
}

/** What is on its way, byte by byte. */
interface Passage {
  readonly by: Station;
  /** The speaker's rate when it began: it may have another one before all has passed. */
  readonly baud: number;
  readonly bytes: Uint8Array;
  readonly begins: Instant;
  /** How long a byte takes. */
  readonly perByte: Milliseconds;
  passed: number;
}

export interface PacedLineOptions {
  /** What becomes of that which is said. */
  readonly weather?: Weather;
  /** Numbers from 0 to 1, for bytes that nobody can read. */
  readonly random: () => number;
}

/** Start bit, eight of data, stop bit. */
const bitsPerByte = 10;

/**
 * A two-wire line with several stations, of which one speaks at a time: each byte takes as long as it does at the speaker's
 * rate, all others hear it when it has passed, and where two speak at once nobody can read either (reference 1.1, 1.5).
 *
 * It has no clock: what is due next is asked of it, and it goes on when it is told what time it is. So a test makes hours
 * of a line in no time, to the microsecond; and a process plays it in real time.
 */
export class PacedLine {
  weather: Weather;
  readonly #random: () => number;
  readonly #stations = new Set<Station>();
  #passages: Passage[] = [];
  /** Those that are over, as long as a byte of theirs may have met one that is still on its way. */
  #over: Passage[] = [];

  constructor({ weather = calm, random }: PacedLineOptions) {
    this.weather = weather;
    this.#random = random;
  }

  join(station: Station): void {
    this.#stations.add(station);
  }

  leave(station: Station): void {
    this.#stations.delete(station);
    this.#passages = this.#passages.filter(({ by }) => by !== station);
  }

  /** A station speaks from a moment on that has not passed, or when it has said what it is saying then. */
  say(by: Station, bytes: Uint8Array, at: Instant, baud = by.baud): void {
    const perByte = (bitsPerByte * 1_000) / baud;
    for (const { bytes: heard, after } of this.weather(bytes)) {
      if (heard.length === 0) continue;
      const own = this.#passages.filter((other) => other.by === by).map(endOf);
      const begins = instant(Math.max(at, ...own) + after);
      this.#passages.push({ by, baud, bytes: heard, begins, perByte, passed: 0 });
    }
  }

  /** When a byte will have passed. */
  get next(): Instant | undefined {
    const first = this.#first();
    return first && dueOf(first);
  }

  /** All that passes until `now` has been heard when it returns, each byte at its own time. */
  advance(now: Instant): void {
    for (let first = this.#first(); first && dueOf(first) <= now; first = this.#first()) this.#pass(first);
  }

  #first(): Passage | undefined {
    let first: Passage | undefined;
    for (const passage of this.#passages) if (!first || dueOf(passage) < dueOf(first)) first = passage;
    return first;
  }

  #pass(passage: Passage): void {
    const at = dueOf(passage);
    const begins = instant(at - passage.perByte);
    const isMet = [...this.#passages, ...this.#over].some(
      (other) => other !== passage && other.by !== passage.by && other.begins < at && endOf(other) > begins,
    );
    const byte = isMet ? this.#noise() : (passage.bytes[passage.passed] ?? 0);
    passage.passed += 1;
    if (passage.passed === passage.bytes.length) {
      this.#passages = this.#passages.filter((other) => other !== passage);
      this.#over.push(passage);
    }
    const earliest = Math.min(at, ...this.#passages.map((each) => dueOf(each) - each.perByte));
    this.#over = this.#over.filter((each) => endOf(each) > earliest);
    for (const station of this.#stations) {
      if (station === passage.by && !station.echoes) continue;
      station.hear(Uint8Array.of(station.baud === passage.baud ? byte : this.#noise()), at);
    }
  }

  #noise(): number {
    return Math.floor(this.#random() * 256);
  }
}

const dueOf = ({ begins, perByte, passed }: Passage): Instant => instant(begins + (passed + 1) * perByte);
const endOf = ({ begins, perByte, bytes }: Passage): Instant => instant(begins + bytes.length * perByte);
