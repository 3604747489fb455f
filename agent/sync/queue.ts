import { setMaxListeners } from "node:events";
import type { Clock } from "../../drivers/driver.ts";
import type { DeviceId } from "../domain/ids.ts";
import { type Instant, instant, later, type Milliseconds } from "../domain/instant.ts";

/** The wire that a device's lock is on, and how many of its locks may be worked on together. */
export interface Lane {
  readonly link: string;
  readonly atOnce: number | "unlimited";
}

/** Why a device is let in before or after others that wait: something is to be taken away, or its lock was silent. */
export type Rank = "revokes" | "usual" | "deaf";
const order: Readonly<Record<Rank, number>> = { revokes: 0, usual: 1, deaf: 2 };

/** What the queue has to know of a device. */
export interface Rules {
  laneOf(device: DeviceId): Lane;
  rankOf(device: DeviceId): Rank;
  /** Its lock is still to be asked what it is: not too many at a time, where a start makes all of them due. */
  isStranger(device: DeviceId): boolean;
  /**
   * One round; resolves to when to come back. Must not reject.
   *
   * @param isAwaited whether a device on the same wire waits for this one that is of a rank, or goes before it.
   */
  work(device: DeviceId, signal: AbortSignal, isAwaited: (rank: Rank) => boolean): Promise<Instant | undefined>;
}

/** A deaf lock is passed by others, but not for ever. */
const passedFor: Milliseconds = 5 * 60_000;
/** Strangers on a link that bears any number of locks: so many at once, then one after each pause. */
const strangersAtOnce = 8;
const strangerEvery: Milliseconds = 100;

/** Why an alarm does not ring: one for all, as where it comes from matters to nobody. */
const silenced = new Error("due before its time");

/**
 * Devices that are due, each once however often it was added: a thousand commands for one lock are one key. No device is
 * worked on twice at once, and no link on more of its locks than it can bear. Who waits for a turn is let in by rank, then
 * by how long it has waited; who comes again after a turn has waited for nothing yet.
 */
export class Queue {
  readonly #clock: Clock;
  readonly #rules: Rules;
  readonly #due = new Map<DeviceId, { readonly rank: Rank; readonly since: Instant }>();
  readonly #running = new Map<DeviceId, Promise<void>>();
  readonly #busy = new Map<string, number>();
  /** When the links would have let in all the strangers that were, had they come at their pace. */
  readonly #met = new Map<string, Instant>();
  readonly #alarms = new Map<DeviceId, AbortController>();
  readonly #end = new AbortController();
  #isPaced = false;

  constructor(clock: Clock, rules: Rules) {
    this.#clock = clock;
    this.#rules = rules;
    // As many rounds as there are locks may wait for it.
    setMaxListeners(0, this.#end.signal);
  }

  add(...devices: readonly DeviceId[]): void {
    if (this.#end.signal.aborted) return;
    for (const device of devices) {
      this.#silence(device);
      const since = this.#due.get(device)?.since ?? this.#clock.now();
      this.#due.set(device, { rank: this.#rules.rankOf(device), since });
    }
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
    for (const device of this.#inOrder()) {
      const lane = this.#rules.laneOf(device);
      if (this.#running.has(device) || !this.#hasRoom(lane)) continue;
      if (lane.atOnce === "unlimited" && this.#rules.isStranger(device) && !this.#meets(lane.link)) continue;
      this.#due.delete(device);
      this.#busy.set(lane.link, (this.#busy.get(lane.link) ?? 0) + 1);
      this.#running.set(device, this.#run(device, lane.link));
    }
  }

  #inOrder(): DeviceId[] {
    if (this.#due.size < 2) return [...this.#due.keys()];
    const longAgo = later(this.#clock.now(), -passedFor);
    return [...this.#due]
      .map(([device, { rank, since }]) => ({ device, since, place: since <= longAgo ? 0 : order[rank] }))
      .toSorted((one, other) => one.place - other.place || one.since - other.since)
      .map(({ device }) => device);
  }

  #hasRoom({ link, atOnce }: Lane): boolean {
    return atOnce === "unlimited" || (this.#busy.get(link) ?? 0) < atOnce;
  }

  #isAwaited(link: string, by: Rank): boolean {
    for (const [device, { rank }] of this.#due) {
      if (order[rank] > order[by] || this.#running.has(device)) continue;
      const lane = this.#rules.laneOf(device);
      if (lane.link === link && !this.#hasRoom(lane)) return true;
    }
    return false;
  }

  /** Whether a stranger may be let in now; where not, it is looked at again when one may. */
  #meets(link: string): boolean {
    const now = this.#clock.now();
    const known = this.#met.get(link) ?? 0;
    // Where the clock was set back they come at their pace from then on: nobody waits until it is as late again.
    if (known > now) this.#met.set(link, now);
    const met = Math.max(Math.min(known, now), now - strangersAtOnce * strangerEvery);
    if (met + strangerEvery <= now) {
      this.#met.set(link, instant(met + strangerEvery));
      return true;
    }
    if (!this.#isPaced) this.#pace(met + strangerEvery - now).catch(() => undefined);
    return false;
  }

  async #pace(pause: Milliseconds): Promise<void> {
    this.#isPaced = true;
    await this.#clock.sleep(pause, this.#end.signal);
    this.#isPaced = false;
    this.#pump();
  }

  async #run(device: DeviceId, link: string): Promise<void> {
    const next = await this.#rules.work(device, this.#end.signal, (rank) => this.#isAwaited(link, rank));
    this.#running.delete(device);
    this.#busy.set(link, (this.#busy.get(link) ?? 1) - 1);
    if (next !== undefined && !this.#due.has(device)) this.#alarm(device, next);
    this.#pump();
  }

  #alarm(device: DeviceId, at: Instant): void {
    if (this.#end.signal.aborted) return;
    this.#silence(device);
    const off = new AbortController();
    this.#alarms.set(device, off);
    // Also where it is due at once: the process has other work than a device that finds no end.
    this.#clock.sleep(Math.max(at - this.#clock.now(), 0), off.signal).then(
      () => this.add(device),
      () => undefined,
    );
  }

  #silence(device: DeviceId): void {
    this.#alarms.get(device)?.abort(silenced);
    this.#alarms.delete(device);
  }
}
