import type { Abilities, MemoryLimits } from "../../agent/domain/abilities.ts";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import { type Bolt, type Host, LinkError, type LockDevice, type Memory } from "../driver.ts";
import { Turns } from "../shared/turns.ts";
import { untilAny } from "../shared/until-any.ts";
import { Waiters } from "../shared/waiters.ts";
import { type Approach, boltOf } from "./bolt.ts";
import type { Bridge } from "./bridge.ts";
import { type Device, type Failure, missingOptions, optionsOf } from "./codec-bridge.ts";
import { type Happening, happenings, nothingYet } from "./codec-event.ts";
import {
  boltProperty,
  type Caps,
  capsProperty,
  decodeAvailability,
  decodeState,
  encodeBolt,
  encodeGet,
  encodePin,
  encodeReadBolt,
  encodeReadCaps,
  type LockState,
  placeIn,
} from "./codec-lock.ts";
import { limitsOf } from "./limits.ts";
import { type Conversation, memoryOf } from "./memory.ts";

type Heard = { readonly state: LockState } | { readonly failure: Failure };
type Known = { readonly of: string; readonly limits: MemoryLimits; readonly users: number };

export interface LockParts {
  readonly address: string;
  readonly bridge: Bridge;
  readonly host: Pick<Host, "clock" | "log">;
  readonly timeout: Milliseconds;
  readonly exposePin: boolean;
  /** Aborted when the link closes. */
  readonly closing: AbortSignal;
  publish(topic: string, text: string): Promise<void>;
  report(event: Happening | { readonly event: "online" | "offline" }): void;
}

/** One lock behind zigbee2mqtt. One command at a time: nothing on this wire tells two answers apart. */
export class ZigbeeLock implements LockDevice {
  readonly memory: Memory;
  readonly #parts: LockParts;
  readonly #bolt: Bolt;
  readonly #turns = new Turns();
  readonly #heard: Waiters<Heard>;
  #known: Known | undefined;
  #undelivered = 0;
  #available: "online" | "offline" | undefined;
  #told: "online" | "offline" | undefined;
  /** The IEEE address of the lock of which that was told. */
  #toldOf: string | undefined;
  #repeated = nothingYet;

  constructor(parts: LockParts) {
    this.#parts = parts;
    this.#heard = new Waiters(parts.host.clock);
    this.memory = memoryOf(
      parts.address,
      (signal, talk) => this.#turn(signal, async (within) => talk(await this.#converse(within))),
      parts.host.clock,
    );
    this.#bolt = boltOf({
      name: parts.address,
      clock: parts.host.clock,
      closing: parts.closing,
      approach: (signal) => this.#approach(signal),
    });
  }

  /** As long as the lock is not known, it has what a lock has. */
  get bolt(): Bolt | undefined {
    return this.#parts.bridge.device(this.#parts.address)?.bolt === false ? undefined : this.#bolt;
  }

  async abilities(signal: AbortSignal): Promise<Abilities> {
    return this.#turn(signal, async (within) => {
      const device = await this.#device(within);
      this.#known = undefined;
      const { limits } = await this.#learn(device, within);
      return {
        identity: device.ieee,
        ...(device.model === undefined ? {} : { model: device.model }),
        memory: limits,
        ...(device.bolt ? { bolt: { locks: true } } : {}),
      };
    });
  }

  /** A message on its own topic. One that the broker kept tells what once was. */
  heardState(text: string, retained: boolean): void {
    const state = retained ? undefined : decodeState(text);
    if (!state) return;
    // An answer is a sign of life, which zigbee2mqtt itself tells of a moment later.
    if (this.#available === "offline" && (state.users || state[capsProperty] || state[boltProperty]))
      this.#available = "online";
    this.tell();
    this.#heard.hear({ state });
    const { happened, now } = happenings(state, this.#repeated);
    this.#repeated = now;
    for (const happening of happened) this.#parts.report(happening);
  }

  heardAvailability(text: string): void {
    this.#available = decodeAvailability(text);
    this.tell();
  }

  failed(failure: Failure): void {
    if (failure.verb === "set" && failure.key === "pin_code") this.#undelivered += 1;
    this.#heard.hear({ failure });
  }

  /** Reports whether it can be reached, where that is news. */
  tell(): void {
    const { bridge, address } = this.#parts;
    const device = bridge.device(address);
    const online = bridge.isReady && device !== undefined && this.#available !== "offline";
    const is = online ? "online" : "offline";
    // Another lock that was given this name is news, too: whoever listens asks it who it is.
    const isOther = device !== undefined && this.#toldOf !== undefined && device.ieee !== this.#toldOf;
    this.#toldOf = device?.ieee ?? this.#toldOf;
    if ((is === this.#told && !isOther) || (this.#told === undefined && !bridge.isReady && !bridge.isOffline)) return;
    this.#told = is;
    this.#parts.report({ event: is });
  }

  async #turn<T>(signal: AbortSignal, work: (within: AbortSignal) => Promise<T>): Promise<T> {
    return untilAny([signal, this.#parts.closing], (within) => this.#turns.take(() => work(within), within));
  }

  async #device(signal: AbortSignal): Promise<Device> {
    const { bridge, address } = this.#parts;
    await bridge.ready(signal);
    const device = bridge.device(address);
    if (!device) {
      throw new LinkError(`zigbee2mqtt has no device called ${address}`, {
        sent: false,
        hint: "give its friendly name or its IEEE address, as zigbee2mqtt lists it",
      });
    }
    if (device.pins) return device;
    throw new LinkError(`zigbee2mqtt knows no PINs for ${address}`, {
      sent: false,
      hint: "check that it is a lock with a keypad, and its interview in zigbee2mqtt",
    });
  }

  async #converse(signal: AbortSignal): Promise<Conversation> {
    const device = await this.#device(signal);
    const { users } = await this.#learn(device, signal);
    const undelivered = (): number => this.#undelivered;
    return {
      users,
      reachable: this.#available !== "offline",
      get undelivered() {
        return undelivered();
      },
      send: (user, digits) => this.#parts.publish(`${device.name}/set`, encodePin(user, digits)),
      ask: (user) =>
        this.#exchange(`${device.name}/get`, encodeGet(user), signal, (heard) =>
          "state" in heard ? heard.state.users?.[user] : undefined,
        ),
    };
  }

  async #approach(signal: AbortSignal): Promise<Approach> {
    const device = await this.#device(signal);
    if (!device.bolt) throw new LinkError(`zigbee2mqtt moves no bolt of ${this.#parts.address}`, { sent: false });
    await this.#makeBelievable(device, signal);
    return {
      ask: () =>
        this.#exchange(`${device.name}/set`, encodeReadBolt(), signal, (heard) => {
          const told = "state" in heard ? heard.state[boltProperty] : undefined;
          return told && placeIn(told);
        }),
      send: (to) => this.#parts.publish(`${device.name}/set`, encodeBolt(to)),
    };
  }

  /** Sees to it that the lock's answers can be believed. Whether something had to be changed for that. */
  async #makeBelievable(device: Device, signal: AbortSignal): Promise<boolean> {
    const { bridge } = this.#parts;
    // A change of nothing makes zigbee2mqtt say its configuration, where the broker has lost it.
    if (!bridge.info) await bridge.setOptions(device, {}, signal);
    const missing = this.#missing(device);
    if (missing) await bridge.setOptions(device, missing, signal);
    return missing !== undefined;
  }

  /**
   * Sees to it that the lock's answers can be believed, and asks it what it is able to: once after each start of
   * zigbee2mqtt, and whenever its options were changed. The question comes after the options, because the first message
   * after they change may still hold what zigbee2mqtt had kept.
   */
  async #learn(device: Device, signal: AbortSignal): Promise<Known> {
    const { bridge } = this.#parts;
    const known = this.#known;
    const wasChanged = await this.#makeBelievable(device, signal);
    const of = `${device.ieee} ${bridge.starts}`;
    if (known && known.of === of && !wasChanged) return known;
    const caps = (await this.#caps(device, signal)) ?? (await this.#caps(device, signal));
    if (!caps) {
      throw new LinkError(`${this.#parts.address} does not answer`, {
        sent: false,
        hint: "check the lock's batteries, its distance to a router, and that advanced.output of zigbee2mqtt is json",
      });
    }
    const { limits, users, assumed } = limitsOf(device, caps, this.#saysPins(device));
    if (assumed)
      this.#parts.host.log.warn({ lock: this.#parts.address, users }, "the lock does not say how many PINs it takes");
    this.#known = { of, limits, users };
    return this.#known;
  }

  #missing(device: Device): ReturnType<typeof missingOptions> {
    const { info } = this.#parts.bridge;
    return missingOptions(info ? optionsOf(info, device.ieee) : {}, this.#parts.exposePin && device.exposesPins);
  }

  #saysPins(device: Device): boolean {
    const { info } = this.#parts.bridge;
    return device.exposesPins && info !== undefined && optionsOf(info, device.ieee).expose_pin === true;
  }

  /** The lock's own word on its memory: empty where it has none to say. */
  #caps(device: Device, signal: AbortSignal): Promise<Caps | undefined> {
    return this.#exchange(`${device.name}/set`, encodeReadCaps(), signal, (heard) => {
      if ("state" in heard) return heard.state[capsProperty];
      return heard.failure.key === "read" && heard.failure.why === "unsupported" ? {} : undefined;
    });
  }

  async #exchange<T>(
    topic: string,
    text: string,
    signal: AbortSignal,
    match: (heard: Heard) => T | undefined,
  ): Promise<T | undefined> {
    const answer = this.#heard.next(match, this.#parts.timeout, signal);
    // Where publishing fails, that is the error, and no one waits for the answer.
    answer.catch(() => undefined);
    await this.#parts.publish(topic, text);
    return answer;
  }
}
