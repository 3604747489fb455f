import { randomBytes } from "node:crypto";
import { earliest, type Instant, instant, later } from "../../agent/domain/instant.ts";
import type { Secret } from "../../agent/domain/secret.ts";
import type { Clock, DriverState } from "../../drivers/driver.ts";
import { Bus, usualTimes } from "../../drivers/osdp/bus.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import type { Happening } from "../../drivers/osdp/happening.ts";
import { Key } from "../../drivers/osdp/key.ts";
import type { Overhears } from "../../drivers/osdp/overhears.ts";
import { ReaderKeys } from "../../drivers/osdp/reader-keys.ts";
import { Recording } from "../../drivers/osdp/recording.ts";
import { Session } from "../../drivers/osdp/session.ts";
import { seeded } from "../../simulator/faults.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { OsdpBus } from "../../simulator/osdp-bus.ts";
import { usualHardware } from "../../simulator/osdp-device.ts";
import { HostEnd } from "../../simulator/osdp-host-end.ts";
import { OsdpKeyring } from "../../simulator/osdp-keyring.ts";
import { OsdpReader } from "../../simulator/osdp-reader.ts";

export interface OsdpSiteOptions {
  /** `none`: it waits to be installed. */
  readonly own?: Uint8Array | "none";
  readonly security?: "required" | "clear";
  readonly behaviour?: Partial<Behaviour>;
  readonly baud?: number;
}

/**
 * A panel with its keys on disk, which can be killed and started again at any moment, and one simulated reader at address 0,
 * on a paced line in a time of their own.
 */
export class OsdpSite {
  readonly far = new OsdpBus({ random: seeded(1) });
  readonly reader: OsdpReader;
  readonly recording: Recording;
  readonly happenings: Happening[] = [];
  readonly clock: Clock;
  /** What is on the panel's disk. */
  readonly disk = new Map<string, Secret>();
  /** Asked before the panel speaks: whether it is killed with that on its lips. */
  isCut: () => boolean = () => false;
  /** Whole frames that were on the wire, without marks, in order. */
  readonly wire: Uint8Array[] = [];
  readonly #witness = new Deframer();
  now: Instant = instant(1_790_000_000_000);
  session: Session;
  readonly #options: Required<Pick<OsdpSiteOptions, "security" | "baud">>;
  readonly #host: HostEnd;
  #bus: Bus;

  constructor({ own, security = "required", behaviour = {}, baud = 38_400 }: OsdpSiteOptions = {}) {
    const key = own ?? Uint8Array.from(randomBytes(16));
    this.#options = { security, baud };
    this.clock = { now: () => this.now, sleep: (_, signal) => sleepers(signal) };
    this.recording = new Recording(this.clock);
    this.reader = new OsdpReader(
      {
        address: 0,
        baud,
        keyring: new OsdpKeyring(key === "none" ? undefined : key),
        hardware: usualHardware,
        cuid: new Uint8Array(8),
        random: () => Uint8Array.from(randomBytes(8)),
        pace: seeded(2),
        behaviour,
      },
      this.now,
    );
    this.far.join(this.reader);
    this.#host = new HostEnd({ baud, deliver: (bytes, at) => this.#deliver(bytes, at) });
    this.far.connect(this.#host);
    this.far.line.join({
      baud,
      hear: (bytes) => void this.wire.push(...this.#witness.push(bytes).map((one) => one.bytes)),
    });
    if (key !== "none") this.#keys.mind("0", { happening: "key_proven", key: new Key(key) });
    [this.session, this.#bus] = this.#start();
  }

  /** The keys that are on the panel's disk, hex. */
  get kept(): readonly string[] {
    return this.#keys.of("0").map((key) => Buffer.from(key.reveal()).toString("hex"));
  }

  /** The panel is killed, in the middle of what it says, and started again. */
  restart(): void {
    this.far.line.leave(this.#host);
    this.far.line.join(this.#host);
    [this.session, this.#bus] = this.#start();
  }

  /** Somebody else at the line says something, as soon as it is quiet. */
  disturb(bytes: Uint8Array): void {
    this.runUntil(() => this.far.line.next === undefined);
    const { baud } = this.#options;
    this.far.line.say({ baud, hear: () => undefined }, bytes, this.now);
  }

  run(ms: number): this {
    const until = later(this.now, ms);
    for (let next = this.#next(); next <= until; next = this.#next()) {
      this.now = next;
      this.far.advance(next);
      this.#turn();
    }
    this.now = until;
    return this;
  }

  /** @throws where it is not so within `most` ms. */
  runUntil(isSo: () => boolean, most = 10_000): this {
    for (const limit = later(this.now, most); !isSo(); this.run(5)) {
      if (this.now >= limit) throw new Error(`not within ${most} ms`);
    }
    return this;
  }

  #turn(): void {
    const bytes = this.#bus.tick(this.now);
    this.#mind();
    if (bytes && !this.isCut()) this.far.line.say(this.#host, bytes, this.now);
  }

  #deliver(bytes: Uint8Array, at: Instant): void {
    this.now = at;
    this.#bus.onBytes(bytes, at);
    this.#mind();
  }

  #mind(): void {
    for (const happening of this.session.take()) {
      this.#keys.mind("0", happening);
      this.happenings.push(happening);
    }
  }

  #next(): Instant {
    const next = earliest([this.far.next, this.#bus.next(this.now)]) ?? later(this.now, 100);
    return instant(Math.max(next, this.now));
  }

  get #keys(): ReaderKeys {
    const { disk } = this;
    const state: DriverState = {
      get: (key) => disk.get(key),
      set: (key, value) => void disk.set(key, value),
      delete: (key) => void disk.delete(key),
      directory: "/nowhere",
    };
    return new ReaderKeys(state, undefined);
  }

  #start(): [Session, Bus] {
    const overhears: Overhears = this.recording;
    const session = new Session({
      address: 0,
      check: "crc",
      security: this.#options.security,
      keys: this.#keys.of("0"),
      random: (length) => Uint8Array.from(randomBytes(length)),
      pollEvery: 50,
      overhears,
    });
    return [session, new Bus([session], { baud: this.#options.baud, ...usualTimes }, overhears)];
  }
}

const sleepers = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
