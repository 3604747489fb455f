import { type Asked, isAsked, type Link, LinkError, type LinkEvent, type LockDevice } from "../../drivers/driver.ts";
import { type Breaker, closed, failed, heard, isDue } from "../domain/breaker.ts";
import type { DeviceId, LockId, PlacementId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { isLeaving, type Placement } from "../domain/placement.ts";
import { StoreError } from "../errors.ts";
import { Acquaintance } from "./acquaintance.ts";
import type { Cause } from "./actuator.ts";
import { happeningOf } from "./happenings.ts";
import { Queue, type Rank } from "./queue.ts";
import { choose, type RoundEnd, reconcile } from "./reconcile.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where the lock of a device is. */
export interface Whereabouts {
  readonly device: DeviceId;
  readonly link: string;
  readonly address: string;
}

interface Parts extends Omit<Surroundings, "due" | "claimed" | "isAwaited"> {
  readonly devices: readonly Whereabouts[];
  readonly linkOf: (name: string) => Link | undefined;
  /** What of ours has moved a bolt. */
  readonly causeOf?: (device: DeviceId, event: LinkEvent) => Cause | undefined;
  /** A reader asks; undefined where nobody answers. */
  readonly asked?: (device: DeviceId, event: Asked) => void;
  /** The store cannot be relied on any more. */
  readonly failed: (error: StoreError) => void;
}

/** What is kept of a device between its rounds. */
interface Watch {
  readonly known: Acquaintance;
  breaker: Breaker;
  /** What was to be taken away when the lock was last tried: what has come since is tried at once (Law 5). */
  tried: ReadonlySet<PlacementId>;
  /** When it was last tried. */
  began: Instant;
  /** The lock was heard of since. */
  heard: boolean;
}

/** Keeps every lock at what the grants say: rounds when something changed, and again until a silent lock answers. */
export class Keeper {
  readonly #parts: Parts;
  readonly #queue: Queue;
  readonly #watches = new Map<DeviceId, Watch>();
  readonly #where: ReadonlyMap<DeviceId, Whereabouts>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#where = new Map(parts.devices.map((where) => [where.device, where]));
    this.#queue = new Queue(parts.clock, {
      laneOf: (device) => {
        const link = this.#where.get(device)?.link ?? "";
        return { link, atOnce: parts.linkOf(link)?.atOnce ?? "unlimited" };
      },
      rankOf: (device) => this.#rankOf(device),
      isStranger: (device) => !this.#watch(device).known.asked,
      work: (device, signal, isAwaited) => this.#work(device, signal, isAwaited),
    });
  }

  /** Something has changed that these devices depend on. */
  due(...devices: readonly DeviceId[]): void {
    const ours = devices.filter((device) => this.#where.has(device));
    for (const device of ours) this.#watch(device).known.outdated = true;
    this.#queue.add(...ours);
  }

  opened(link: string): void {
    const behind = this.#parts.devices.flatMap(({ device, link: on }) => (on === link ? [device] : []));
    for (const device of behind) {
      const watch = this.#watch(device);
      watch.heard = true;
      watch.known.asked = false;
    }
    this.due(...behind);
  }

  /** Commits what happened at a lock, then looks at the lock where it makes a difference. */
  reported(link: string, event: LinkEvent): void {
    const { ledger, devices, log } = this.#parts;
    const where = devices.find(({ link: on, address }) => on === link && address === event.address);
    if (!where) {
      log.debug({ link, address: event.address, event: event.event }, "event of a lock that is no device of ours");
      return;
    }
    const watch = this.#watch(where.device);
    // A lock that is heard of answers again: what waits for its next try, revokes above all, need not (Law 5).
    const isBack = watch.breaker !== closed && event.event !== "offline";
    if (isAsked(event)) {
      this.#parts.asked?.(where.device, event);
      if (!isBack) return;
      watch.heard = true;
      return this.due(where.device);
    }
    const happening = {
      ...happeningOf(event, this.#usersOf(event, where.device), this.#parts.causeOf?.(where.device, event)),
      ...(isBack ? { awake: true } : {}),
      ...unlessUncertain(event, watch.known),
    };
    this.#stopping(() => ledger.happened(where.device, happening));
    this.#parts.committed();
    if (event.event === "online" || event.event === "offline" || event.event === "reset") watch.known.asked = false;
    if (happening.suspect !== undefined) watch.known.occupied.clear();
    if (isBack) watch.heard = true;
    if (happening.awake || happening.suspect !== undefined) this.due(where.device);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  /** Whose codes it may be about: where it names no slot, they are not looked up. */
  #usersOf(event: LinkEvent, device: DeviceId): readonly Placement[] {
    return "slot" in event && event.slot !== undefined ? this.#parts.ledger.inSlot(device, event.slot) : [];
  }

  async #work(
    device: DeviceId,
    signal: AbortSignal,
    isAwaited: Surroundings["isAwaited"],
  ): Promise<Instant | undefined> {
    const watch = this.#watch(device);
    const { ledger, committed, turn, failed: stop } = this.#parts;
    try {
      const due = (other: DeviceId): void => this.due(other);
      const around = { ...this.#parts, due, claimed: this.#claimed, isAwaited };
      // At once: by it a driver knows which locks are ours, and what there is to say of them as its link opens.
      const lock = this.#lockOf(device);
      // A start meets several locks at once: the broker is connected to, and a command answered, before all are looked up.
      if (!watch.known.asked) await turn(() => ledger.owes(device));
      if (!lock) {
        // Its link does not open yet: what does not need the lock is done, so that receipts say what is in the way.
        await choose(device, around, signal);
        return undefined;
      }
      if (!(await this.#isToBeTried(device, watch, around, signal))) return watch.breaker.next;
      return this.#ended(device, watch, await reconcile(device, lock, watch.known, around, signal));
    } catch (error) {
      if (signal.aborted) return undefined;
      try {
        if (error instanceof StoreError) throw error;
        if (watch.breaker === closed) this.#complain(device, error);
        ledger.heard(device, false);
        return this.#unconfirmed(device, watch);
      } catch (fatal) {
        if (!(fatal instanceof StoreError)) throw fatal;
        stop(fatal);
        return undefined;
      }
    } finally {
      committed();
    }
  }

  /** Where its breaker is open and nothing new is to be taken away, all is done that does not need the lock. */
  async #isToBeTried(device: DeviceId, watch: Watch, around: Surroundings, signal: AbortSignal): Promise<boolean> {
    const { ledger, clock } = this.#parts;
    if (watch.breaker.state === "open") await choose(device, around, signal);
    if (watch.heard) this.#set(device, watch, heard(watch.breaker, clock.now()));
    // Where it answers, all of it is tried, whether it is new or not: they need not be looked through.
    const placements = watch.breaker === closed ? [] : ledger.atWork(device);
    const leaving = placements.flatMap((placement) => (isLeaving(placement) ? [placement.id] : []));
    const isNew = leaving.some((id) => !watch.tried.has(id));
    const isTried = isNew || isDue(watch.breaker, clock.now());
    // What is wanted again, and then not, is as new as what never was.
    watch.tried = new Set(isTried ? leaving : leaving.filter((id) => watch.tried.has(id)));
    if (!isTried) return false;
    watch.began = clock.now();
    watch.heard = false;
    return true;
  }

  #ended(device: DeviceId, watch: Watch, { next, unconfirmed }: RoundEnd): Instant | undefined {
    if (unconfirmed) {
      const retry = this.#unconfirmed(device, watch);
      return watch.breaker.state === "open" ? retry : next;
    }
    if (watch.breaker !== closed && watch.breaker.state === "closed")
      this.#parts.log.info({ device }, "the lock answers again");
    this.#set(device, watch, closed);
    return next;
  }

  /** @returns when to try again. */
  #unconfirmed(device: DeviceId, watch: Watch): Instant | undefined {
    const { clock, random } = this.#parts;
    watch.known.asked = false;
    this.#set(device, watch, failed(watch.breaker, watch.began, clock.now(), random));
    return watch.breaker.next;
  }
  /** The first to say so keeps its claim until it was asked again: it may be another lock by now. */
  readonly #claimed = (lock: LockId, by: DeviceId): DeviceId | undefined => {
    for (const [device, { known }] of this.#watches) {
      if (device === by || !known.asked || known.lock !== lock) continue;
      known.asked = false;
      this.due(device);
      return device;
    }
    return undefined;
  };

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

  #watch(device: DeviceId): Watch {
    const watched = this.#watches.get(device);
    if (watched) return watched;
    const breaker = this.#parts.ledger.breaker(device) ?? closed;
    const watch = {
      known: new Acquaintance(device),
      breaker,
      tried: new Set<PlacementId>(),
      began: this.#parts.clock.now(),
      heard: false,
    };
    this.#watches.set(device, watch);
    return watch;
  }

  #rankOf(device: DeviceId): Rank {
    const { breaker, heard: isHeard } = this.#watch(device);
    if (breaker !== closed && !isHeard) return "deaf";
    return this.#parts.ledger.owes(device) ? "revokes" : "usual";
  }

  #set(device: DeviceId, watch: Watch, breaker: Breaker): void {
    const before = watch.breaker;
    watch.breaker = breaker;
    if (before.state === "closed" && breaker.state === "closed") return;
    if (before !== breaker) this.#parts.ledger.setBreaker(device, breaker.state === "open" ? breaker : undefined);
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

/**
 * Whether it is our lock whose owner has written to a slot is asked before that is believed: another's must not take a code
 * out of our debt.
 */
function unlessUncertain(event: LinkEvent, { asked, lock, foreign }: Acquaintance): { readonly foreign?: false } {
  if (asked && lock !== undefined) return {};
  if (event.event === "changed" && event.by === "owner") foreign.add(event.slot);
  return { foreign: false };
}
