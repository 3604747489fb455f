import type { Clock } from "../../drivers/driver.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";

/** The wire that a device's lock is on, and how many of its locks may be worked on together. */
export interface Lane {
  readonly link: string;
  readonly atOnce: number | "unlimited";
}

/**
 * Devices that are due, each once however often it was added: a thousand commands for one lock are one key. No device is
 * worked on twice at once, and no link on more of its locks than it can bear.
 */
export class Queue {
  readonly #clock: Clock;
  readonly #laneOf: (device: DeviceId) => Lane;
  readonly #work: (device: DeviceId, signal: AbortSignal) => Promise<Instant | undefined>;
  readonly #due = new Set<DeviceId>();
  readonly #running = new Map<DeviceId, Promise<void>>();
  readonly #busy = new Map<string, number>();
  readonly #alarms = new Map<DeviceId, { readonly at: Instant; readonly off: AbortController }>();
  readonly #end = new AbortController();

  /** @param work one round of a device; resolves to when to come back. Must not reject. */
  constructor(
    clock: Clock,
    laneOf: (device: DeviceId) => Lane,
    work: (device: DeviceId, signal: AbortSignal) => Promise<Instant | undefined>,
  ) {
    this.#clock = clock;
    this.#laneOf = laneOf;
    this.#work = work;
  }

  add(device: DeviceId): void {
    if (this.#end.signal.aborted) return;
    this.#silence(device);
    this.#due.add(device);
    this.#pump();
  }

  /** Lets what is running come to its end, and starts nothing more. */
  async close(): Promise<void> {
    this.#end.abort();
    for (const device of this.#alarms.keys()) this.#silence(device);
    await Promise.all(this.#running.values());
  }

  #pump(): void {
    if (this.#end.signal.aborted) return;
    for (const device of this.#due) {
      const { link, atOnce } = this.#laneOf(device);
      const busy = this.#busy.get(link) ?? 0;
      if (this.#running.has(device) || (atOnce !== "unlimited" && busy >= atOnce)) continue;
      this.#due.delete(device);
      this.#busy.set(link, busy + 1);
      this.#running.set(device, this.#run(device, link));
    }
  }

  async #run(device: DeviceId, link: string): Promise<void> {
    const next = await this.#work(device, this.#end.signal);
    this.#running.delete(device);
    this.#busy.set(link, (this.#busy.get(link) ?? 1) - 1);
    if (next !== undefined && !this.#due.has(device)) this.#alarm(device, next);
    this.#pump();
  }

  #alarm(device: DeviceId, at: Instant): void {
    if (this.#end.signal.aborted) return;
    this.#silence(device);
    const off = new AbortController();
    this.#alarms.set(device, { at, off });
    this.#clock.sleep(Math.max(at - this.#clock.now(), 0), off.signal).then(
      () => this.add(device),
      () => undefined,
    );
  }

  #silence(device: DeviceId): void {
    this.#alarms.get(device)?.off.abort();
    this.#alarms.delete(device);
  }
}
