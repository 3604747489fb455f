import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import type { ConfiguredDevice } from "../../agent/store/devices.ts";
import type { Whereabouts } from "../../agent/sync/keeper.ts";
import type { LockDevice } from "../../drivers/driver.ts";
import type { LockSpec, Process, WorldLock } from "./world-lock.ts";

/** A door as the configuration has it: its name may change, and which address it points to. */
interface Door {
  id: DeviceId;
  was: DeviceId[];
  place: number;
  isConfigured: boolean;
}

/** Which lock is at which address, and which address is configured for which door. */
export class House {
  readonly doors: Door[];
  /** By address. */
  readonly places: WorldLock[];
  /** Locks that were taken out: they keep their memory, and nobody can ask them. */
  readonly drawer: WorldLock[] = [];
  readonly #make: (name: string, spec: LockSpec) => WorldLock;
  #made = 0;

  constructor(specs: readonly LockSpec[], make: (name: string, spec: LockSpec) => WorldLock) {
    this.#make = make;
    this.places = specs.map((spec) => this.#new(spec));
    this.doors = specs.map((_, at) => ({ id: deviceId(`device-${at}`), was: [], place: at, isConfigured: true }));
    for (const at of this.places.keys()) this.#put(at, this.places[at]);
  }

  get locks(): readonly WorldLock[] {
    return [...this.places, ...this.drawer];
  }

  /** The lock at the door, where the agent can ask it. */
  lockAt(door: Door): WorldLock | undefined {
    return door.isConfigured ? this.places[door.place] : undefined;
  }

  configured(): ConfiguredDevice[] {
    return this.#open().map(({ id, was, place }) => ({
      id,
      name: id,
      timeZone: "UTC",
      lead: 0,
      writesPerDay: 50,
      auditReads: 24,
      driver: "simulated",
      bolt: "with memory",
      place: { link: "wire", address: addressOf(place) },
      was,
    }));
  }

  whereabouts(): Whereabouts[] {
    return this.#open().map(({ id, place }) => ({ device: id, link: "wire", address: addressOf(place) }));
  }

  /** What answers at an address, for a round of the agent: whichever lock is there by then. */
  device(address: string, agent: Process): LockDevice {
    const lock = (): WorldLock => {
      const found = this.places.find((each) => each.address === address);
      if (!found) throw new Error(`no lock at ${address}`);
      return found;
    };
    lock().begun();
    return {
      abilities: (signal) => lock().device(agent).abilities(signal),
      get memory() {
        const { memory } = lock().device(agent);
        if (!memory) throw new Error("every lock of the worlds has a memory");
        return memory;
      },
    };
  }

  /** Two locks change places. */
  swap(one: number, other: number): void {
    const [first, second] = [this.places[one], this.places[other]];
    this.#put(one, second);
    this.#put(other, first);
  }

  /** Two doors change addresses, in the configuration. */
  repoint(one: number, other: number): void {
    const [first, second] = [this.doors[one], this.doors[other]];
    if (!first || !second) return;
    [first.place, second.place] = [second.place, first.place];
  }

  /** A lock is taken out, and another put in: one from the drawer, or a new one. */
  replace(at: number, by: WorldLock | LockSpec): WorldLock {
    const lock = "spec" in by ? by : this.#new(by);
    const out = this.places[at];
    if (out) {
      out.address = undefined;
      this.drawer.push(out);
    }
    if (this.drawer.includes(lock)) this.drawer.splice(this.drawer.indexOf(lock), 1);
    this.#put(at, lock);
    return lock;
  }

  /** Who is not in the configuration cannot be called otherwise there. */
  rename(door: Door): void {
    if (!door.isConfigured) return;
    door.was.push(door.id);
    door.id = deviceId(`${door.id}+`);
  }

  #open(): Door[] {
    return this.doors.filter(({ isConfigured }) => isConfigured);
  }

  #new(spec: LockSpec): WorldLock {
    return this.#make(`lock-${this.#made++}`, spec);
  }

  #put(at: number, lock: WorldLock | undefined): void {
    if (!lock) return;
    this.places[at] = lock;
    lock.address = addressOf(at);
    lock.isStranger = true;
    lock.door = () => this.doors.find((door) => this.lockAt(door) === lock)?.id;
  }
}

const addressOf = (place: number): string => `place-${place}`;
