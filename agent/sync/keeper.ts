import { type Link, LinkError, type LinkEvent, type LockDevice } from "../../drivers/driver.ts";
import { backoff } from "../domain/backoff.ts";
import type { DeviceId } from "../domain/ids.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import { StoreError } from "../errors.ts";
import { type Happening, happeningOf } from "./happenings.ts";
import type { Ledger } from "./ledger.ts";
import { Queue } from "./queue.ts";
import { type Acquaintance, reconcile, stranger } from "./reconcile.ts";
import type { Surroundings } from "./surroundings.ts";

const firstRetry: Milliseconds = 1_000;
const lastRetry: Milliseconds = 5 * 60_000;

/** Where the lock of a device is. */
export interface Whereabouts {
  readonly device: DeviceId;
  readonly link: string;
  readonly address: string;
}

interface Parts extends Omit<Surroundings, "ledger" | "due"> {
  readonly ledger: Ledger & { happened(device: DeviceId, what: Happening): void };
  readonly devices: readonly Whereabouts[];
  readonly linkOf: (name: string) => Link | undefined;
  /** The store cannot be relied on any more. */
  readonly failed: (error: StoreError) => void;
}

/** Keeps every lock at what the grants say: rounds when something changed, and again until a silent lock answers. */
export class Keeper {
  readonly #parts: Parts;
  readonly #queue: Queue;
  readonly #known = new Map<DeviceId, Acquaintance>();
  readonly #where: ReadonlyMap<DeviceId, Whereabouts>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#where = new Map(parts.devices.map((where) => [where.device, where]));
    this.#queue = new Queue(
      parts.clock,
      (device) => {
        const link = this.#where.get(device)?.link ?? "";
        return { link, atOnce: parts.linkOf(link)?.atOnce ?? "unlimited" };
      },
      (device, signal) => this.#work(device, signal),
    );
  }

  /** Something has changed that this device depends on. */
  due(device: DeviceId): void {
    if (!this.#where.has(device)) return;
    this.#acquaintance(device).outdated = true;
    this.#queue.add(device);
  }

  opened(link: string): void {
    for (const { device, link: on } of this.#parts.devices) if (on === link) this.due(device);
  }

  /** Commits what happened at a lock, then looks at the lock where it makes a difference. */
  reported(link: string, event: LinkEvent): void {
    const { ledger, devices, log } = this.#parts;
    const where = devices.find(({ link: on, address }) => on === link && address === event.address);
    if (!where) {
      log.debug({ link, address: event.address, event: event.event }, "event of a lock that is no device of ours");
      return;
    }
    const known = this.#acquaintance(where.device);
    const happening = {
      ...happeningOf(event, ledger.placements(where.device)),
      // A lock that is heard of answers again: what waits for its next try, revokes above all, need not (Law 5).
      ...(known.silent > 0 && event.event !== "offline" ? { awake: true } : {}),
    };
    this.#stopping(() => ledger.happened(where.device, happening));
    this.#parts.committed();
    if (event.event === "online" || event.event === "offline" || event.event === "reset") known.asked = false;
    if (happening.suspect !== undefined) known.occupied.clear();
    if (happening.awake || happening.suspect !== undefined) this.due(where.device);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #work(device: DeviceId, signal: AbortSignal): Promise<Instant | undefined> {
    const known = this.#acquaintance(device);
    const { ledger, log, committed, failed } = this.#parts;
    try {
      const lock = this.#lockOf(device);
      if (!lock) return undefined;
      const around = { ...this.#parts, due: (other: DeviceId) => this.due(other) };
      const next = await reconcile(device, lock, known, around, signal);
      if (known.silent > 0) log.info({ device }, "the lock answers again");
      known.silent = 0;
      return next;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof StoreError) {
        failed(error);
        return undefined;
      }
      known.silent += 1;
      known.asked = false;
      if (known.silent === 1) this.#complain(device, error);
      try {
        this.#stopping(() => ledger.heard(device, false));
      } catch {
        return undefined;
      }
      return later(this.#parts.clock.now(), backoff(known.silent, firstRetry, lastRetry, this.#parts.random));
    } finally {
      committed();
    }
  }

  /** A store that fails stops the agent; the caller must not take what it asked for as done. */
  #stopping(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof StoreError) this.#parts.failed(error);
      throw error;
    }
  }

  #lockOf(device: DeviceId): LockDevice | undefined {
    const where = this.#where.get(device);
    return where && this.#parts.linkOf(where.link)?.lock(where.address);
  }

  #acquaintance(device: DeviceId): Acquaintance {
    const known = this.#known.get(device) ?? stranger();
    this.#known.set(device, known);
    return known;
  }

  #complain(device: DeviceId, error: unknown): void {
    const { log } = this.#parts;
    if (error instanceof LinkError) {
      log.warn({ device, problem: error.message, hint: error.hint }, "the lock does not answer; trying again");
    } else {
      log.error({ device, error }, "the driver failed; trying again");
    }
  }
}
