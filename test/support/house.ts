import { tmpdir } from "node:os";
import { join } from "node:path";
import { perform } from "../../agent/commands/perform.ts";
import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { ConfiguredDevice } from "../../agent/store/devices.ts";
import type { Opened } from "../../agent/store/open.ts";
import { type Store, storeOn } from "../../agent/store/store.ts";
import { Alarm } from "../../agent/sync/alarm.ts";
import { Keeper } from "../../agent/sync/keeper.ts";
import type { Link, LockDevice, Log } from "../../drivers/driver.ts";
import { blankChip, type LockModel, SimulatedLock } from "../../simulator/lock.ts";
import { type Answer, configured } from "./memory-store.ts";
import { reasonOf, VirtualClock } from "./virtual-clock.ts";
import { agentFacts, openInMemory } from "./world.ts";

/** How a lock behaves: `deaf` never answers, `vague` says of a write or a clear that it does not know. */
export type Mood = "good" | "deaf" | "vague";

/** Each exchange with a lock that answers takes this long. */
export const stepCost: Milliseconds = 1_000;
const quiet = (): void => undefined;
const log: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

/** How all its locks are built, and configured. */
interface HouseSpec {
  readonly model?: Partial<LockModel>;
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
  readonly #began = this.clock.now();
  readonly #opened: Opened;
  readonly #of: HouseSpec;
  readonly #locks = new Map<string, SimulatedLock>();
  readonly #link: Link;
  #store: Store;
  #keeper: Keeper;
  #alarm: Alarm;

  constructor(count: number, atOnce: Link["atOnce"], of: HouseSpec = {}) {
    this.#opened = of.opened ?? openInMemory();
    this.#of = of;
    this.devices = Array.from({ length: count }, (_, at) => deviceId(`door-${at}`));
    const locks = new Map(this.devices.map((device) => [String(device), this.#lock(device)]));
    this.#link = {
      atOnce,
      lock: (address) => locks.get(address) ?? this.#lock(deviceId(address)),
      [Symbol.asyncDispose]: async () => undefined,
    };
    [this.#store, this.#keeper, this.#alarm] = this.#start();
  }

  /** The lock itself, past the wire: what an owner does to it by hand. */
  lock(device: DeviceId): SimulatedLock {
    const lock = this.#locks.get(device);
    if (!lock) throw new Error(`no lock at ${device}`);
    return lock;
  }

  get store(): Store {
    return this.#store;
  }

  get seconds(): number {
    return (this.clock.now() - this.#began) / 1000;
  }

  /** The power goes, and comes back. */
  async restart(): Promise<void> {
    const closing = Promise.all([this.#keeper.close(), this.#alarm.close()]);
    await this.clock.run(0);
    await closing;
    [this.#store, this.#keeper, this.#alarm] = this.#start();
  }

  grant(person: string, device: DeviceId): void {
    this.ask("user_identities/grant_access_to_device", { user_identity_id: person, device_id: device });
  }

  revoke(person: string, device: DeviceId): void {
    this.ask("user_identities/revoke_access_to_device", { user_identity_id: person, device_id: device });
  }

  ask(name: string, parameters: object): Answer {
    const touched = new Set<DeviceId>();
    const call = { name, door: "local", retained: false, replyAddress: "usable", isOpen: true } as const;
    const { reply } = this.#store.transaction(() =>
      perform(
        { ...call, payload: Buffer.from(JSON.stringify(parameters)) },
        this.#store,
        {
          now: this.clock.now(),
          door: "local",
          codes: true,
          agent: agentFacts,
          touch: (device) => void touched.add(device),
        },
        (error) => {
          throw error;
        },
      ),
    );
    this.listen();
    this.#keeper.due(...touched);
    this.#alarm.nudge();
    return JSON.parse(reply.body);
  }

  report(device: DeviceId, event: "online" | "offline" | "jammed" | "all_deleted" | "reset"): void {
    this.#keeper.reported("wire", { at: this.clock.now(), address: device, event });
  }

  events(type: string): readonly (typeof this.told)[number][] {
    return this.told.filter((each) => each.type === type);
  }

  [Symbol.dispose](): void {
    void this.#alarm.close();
    this.#opened.db.close();
  }

  #start(): [Store, Keeper, Alarm] {
    const store = storeOn(this.#opened, {
      dataDir: join(tmpdir(), "latchd-house"),
      devices: this.devices.map((id) => configured(id, this.#of.configured)),
      pins: { issue: true, length: 6 },
      events: { rows: 100_000, days: 30 },
      now: () => this.clock.now(),
    });
    store.rounds.interrupt();
    const keeper = new Keeper({
      ledger: store.rounds,
      devices: this.devices.map((device) => ({ device, link: "wire", address: device })),
      linkOf: () => this.#link,
      clock: this.clock,
      log,
      random: () => 0,
      committed: () => this.listen(),
      failed: (error) => {
        throw error;
      },
    });
    this.#store = store;
    const alarm = new Alarm({
      clock: this.clock,
      turn: () => {
        const turn = store.turn();
        this.listen();
        return turn;
      },
      due: (...due) => keeper.due(...due),
      failed: (error) => {
        throw error;
      },
    });
    keeper.opened("wire");
    alarm.start();
    return [store, keeper, alarm];
  }

  /** Takes down what was told since. */
  listen(): void {
    for (const { type, fields } of this.#store?.journal.takeFresh() ?? []) {
      this.told.push({ ...fields, type, at: this.seconds });
    }
  }

  #lock(device: DeviceId): LockDevice {
    const model = { memory: "numbered", readBack: "full", lengths: [6], rules: [], kinds: ["pin"] } as const;
    const lock = new SimulatedLock({ slots: 20, ...model, ...this.#of.model }, blankChip(device));
    this.#locks.set(device, lock);
    const { suspends } = { suspends: false, ...this.#of.model };
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
    const { limits } = lock;
    const unclear = { result: "unconfirmed" } as const;
    return {
      abilities: (signal) => exchange("abilities", signal, () => ({ identity: device, memory: limits })),
      memory: {
        write: (entry, at, signal) => exchange("write", signal, () => lock.write(entry, at), unclear),
        clear: (slot, signal) => exchange("clear", signal, () => lock.clear(slot), unclear),
        ...(suspends
          ? {
              enable: (slot, _, on, signal) =>
                exchange(on ? "enable" : "disable", signal, () => lock.enable(slot, on), unclear),
            }
          : {}),
        read: (slot, signal) => exchange("read", signal, () => lock.read(slot), { state: "unreadable" } as const),
      },
    };
  }
}
