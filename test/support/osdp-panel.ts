import { earliest, type Instant, instant, later } from "../../agent/domain/instant.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import type { Happening } from "../../drivers/osdp/happening.ts";
import { Key } from "../../drivers/osdp/key.ts";
import { Session } from "../../drivers/osdp/session.ts";
import type { SessionOptions } from "../../drivers/osdp/session-options.ts";
import { seeded } from "../../simulator/faults.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { OsdpBus } from "../../simulator/osdp-bus.ts";
import { usualHardware } from "../../simulator/osdp-device.ts";
import { OsdpKeyring } from "../../simulator/osdp-keyring.ts";
import type { Station } from "../../simulator/osdp-line.ts";
import { OsdpReader, type OsdpSight } from "../../simulator/osdp-reader.ts";

/** When a reader begins to answer, and how long a frame may pause (reference 1.5), in milliseconds. */
const replyLimit = 200;
const gapLimit = 150;

export interface OsdpPanelOptions {
  readonly seed: number;
  readonly baud?: number;
  /** The key of both; the default one of a test where nothing is said. */
  readonly own?: Uint8Array | "none";
  readonly behaviour?: Partial<Behaviour>;
  readonly session?: Partial<SessionOptions>;
}

/**
 * The driver's session with one reader, and a simulated reader with a session code of its own, on a paced line, in a time
 * of their own: hours take moments, and nothing is left to the machine.
 */
export class OsdpPanel implements Station {
  readonly bus: OsdpBus;
  readonly baud: number;
  readonly reader: OsdpReader;
  readonly session: Session;
  readonly happenings: (Happening & { readonly at: Instant })[] = [];
  readonly sights: OsdpSight[] = [];
  now: Instant = instant(1_790_000_000_000);
  readonly #deframer = new Deframer();
  /** When the frame that is waited for can come no more. */
  #limit: Instant | undefined;

  constructor({ seed, baud = 38_400, own = defaultKey, behaviour = {}, session = {} }: OsdpPanelOptions) {
    const random = seeded(seed);
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256);
    this.baud = baud;
    this.bus = new OsdpBus({ random });
    this.reader = new OsdpReader(
      {
        address: 1,
        baud,
        keyring: new OsdpKeyring(own === "none" ? undefined : own),
        hardware: usualHardware,
        cuid: bytes(8),
        random: () => bytes(8),
        pace: random,
        behaviour,
        see: (sight) => this.sights.push(sight),
      },
      this.now,
    );
    this.bus.line.join(this);
    this.bus.join(this.reader);
    this.session = new Session({
      address: 1,
      check: "crc",
      security: "required",
      keys: own === "none" ? [] : [new Key(own)],
      random: bytes,
      pollEvery: 50,
      ...session,
    });
  }

  readonly hear = (bytes: Uint8Array, at: Instant): void => {
    for (const received of this.#deframer.push(bytes)) if (this.session.hear(received, at)) this.#limit = undefined;
    if (this.#limit !== undefined && this.#deframer.waiting > 0) this.#limit = later(at, gapLimit);
    this.#take(at);
  };

  /** Lets time run on. */
  run(ms: number): void {
    const until = later(this.now, ms);
    for (let next = this.#next(); next <= until; next = this.#next()) {
      this.now = next;
      this.bus.advance(next);
      this.#turn();
    }
    this.now = until;
  }

  /** Lets time run on until something is so. @throws where it is not, within `most` ms. */
  runUntil(isSo: () => boolean, most: number): void {
    const limit = later(this.now, most);
    while (!isSo()) {
      if (this.now >= limit) throw new Error(`not within ${most} ms`);
      this.run(5);
    }
  }

  /** Cards that the panel was told of, in order. */
  get cards(): readonly { readonly bits: string; readonly stale: boolean }[] {
    return this.happenings.flatMap((each) =>
      each.happening === "card" ? [{ bits: each.card.reveal(), stale: each.stale }] : [],
    );
  }

  #next(): Instant {
    const asked = this.session.isAwaiting ? this.#limit : this.session.due(this.now);
    const next = earliest([this.bus.next, asked]) ?? later(this.now, 100);
    // What is due already is due once in a while: it may have nothing to say.
    return instant(Math.max(next, this.now + 0.01));
  }

  #turn(): void {
    if (this.session.isAwaiting) {
      if (this.#limit === undefined || this.#limit > this.now) return this.session.tick(this.now);
      this.#limit = undefined;
      const [late] = this.#deframer.gap();
      if (!late || !this.session.hear(late, this.now)) this.session.silence(this.now);
    }
    const bytes = this.session.turn(this.now);
    this.#take(this.now);
    if (!bytes) return;
    this.bus.line.say(this, bytes, this.now);
    this.#limit = later(this.now, (bytes.length * 10_000) / this.baud + replyLimit);
  }

  #take(at: Instant): void {
    for (const happening of this.session.take()) this.happenings.push({ ...happening, at });
  }
}

export const defaultKey = Uint8Array.from({ length: 16 }, (_, index) => (index * 37 + 11) % 256);
