import { earliest, type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import { Bus, usualTimes } from "../../drivers/osdp/bus.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import type { Frame } from "../../drivers/osdp/frame.ts";
import type { Happening, Result } from "../../drivers/osdp/happening.ts";
import { Key } from "../../drivers/osdp/key.ts";
import { Session } from "../../drivers/osdp/session.ts";
import { signalsOf } from "../../drivers/osdp/signals.ts";
import { seeded } from "../../simulator/faults.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { OsdpBus } from "../../simulator/osdp-bus.ts";
import { usualHardware } from "../../simulator/osdp-device.ts";
import { HostEnd } from "../../simulator/osdp-host-end.ts";
import { OsdpKeyring } from "../../simulator/osdp-keyring.ts";
import { OsdpReader, type OsdpSight } from "../../simulator/osdp-reader.ts";

const start = instant(1_790_000_000_000);
/** How often a line that is away is looked for. */
const idleEvery: Milliseconds = 500;

export interface WiredOptions {
  readonly count: number;
  readonly baud: number;
  readonly seed?: number;
  readonly lumps?: Milliseconds;
  /** How often each reader is asked, where there is time for that. */
  readonly pollEvery?: Milliseconds;
  readonly echoes?: boolean;
  /** Of all readers. */
  readonly habits?: Partial<Behaviour>;
  /** For how long a strike is released, in tenths of a second. */
  readonly strike?: number;
}

interface Told {
  readonly at: Instant;
  readonly address: number;
  readonly happening: Happening;
}

/** Something that was said on the line by the panel. */
interface Spoken {
  readonly at: Instant;
  /** When its last byte has passed. */
  readonly until: Instant;
  readonly frame: Frame;
}

/**
 * A panel and its readers on a paced line, in a time of their own. Whoever shows a card that is not stale is let in: by the
 * reader's own output, then light and sound, as the driver does it.
 */
export class Wired {
  readonly far: OsdpBus;
  readonly readers: readonly OsdpReader[];
  readonly sessions: readonly Session[];
  readonly keys: readonly Uint8Array[];
  readonly bus: Bus;
  readonly told: Told[] = [];
  readonly switched: { readonly at: Instant; readonly address: number }[] = [];
  readonly spoken: Spoken[] = [];
  /** Random bytes of this seed. */
  readonly bytes: (length: number) => Uint8Array;
  now = start;
  readonly #options: WiredOptions;
  readonly #host: HostEnd;
  #isPlugged = true;
  #orders = 0;

  constructor(options: WiredOptions) {
    const { count, baud, seed = 1, lumps = 0, echoes = false } = options;
    const random = seeded(seed);
    this.#options = options;
    this.bytes = (length) => Uint8Array.from({ length }, () => random() * 256);
    this.far = new OsdpBus({ random });
    this.keys = Array.from({ length: count }, () => this.bytes(16));
    this.readers = this.keys.map((key, address) => this.reader(address, key));
    this.sessions = this.keys.map((key, address) => this.#session(address, key));
    for (const reader of this.readers) this.far.join(reader);
    this.bus = new Bus(this.sessions, { baud, ...usualTimes });
    this.#host = new HostEnd({ baud, lumps, echoes, deliver: (bytes, at) => this.bus.onBytes(bytes, at) });
    this.far.connect(this.#host);
  }

  /** One more reader, which is not on the line yet. */
  reader(address: number, key: Uint8Array | undefined): OsdpReader {
    const { baud, habits = {}, seed = 1 } = this.#options;
    return new OsdpReader(
      {
        address,
        baud,
        keyring: new OsdpKeyring(key && Uint8Array.from(key)),
        hardware: usualHardware,
        cuid: this.bytes(8),
        random: () => this.bytes(8),
        pace: seeded(seed + address),
        behaviour: habits,
        see: (sight: OsdpSight) => {
          if (sight.happened === "switched" && sight.on) this.switched.push({ at: sight.at, address });
        },
      },
      this.now,
    );
  }

  #session(address: number, key: Uint8Array): Session {
    return new Session({
      address,
      check: "crc",
      security: "required",
      keys: [new Key(Uint8Array.from(key))],
      random: this.bytes,
      pollEvery: this.#options.pollEvery ?? 50,
    });
  }

  /** Whether a reader will tell of the card. @param number of 26 bits, which hold as many as are needed. */
  show(address: number, number = 1): boolean {
    const bits = `26:${(number * 128 + 128).toString(16).padStart(8, "0")}`;
    return this.readers[address]?.present({ report: "card", format: 1, bits }, this.now) ?? false;
  }

  /** Somebody else at the line says something, from now on. */
  by(station: Parameters<OsdpBus["line"]["say"]>[0], bytes: Uint8Array): void {
    this.far.line.say(station, bytes, this.now);
  }

  /** The adapter is pulled out. */
  unplug(): void {
    this.#isPlugged = false;
    this.far.line.leave(this.#host);
    this.bus.lost(this.now);
  }

  plug(): void {
    this.#isPlugged = true;
    this.far.line.join(this.#host);
  }

  run(ms: Milliseconds): void {
    const until = later(this.now, ms);
    for (;;) {
      const next = earliest([this.far.next, this.#isPlugged ? this.bus.next(this.now) : later(this.now, idleEvery)]);
      if (next === undefined || next > until) break;
      this.now = instant(Math.max(next, this.now));
      this.far.advance(this.now);
      this.#speak();
    }
    this.now = until;
    this.far.advance(until);
  }

  /** Lets time run on until something is so. @throws where it is not, within `most` ms. */
  runUntil(isSo: () => boolean, most: Milliseconds): void {
    for (const limit = later(this.now, most); !isSo(); this.run(5)) {
      if (this.now >= limit) throw new Error(`not within ${most} ms`);
    }
  }

  #speak(): void {
    const bytes = this.#isPlugged ? this.bus.tick(this.now) : this.bus.idle(this.now);
    for (const [address, session] of this.sessions.entries()) {
      for (const happening of session.take()) this.#hear(address, happening);
    }
    if (!bytes) return;
    this.far.line.say(this.#host, bytes, this.now);
    const until = later(this.now, (bytes.length * 10_000) / this.#options.baud);
    const frame = frameIn(bytes);
    if (frame) this.spoken.push({ at: this.now, until, frame });
  }

  #hear(address: number, happening: Happening): void {
    this.told.push({ at: this.now, address, happening });
    if (happening.happening !== "card" || happening.stale) return;
    const session = this.sessions[address];
    const { strike = 30 } = this.#options;
    this.#orders += 1;
    session?.want({
      id: `strike ${this.#orders}`,
      command: { command: "OUT", outputs: [{ output: 0, code: 5, timer: strike }] },
      deadline: later(this.now, 3_000),
    });
    for (const command of signalsOf("admit", 0)) {
      session?.want({ id: "signal", command, deadline: later(this.now, 3_000) });
    }
  }

  /** When a reader was asked something, after a moment. */
  asked(address: number, since: Instant = start): readonly Instant[] {
    return this.spoken.filter(({ at, frame }) => at > since && frame.address === address).map(({ at }) => at);
  }

  /**
   * The longest time that a reader was not asked anything, from a moment until now.
   *
   * @param but pauses in which one of these moments is do not count.
   */
  longestPause(address: number, since: Instant, but: readonly Instant[] = []): Milliseconds {
    const times = [since, ...this.asked(address, since), this.now];
    const pauses = times.slice(1).map((until, nth) => ({ from: times[nth] ?? until, until }));
    return Math.max(
      ...pauses
        .filter(({ from, until }) => !but.some((at) => from <= at && at <= until))
        .map(({ from, until }) => until - from),
    );
  }

  addresses(what: Happening["happening"], since: Instant = start): readonly number[] {
    return this.is(what, since)
      .map(({ address }) => address)
      .toSorted((a, b) => a - b);
  }

  is(what: Happening["happening"], since: Instant = start): readonly Told[] {
    return this.told.filter(({ at, happening }) => at >= since && happening.happening === what);
  }

  /** What came of the orders to strikes. */
  results(address: number, since: Instant = start): readonly { readonly at: Instant; readonly result: Result }[] {
    return this.is("result", since).flatMap(({ at, address: whose, happening }) =>
      whose === address && happening.happening === "result" && happening.id.startsWith("strike")
        ? [{ at, result: happening.result }]
        : [],
    );
  }

  strikes(address: number, since: Instant = start): number {
    return this.switched.filter((each) => each.address === address && each.at >= since).length;
  }
}

/** The first frame in what is said, mark and all; undefined: none that is whole. */
export const frameIn = (said: Uint8Array): Frame | undefined => new Deframer().push(said)[0]?.frame;
