import { type Exposure, type Host, type Link, LinkError, type LinkEvent, type LockDevice } from "../driver.ts";
import { untilAny } from "../shared/until-any.ts";
import { Bridge } from "./bridge.ts";
import { decodeFailure } from "./codec-bridge.ts";
import { exposuresOf } from "./exposures.ts";
import { ZigbeeLock } from "./lock.ts";
import type { Options } from "./options.ts";
import { type Listener, Wire } from "./wire.ts";

/** All locks behind one zigbee2mqtt. */
export class Zigbee2mqttLink implements Link, Listener {
  readonly atOnce = "unlimited";
  readonly #options: Options;
  readonly #host: Host;
  readonly #bridge: Bridge;
  readonly #locks = new Map<string, ZigbeeLock>();
  /** The friendly name under which we listen to a lock: it may be given another one while we run. */
  readonly #names = new Map<string, string>();
  readonly #closing = new AbortController();
  #wire: Wire | undefined;
  #reported: Promise<void> = Promise.resolve();

  constructor(options: Options, host: Host) {
    this.#options = options;
    this.#host = host;
    this.#bridge = new Bridge(host.clock, options.timeout_ms, {
      publish: (topic, text) => this.#publish(topic, text),
      changed: () => this.#look(),
    });
  }

  /** Rejects with {@link LinkError} where the broker is away. */
  async connect(): Promise<void> {
    const wire = await Wire.open(this.#options, this.#host.log, this);
    this.#wire = wire;
    await wire.subscribe(this.#bridge.topics.map((topic) => this.#full(topic)));
  }

  lock(address: string): LockDevice {
    const known = this.#locks.get(address);
    if (known) return known;
    const lock = new ZigbeeLock({
      address,
      bridge: this.#bridge,
      host: this.#host,
      timeout: this.#options.timeout_ms,
      exposePin: this.#options.expose_pin,
      closing: this.#closing.signal,
      publish: (topic, text) => this.#publish(topic, text),
      report: (event) => this.#report({ at: this.#host.clock.now(), address, ...event }),
    });
    this.#locks.set(address, lock);
    this.#look();
    return lock;
  }

  async exposures(signal: AbortSignal): Promise<readonly Exposure[]> {
    const info = await untilAny([signal, this.#closing.signal], async (within) => {
      await this.#bridge.ready(within);
      return this.#bridge.settings(within);
    });
    const locks = [...this.#locks.keys()].flatMap((address) => {
      const device = this.#bridge.device(address);
      return device ? [{ address, device }] : [];
    });
    return exposuresOf(info, locks, this.#options.base_topic);
  }

  heard(topic: string, text: string, retained: boolean): void {
    const base = `${this.#options.base_topic}/`;
    if (!topic.startsWith(base)) return;
    const rest = topic.slice(base.length);
    if (rest === "bridge/logging") return this.#heardFailure(text);
    if (rest.startsWith("bridge/")) return this.#bridge.hear(rest, text, retained);
    for (const [address, name] of this.#names) {
      if (rest === name) this.#locks.get(address)?.heardState(text, retained);
      if (rest === `${name}/availability`) this.#locks.get(address)?.heardAvailability(text);
    }
  }

  connected(): void {
    this.#host.log.info({}, "the broker of zigbee2mqtt is back");
  }

  disconnected(): void {
    this.#bridge.lost();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkError("the link to zigbee2mqtt is closed"));
    this.#bridge.close();
    const wire = this.#wire;
    this.#wire = undefined;
    await wire?.close();
  }

  #heardFailure(text: string): void {
    const failure = decodeFailure(text);
    if (!failure) return;
    for (const [address, name] of this.#names) if (name === failure.lock) this.#locks.get(address)?.failed(failure);
  }

  /** Looks at every lock again: what zigbee2mqtt says of itself or of its devices has changed. */
  #look(): void {
    for (const [address, lock] of this.#locks) {
      const name = this.#bridge.device(address)?.name;
      if (name !== undefined && name !== this.#names.get(address)) this.#follow(address, name);
      lock.tell();
    }
  }

  #follow(address: string, name: string): void {
    const old = this.#names.get(address);
    this.#names.set(address, name);
    const topics = (of: string): string[] => [this.#full(of), this.#full(`${of}/availability`)];
    const followed = async (): Promise<void> => {
      if (old !== undefined) await this.#wire?.unsubscribe(topics(old));
      await this.#wire?.subscribe(topics(name));
    };
    followed().catch((error: unknown) => this.#host.log.warn({ lock: address, error }, "cannot listen to the lock"));
  }

  async #publish(topic: string, text: string): Promise<void> {
    if (!this.#wire) throw new LinkError("the link to zigbee2mqtt is closed", { sent: false });
    await this.#wire.publish(this.#full(topic), text);
  }

  /** One after the other, so that they are committed in the order in which they happened. */
  #report(event: LinkEvent): void {
    this.#reported = this.#reported
      .then(() => this.#host.report(event))
      .catch((error: unknown) => this.#host.log.error({ error, event: event.event }, "cannot report what a lock told"));
  }

  #full(topic: string): string {
    return `${this.#options.base_topic}/${topic}`;
  }
}
