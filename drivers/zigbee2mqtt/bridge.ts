import { randomUUID } from "node:crypto";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import { type Clock, LinkError } from "../driver.ts";
import { Waiters } from "../shared/waiters.ts";
import {
  type BridgeInfo,
  type BridgeResponse,
  type Device,
  type DeviceOptions,
  decodeBridgeState,
  decodeDevices,
  decodeInfo,
  decodeResponse,
  encodeOptions,
} from "./codec-bridge.ts";

/** Longer than from `bridge/state` to `bridge/devices` on a slow gateway. */
const grace: Milliseconds = 3000;

interface Told {
  publish(topic: string, text: string): Promise<void>;
  /** Something of it is different now. */
  changed(): void;
}

/**
 * zigbee2mqtt itself, as far as it has said.
 *
 * It says that it is online before it listens to anyone: what is sent to it then is lost. So it is ready only with a
 * `bridge/devices` after that (lock-interfaces, 1.3.7). Where it has lost its broker for a moment it does not say its
 * devices again: then the last known will do, after a while.
 */
export class Bridge {
  readonly topics = ["state", "devices", "info", "logging", "response/device/options"].map((name) => `bridge/${name}`);
  readonly #clock: Clock;
  readonly #timeout: Milliseconds;
  readonly #told: Told;
  readonly #responses: Waiters<BridgeResponse>;
  readonly #readiness: Waiters<true>;
  readonly #settings: Waiters<BridgeInfo>;
  #online: boolean | undefined;
  #described = false;
  #wasReady = false;
  #devices: readonly Device[] | undefined;
  #info: BridgeInfo | undefined;
  #starts = 0;
  #grace = new AbortController();

  constructor(clock: Clock, timeout: Milliseconds, told: Told) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#told = told;
    this.#responses = new Waiters(clock);
    this.#readiness = new Waiters(clock);
    this.#settings = new Waiters(clock);
  }

  get isReady(): boolean {
    return this.#online === true && this.#described;
  }

  get isOffline(): boolean {
    return this.#online === false;
  }

  /** How many times it has become ready: what was learned before may have changed since. */
  get starts(): number {
    return this.#starts;
  }

  get info(): BridgeInfo | undefined {
    return this.#info;
  }

  /** The device with a friendly name, or an IEEE address. */
  device(address: string): Device | undefined {
    return this.#devices?.find(({ name, ieee }) => name === address || ieee === address);
  }

  /** Takes in what it said on a topic below its base topic. */
  hear(topic: string, text: string, retained: boolean): void {
    switch (topic) {
      case "bridge/state":
        return this.#heardState(decodeBridgeState(text), retained);
      case "bridge/devices":
        return this.#heardDevices(decodeDevices(text));
      case "bridge/info":
        return this.#heardInfo(decodeInfo(text));
      case "bridge/response/device/options": {
        const response = decodeResponse(text);
        if (response) this.#responses.hear(response);
        return;
      }
      default:
    }
  }

  /** Its broker is away, and so is it, for us. */
  lost(): void {
    this.#heardState("offline", false);
  }

  /** Resolves when it takes commands; rejects with {@link LinkError} where it does not within the time for an answer. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.isReady) return;
    if (await this.#readiness.next((ready) => ready, this.#timeout, signal)) return;
    throw new LinkError(this.#online ? "zigbee2mqtt has not listed its devices" : "zigbee2mqtt is not online", {
      sent: false,
      hint: "check that zigbee2mqtt runs on this broker with this base_topic, without mqtt.force_disable_retain",
    });
  }

  /** How it is set up: that comes beside its devices, and perhaps after them. Rejects as {@link ready}. */
  async settings(signal: AbortSignal): Promise<BridgeInfo> {
    const info = this.#info ?? (await this.#settings.next((told) => told, this.#timeout, signal));
    if (info) return info;
    throw new LinkError("zigbee2mqtt has not said how it is set up, in bridge/info", {
      sent: false,
      hint: "check that zigbee2mqtt may publish it retained on this broker",
    });
  }

  /** Sets options of a device: they hold when this resolves. Rejects with {@link LinkError} where they do not. */
  async setOptions(device: Device, wanted: DeviceOptions, signal: AbortSignal): Promise<void> {
    const by = { sent: false, hint: `set ${JSON.stringify(wanted)} for ${device.name} in zigbee2mqtt by hand` };
    // One sent while it starts may be lost, as commands are.
    for (let attempt = 0; attempt < 2; attempt++) {
      const transaction = randomUUID();
      const match = (response: BridgeResponse): BridgeResponse | undefined =>
        response.transaction === transaction ? response : undefined;
      const heard = this.#responses.next(match, this.#timeout, signal);
      heard.catch(() => undefined);
      await this.#told.publish("bridge/request/device/options", encodeOptions(device.ieee, wanted, transaction));
      const response = await heard;
      if (response?.status === "ok") return;
      if (response) throw new LinkError(`zigbee2mqtt refuses the options that ${device.name} needs`, by);
    }
    throw new LinkError(`zigbee2mqtt does not answer a change of options of ${device.name}`, by);
  }

  close(): void {
    this.#grace.abort();
  }

  #heardState(state: "online" | "offline" | undefined, retained: boolean): void {
    if (state === undefined) return;
    this.#grace.abort();
    this.#online = state === "online";
    if (!this.#online || !retained) this.#described = false;
    if (this.#online && !this.#described) this.#startGrace();
    this.#become();
  }

  #heardInfo(info: BridgeInfo | undefined): void {
    if (!info) return;
    this.#info = info;
    this.#settings.hear(info);
  }

  #heardDevices(devices: readonly Device[] | undefined): void {
    if (!devices) return;
    this.#devices = devices;
    this.#described = true;
    this.#become();
  }

  #startGrace(): void {
    this.#grace = new AbortController();
    this.#clock
      .sleep(Math.min(grace, this.#timeout / 2), this.#grace.signal)
      .then(() => this.#takeLastKnown())
      .catch(() => undefined);
  }

  #takeLastKnown(): void {
    this.#described = this.#devices !== undefined;
    this.#become();
  }

  #become(): void {
    if (this.isReady && !this.#wasReady) {
      this.#starts += 1;
      this.#readiness.hear(true);
    }
    this.#wasReady = this.isReady;
    this.#told.changed();
  }
}
