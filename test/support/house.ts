import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClockWatch } from "../../agent/clock-watch.ts";
import type { MemoryLimits } from "../../agent/domain/abilities.ts";
import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import { type Instant, instant, later, type Milliseconds } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import type { SlotName } from "../../agent/domain/slot.ts";
import type { ConfiguredDevice } from "../../agent/store/devices.ts";
import type { Opened } from "../../agent/store/open.ts";
import { type Store, storeOn } from "../../agent/store/store.ts";
import { Alarm } from "../../agent/sync/alarm.ts";
import { Keeper } from "../../agent/sync/keeper.ts";
import type { Clock, Link, LockDevice, Log } from "../../drivers/driver.ts";
import { blankChip, type Chip, type LockModel, SimulatedLock } from "../../simulator/lock.ts";
import { type Answer, configured } from "./memory-store.ts";
import { performOn } from "./perform-on.ts";
import { reasonOf, VirtualClock } from "./virtual-clock.ts";
import { agentFacts, openInMemory } from "./world.ts";

/** How a lock behaves: `deaf` never answers, `vague` says of a write or a clear that it does not know. */
export type Mood = "good" | "deaf" | "vague";

/** Each exchange with a lock that answers takes this long. */
export const stepCost: Milliseconds = 1_000;
const quiet = (): void => undefined;
const log: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const failed = (error: unknown): void => {
  throw error;
};
const usualLock = { memory: "numbered", readBack: "full", lengths: [6], rules: [], kinds: ["pin"], slots: 20 } as const;

/** How all its locks are built, and configured. */
interface HouseSpec {
  readonly model?: Partial<LockModel>;
  readonly settles?: Milliseconds | undefined;
  /** What the only lock holds already. */
  readonly chip?: Chip | undefined;
  readonly configured?: Partial<ConfiguredDevice>;
  readonly opened?: Opened;
}

/** Locks on one wire that behave as they are told, and an agent with the real parts between them and the store. */
export class House implements Disposable {
  readonly clock = new VirtualClock();
  readonly moods = new Map<DeviceId, Mood>();
  /** What was sent to a lock, when, in seconds since the beginning. */
  readonly sent: { readonly device: DeviceId; readonly what: string; readonly at: number }[] = [];
  /** What was told, when. */
  readonly told: { readonly type: string; readonly at: number; readonly [field: string]: unknown }[] = [];
  readonly devices: readonly DeviceId[];
  readonly locks: ReadonlyMap<DeviceId, SimulatedLock>;
  /** How far the clock of the agent's machine is from the true time. */
  ahead: Milliseconds = 0;
  readonly #began = this.clock.now();
  readonly #opened: Opened;
  readonly #configured: Partial<ConfiguredDevice>;
  readonly #link: Link;
  #store: Store;
  /** Where it is not, the wire does not open when the power comes back. */
  isWireOpen = true;
  #keeper: Keeper;
  #watch: ClockWatch | undefined;
  #alarm: Alarm | undefined;

  constructor(count: number, atOnce: Link["atOnce"], of: HouseSpec = {}) {
    const { settles, chip } = of;
    this.#opened = of.opened ?? openInMemory();
    this.#configured = of.configured ?? {};
    const model: LockModel = { ...usualLock, ...of.model };
    this.devices = Array.from({ length: count }, (_, at) => deviceId(`door-${at}`));
    this.locks = new Map(this.devices.map((device) => [device, new SimulatedLock(model, chip ?? blankChip(device))]));
    const limits = (lock: SimulatedLock): MemoryLimits => ({
      ...lock.limits,
      ...(settles === undefined ? {} : { settles }),
    });
    const wired = new Map(
      [...this.locks].map(([device, lock]) => [String(device), this.#wired(device, lock, limits(lock))]),
    );
    const none = new SimulatedLock(model, blankChip("none"));
    this.#link = {
      atOnce,
      lock: (address) => wired.get(address) ?? this.#wired(deviceId(address), none, limits(none)),
      [Symbol.asyncDispose]: async () => undefined,
    };
    [this.#store, this.#keeper] = this.#start();
  }

  get store(): Store {
    return this.#store;
  }

  get seconds(): number {
    return (this.clock.now() - this.#began) / 1000;
  }

  /** What the agent takes for the time. */
  now(): Instant {
    return this.#watch?.now() ?? this.#wall();
  }

  /** Undefined where nobody looks after it. */
  get clockFacts(): ClockWatch["facts"] | undefined {
    return this.#watch?.facts;
  }

  /** From now on the agent looks after its clock, by which windows open and close. */
  async keepTime(): Promise<void> {
    this.#watch = this.#newWatch();
    await this.#startTime(this.#watch);
  }

  /** The power goes, and comes back. */
  async restart(): Promise<void> {
    this.#watch?.close();
    const closing = Promise.all([this.#keeper.close(), this.#alarm?.close()]);
    await this.clock.run(0);
    await closing;
    this.#watch &&= this.#newWatch();
    [this.#store, this.#keeper] = this.#start();
    if (this.#watch) await this.#startTime(this.#watch);
  }

  /** The lock itself, past the wire: what an owner does to it by hand. */
  lock(device: DeviceId): SimulatedLock {
    const lock = this.locks.get(device);
    if (!lock) throw new Error(`no lock at ${device}`);
    return lock;
  }

  /** What a person opens a device with; undefined where they have nothing. */
  codeOf(person: string, device: DeviceId): string | undefined {
    const { credentials } = this.ask("credentials/get", { user_identity_id: person, device_id: device });
    const found: readonly { readonly code: string }[] = Array.isArray(credentials) ? credentials : [];
    return found[0]?.code;
  }

  /** Whether the lock of a device opens for digits that are typed there. */
  opens(digits: string | undefined, device: DeviceId): boolean {
    if (digits === undefined) throw new Error("nobody types nothing");
    const credential = { kind: "pin", digits: new Secret(digits) } as const;
    return this.locks.get(device)?.present(credential, this.clock.now()) !== undefined;
  }

  grant(person: string, device: DeviceId): void {
    this.ask("user_identities/grant_access_to_device", { user_identity_id: person, device_id: device });
  }

  revoke(person: string, device: DeviceId): void {
    this.ask("user_identities/revoke_access_to_device", { user_identity_id: person, device_id: device });
  }

  ask(name: string, parameters: object): Answer {
    const touched = new Set<DeviceId>();
    const { reply } = performOn(
      this.#store,
      { name, payload: JSON.stringify(parameters) },
      {
        now: this.now(),
        agent: () => ({ ...agentFacts(), clock: this.#watch?.facts ?? agentFacts().clock }),
        touch: (device) => void touched.add(device),
      },
    );
    this.listen();
    this.#keeper.due(...touched);
    this.#alarm?.nudge();
    return JSON.parse(reply.body);
  }

  report(
    device: DeviceId,
    event: "online" | "offline" | "jammed" | "all_deleted" | "reset" | { readonly changed: SlotName },
  ): void {
    const from = { at: this.now(), address: device };
    const told = typeof event === "string" ? { event } : ({ event: "changed", slot: event.changed } as const);
    this.#keeper.reported("wire", { ...from, ...told });
  }

  events(type: string): readonly (typeof this.told)[number][] {
    return this.told.filter((each) => each.type === type);
  }

  [Symbol.dispose](): void {
    this.#watch?.close();
    void this.#alarm?.close();
    this.#opened.db.close();
  }

  readonly #wall = (): Instant => later(this.clock.now(), this.ahead);
  readonly #sleep: Clock["sleep"] = (ms, signal) => this.clock.sleep(ms, signal);

  #newWatch(): ClockWatch {
    return new ClockWatch({
      clock: { now: this.#wall, sleep: this.#sleep },
      monotonic: () => this.clock.now() - this.#began,
      synchronisation: { ask: async () => undefined, found: { source: "system", synchronised: true } },
      ask: undefined,
      built: instant(1_700_000_000_000),
      log,
      changed: () => this.#alarm?.nudge(),
      failed,
    });
  }

  async #startTime(watch: ClockWatch): Promise<void> {
    await watch.start(this.#store);
    this.#alarm = new Alarm({
      clock: { now: () => this.now(), sleep: this.#sleep },
      turn: () => {
        watch.look();
        const turn = this.#store.turn(watch.isConfirmed);
        this.listen();
        return turn;
      },
      due: (...due) => this.#keeper.due(...due),
      failed,
    });
    this.#alarm.start();
  }

  #start(): [Store, Keeper] {
    const store = storeOn(this.#opened, {
      dataDir: join(tmpdir(), "latchd-house"),
      devices: this.devices.map((id) => configured(id, this.#configured)),
      pins: { issue: true, length: 6 },
      events: { rows: 100_000, days: 30 },
      now: () => this.now(),
      isClockTrusted: () => this.#watch?.isTrusted ?? true,
      maxMassExpiry: 0.2,
    });
    store.rounds.interrupt();
    const keeper = new Keeper({
      turn: async () => undefined,
      ledger: store.rounds,
      devices: this.devices.map((device) => ({ device, link: "wire", address: device })),
      linkOf: () => (this.isWireOpen ? this.#link : undefined),
      clock: { now: () => this.now(), sleep: this.#sleep },
      log,
      random: () => 0,
      committed: () => this.listen(),
      failed,
    });
    this.#store = store;
    if (this.isWireOpen) keeper.opened("wire");
    return [store, keeper];
  }

  /** Takes down what was told since. */
  listen(): void {
    for (const { type, fields } of this.#store?.journal.takeFresh() ?? []) {
      this.told.push({ ...fields, type, at: this.seconds });
    }
  }

  #wired(device: DeviceId, lock: SimulatedLock, limits: MemoryLimits): LockDevice {
    const exchange = async <T>(what: string, signal: AbortSignal, act: () => T, vague?: T): Promise<T> => {
      this.sent.push({ device, what, at: this.seconds });
      const mood = this.moods.get(device) ?? "good";
      const over = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(reasonOf(signal)), { once: true });
      });
      over.catch(quiet);
      if (mood === "deaf") return over;
      await Promise.race([this.clock.sleep(stepCost), over]);
      if (mood === "good" || vague === undefined) return act();
      return vague;
    };
    const unclear = { result: "unconfirmed" } as const;
    const unreadable = { state: "unreadable" } as const;
    return {
      abilities: (signal) => exchange("abilities", signal, () => ({ identity: device, memory: limits })),
      memory: {
        write: (entry, at, signal) => exchange("write", signal, () => lock.write(entry, at), unclear),
        clear: (slot, signal) => exchange("clear", signal, () => lock.clear(slot), unclear),
        ...(limits.suspends
          ? {
              enable: (slot, _, on, signal) =>
                exchange(on ? "enable" : "disable", signal, () => lock.enable(slot, on), unclear),
            }
          : {}),
        ...(limits.readBack === "none"
          ? {}
          : { read: (slot, signal) => exchange("read", signal, () => lock.read(slot), unreadable) }),
      },
    };
  }
}
