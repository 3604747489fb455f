import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { SerialPort } from "serialport";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { ChangeOutcome, LinkStanding, WireFrames } from "../../agent/domain/wire-tools.ts";
import {
  type Clock,
  type Exposure,
  type Host,
  type Link,
  LinkError,
  type LinkEvent,
  type LockDevice,
  type ReaderAnswer,
} from "../driver.ts";
import { keepPort, portToOpen, portToReopen } from "../shared/port.ts";
import { openSerialLine, type SerialLine } from "../shared/serial-line.ts";
import { untilAny } from "../shared/until-any.ts";
import { AddressChange } from "./address-change.ts";
import { Bus, usualTimes } from "./bus.ts";
import type { Happening } from "./happening.ts";
import { KeyChange } from "./key-change.ts";
import type { Options, ReaderOptions } from "./options.ts";
import { deafFor, Pump } from "./pump.ts";
import { ReaderDevice } from "./reader-device.ts";
import { ReaderKeys } from "./reader-keys.ts";
import { Recording } from "./recording.ts";
import { Session } from "./session.ts";
import { Simulator } from "./simulator.ts";
import { steadyClock } from "./steady-clock.ts";
import { suspicionWords } from "./suspicions.ts";

/** An adapter that was pulled out is looked for this often; one that cannot be opened is given more and more time. */
const firstPause: Milliseconds = 500;
const lastPause: Milliseconds = 30_000;

interface Station {
  readonly address: string;
  readonly options: ReaderOptions;
  readonly session: Session;
  readonly device: ReaderDevice;
  readonly change: KeyChange;
  readonly move: AddressChange;
}

/** All readers of one line. */
export class OsdpLink implements Link {
  /** One is asked at a time, for some milliseconds: nobody holds the line while he waits. */
  readonly atOnce = "unlimited";
  /** Where all its readers are simulated. */
  readonly act?: NonNullable<Link["act"]>;
  readonly #options: Options;
  readonly #host: Host;
  readonly #names: string;
  readonly #keys: ReaderKeys;
  readonly #stations: ReadonlyMap<string, Station>;
  readonly #bus: Bus;
  /** Of what happens on the line. What is told has the time of day. */
  readonly #clock: Clock;
  readonly #recording: Recording;
  readonly #pump: Pump;
  readonly #simulator: Simulator | undefined;
  readonly #closing = new AbortController();
  #line: SerialLine | undefined;
  /** Readers of which it was said that we have no key for them. */
  readonly #unpaired = new Set<string>();
  #keeping: Promise<unknown> = Promise.resolve();
  #reported: Promise<void> = Promise.resolve();

  /** @param names where serial devices are named by what they are. @throws LinkError of {@link ReaderKeys}. */
  constructor(options: Options, host: Host, names: string) {
    this.#options = options;
    this.#host = host;
    this.#names = names;
    this.#clock = steadyClock(host.clock);
    this.#keys = new ReaderKeys(host.state, options.keys_file);
    this.#recording = new Recording(host.clock);
    const simulator = options.simulator === undefined ? undefined : new Simulator(options.simulator, host.clock);
    this.#simulator = simulator;
    if (simulator) this.act = (address, act) => simulator.act(address, act, this.#closing.signal);
    const stations = Object.entries(options.readers).map(([address, reader]) => this.#station(address, reader));
    this.#stations = new Map(stations.map((station) => [station.address, station]));
    for (const station of stations) this.#warn(station);
    const times = { baud: options.baud, replyWithin: usualTimes.replyWithin, gap: options.gap_ms };
    this.#bus = new Bus(
      stations.map(({ session }) => session),
      times,
      this.#recording,
    );
    const givesUpAfter = options.port.startsWith("tcp:") ? deafFor : undefined;
    this.#pump = new Pump(this.#bus, this.#clock, () => this.#hear(), givesUpAfter);
  }

  /** Rejects with {@link LinkError} where the line cannot be opened. */
  async connect(): Promise<void> {
    const { port } = this.#options;
    const opened = portToOpen(port, this.#names, this.#host.state);
    const line = await this.#open(opened);
    keepPort(port, opened, this.#host.state);
    this.#keeping = this.#keep(line);
  }

  lock(address: string): LockDevice {
    return this.#stations.get(address)?.device ?? unconfigured(address);
  }

  async exposures(): Promise<readonly Exposure[]> {
    return [...this.#stations.values()].flatMap(({ address, options }) =>
      options.security === "required"
        ? []
        : [
            {
              address,
              problem: "its cards and PINs are on the line in clear, and whoever is on the line can say that he is it",
              cure: 'give it a key in keys_file, and set "security": "required" for it',
            },
          ],
    );
  }

  standing(): LinkStanding {
    const addresses = [...this.#stations.values()].map(({ address, options: { security }, session }) => {
      const up = security === "required" ? "secure" : "clear";
      const state = session.isOnline ? up : this.#unpaired.has(address) ? "unpaired" : "offline";
      return [address, { state, counts: session.counts }] as const;
    });
    return { wire: this.#bus.counts, addresses: Object.fromEntries(addresses) };
  }

  async pair(address: string, within: Milliseconds, signal: AbortSignal): Promise<ChangeOutcome> {
    return this.#whileOpen(signal, (until) => this.#known(address).change.pair(within, until));
  }

  async rotateKey(address: string, signal: AbortSignal): Promise<ChangeOutcome> {
    return this.#whileOpen(signal, (until) => this.#known(address).change.rotate(until));
  }

  async readdress(address: string, to: string, signal: AbortSignal): Promise<ChangeOutcome> {
    const isTaken = this.#stations.has(to);
    return this.#whileOpen(signal, (until) => this.#known(address).move.to(Number(to), isTaken, until));
  }

  /** What is asked for here ends with the link. */
  #whileOpen<T>(signal: AbortSignal, work: (until: AbortSignal) => Promise<T>): Promise<T> {
    return untilAny([signal, this.#closing.signal], work);
  }

  frames(after: number | undefined): WireFrames {
    return this.#recording.ask(after);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkError("the link to the line of readers is closed", { sent: true }));
    await this.#keeping;
    for (const { session } of this.#stations.values()) session.close(this.#clock.now());
    this.#hear();
    await this.#reported;
  }

  #station(address: string, options: ReaderOptions): Station {
    const host = this.#host;
    const session = new Session({
      address: Number(address),
      check: options.check,
      security: options.security,
      keys: this.#keys.of(address),
      random: (length) => Uint8Array.from(randomBytes(length)),
      pollEvery: this.#options.poll_ms,
      overhears: this.#recording,
    });
    const report = (event: Parameters<ConstructorParameters<typeof ReaderDevice>[0]["report"]>[0]): void =>
      this.#report({ at: host.clock.now(), address, ...event });
    const wake = (): void => this.#pump.wake();
    const clock = this.#clock;
    const answered = (decision: ReaderAnswer): void => this.#simulator?.answered(address, decision);
    const inDoubt = (): void => this.#cut();
    const parts = { address, options, session, host: { clock, log: host.log }, wake, report, answered, inDoubt };
    const device = new ReaderDevice(parts);
    const change = new KeyChange({ security: options.security, session, clock, wake });
    const keepKeysAt = (other: string): void => this.#keys.keepAt(address, other);
    const move = new AddressChange({ session, baud: this.#options.baud, clock, wake, keepKeysAt });
    return { address, options, session, device, change, move };
  }

  /** @throws LinkError. */
  #known(address: string): Station {
    const station = this.#stations.get(address);
    if (station) return station;
    throw notConfigured(address);
  }

  #warn({ address, options: { strike } }: Station): void {
    if (!strike) return;
    const hint = "drive the strike from a relay inside, as the bolt of the device";
    this.#host.log.warn(
      { address, hint },
      "this reader moves the strike itself: who takes it off the wall outside can open",
    );
  }

  async #open(port: string): Promise<SerialLine> {
    try {
      return await openSerialLine(port, { Port: SerialPort, baudRate: this.#options.baud });
    } catch (cause) {
      throw new LinkError(`the line of readers at ${port} cannot be opened`, {
        sent: false,
        hint: "check that the adapter is plugged in, and that latchd may use it (group dialout)",
        cause,
      });
    }
  }

  /** Stays with a line for as long as it is there, and finds it again when it is back. */
  async #keep(first: SerialLine): Promise<void> {
    const closing = this.#closing.signal;
    for (let line: SerialLine | undefined = first; line; line = await this.#again()) {
      this.#line = line;
      await this.#pump.run(line, closing);
      if ([...this.#stations.values()].some(({ device }) => device.isOrdering)) this.#cut();
      await line.close();
      if (closing.aborted) return;
      this.#host.log.warn({ port: this.#options.port }, "the line of readers is gone; waiting for it");
    }
  }

  /** What a connection has taken it brings when it can, and nobody wants a door opened then (Law 10). */
  #cut(): void {
    this.#line?.cut?.();
  }

  async #again(): Promise<SerialLine | undefined> {
    const closing = this.#closing.signal;
    const { clock, state, log } = this.#host;
    for (let pause = firstPause; ; ) {
      await clock.sleep(pause, closing).catch(() => undefined);
      if (closing.aborted) return undefined;
      this.#pump.idle();
      const port = portToReopen(this.#options.port, state);
      if (!port.startsWith("tcp:") && !existsSync(port)) continue;
      try {
        const line = await this.#open(port);
        log.info({ port }, "the line of readers is back");
        return line;
      } catch (error) {
        log.debug({ port, error }, "the line of readers cannot be opened; trying again");
        pause = Math.min(pause * 2, lastPause);
      }
    }
  }

  #hear(): void {
    for (const station of this.#stations.values()) {
      for (const happening of station.session.take()) {
        this.#mind(station, happening);
        station.device.hear(happening);
        station.change.hear(happening);
        station.move.hear(happening);
      }
    }
  }

  /** What is about keys and about who keeps the rules. */
  #mind({ address }: Station, happening: Happening): void {
    this.#keys.mind(address, happening);
    if (happening.happening === "key_sent") this.#host.log.info({ address }, "a reader is sent a new key");
    if (happening.happening === "key_proven") this.#host.log.info({ address }, "a reader has proven which key it has");
    if (happening.happening === "pairing_over") {
      this.#host.log.info({ address, paired: happening.paired }, "the pairing of a reader is over");
    }
    if (happening.happening === "online") this.#unpaired.delete(address);
    if (happening.happening === "unpaired") this.#sayUnpaired(address);
    if (happening.happening !== "suspect") return;
    const problem = suspicionWords[happening.why];
    this.#host.log[happening.alarm ? "error" : "warn"](
      { address, problem },
      "somebody on the line does not keep the rules of OSDP",
    );
    if (happening.alarm) this.#report({ at: this.#host.clock.now(), address, event: "alarm", problem });
  }

  #sayUnpaired(address: string): void {
    if (this.#unpaired.has(address)) return;
    this.#unpaired.add(address);
    const hint = "pair it with npx latchd osdp pair, or give its key in keys_file";
    this.#host.log.warn({ address, hint }, "a reader is there, and we have no key for it");
  }

  /** One after the other, so that they are committed in the order in which they happened. */
  #report(event: LinkEvent): void {
    this.#reported = this.#reported
      .then(() => this.#host.report(event))
      .catch((error: unknown) =>
        this.#host.log.error({ error, event: event.event }, "cannot report what a reader told"),
      );
  }
}

const unconfigured = (address: string): LockDevice => ({ abilities: () => Promise.reject(notConfigured(address)) });

const notConfigured = (address: string): LinkError =>
  new LinkError(`there is no reader ${address} in the configuration of the line`, {
    sent: false,
    hint: `add "${address}" to its readers`,
  });
