import { expect, test } from "vitest";
import { ClockWatch } from "../agent/clock-watch.ts";
import type { DeviceId } from "../agent/domain/ids.ts";
import { instant, later, type Milliseconds, toIso } from "../agent/domain/instant.ts";
import type { Log } from "../drivers/driver.ts";
import { doors, keypad, MemoryStore } from "./support/memory-store.ts";
import { VirtualClock } from "./support/virtual-clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const quiet = (): void => undefined;
const log: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A store whose clock is looked after, on a machine whose clock can be set. */
class Machine implements Disposable {
  readonly desk = new MemoryStore();
  readonly #running = new VirtualClock();
  /** How far the clock of the system is from the true time. */
  ahead: Milliseconds = 0;
  /** How far the server of `clock.check` is ahead of it; undefined: there is none. */
  server: number | undefined;
  readonly watch: ClockWatch;
  readonly store: MemoryStore["store"];

  constructor() {
    this.#now();
    this.watch = new ClockWatch({
      clock: { now: () => this.#now(), sleep: (ms, signal) => this.#running.sleep(ms, signal) },
      monotonic: () => this.#running.now() - 1_000,
      synchronisation: { ask: async () => undefined, found: { source: "system", synchronised: true } },
      ask: async () => {
        if (this.server === undefined) throw new Error("none");
        return this.server - this.ahead;
      },
      built: instant(1_700_000_000_000),
      log,
      changed: quiet,
      failed(error) {
        throw error;
      },
    });
    this.store = this.desk.reopened(doors, undefined, undefined, () => this.watch.isTrusted, 0.2);
    for (const device of doors) this.store.rounds.learn(device, keypad({ identity: `lock of ${device}`, slots: 60 }));
  }

  async start(): Promise<this> {
    await this.watch.start(this.store);
    return this;
  }

  /** Time passes; windows open and close as it does. */
  async run(ms: Milliseconds): Promise<void> {
    for (let left = ms; left > 0; left -= minute) {
      await this.#running.run(Math.min(left, minute));
      this.#now();
      this.watch.look();
      for (let more = 0; more < 5; more++) this.store.turn(this.watch.isConfirmed);
    }
  }

  /** The agent is away. */
  async away(ms: Milliseconds): Promise<void> {
    await this.#running.run(ms);
    this.#now();
  }

  ask(name: string, parameters: object): void {
    const { reply } = this.desk.perform(name, JSON.stringify(parameters), {}, true, this.store);
    if (reply.status !== 200) throw new Error(reply.body);
  }

  stay(person: string, device: DeviceId, ms: Milliseconds): void {
    const ends = toIso(later(this.desk.now, ms));
    this.ask("access_grants/create", { user_identity_id: person, device_ids: [device], ends_at: ends });
  }

  inForce(device: DeviceId): number {
    return this.store.records.grants({ device }).filter((grant) => grant.inForce).length;
  }

  clockEvents(): unknown[] {
    return this.desk
      .events()
      .filter(({ event_type: type }) => String(type).startsWith("clock."))
      .map(({ event_type: type, reason, witness }) => `${String(type)} ${String(reason ?? witness)}`);
  }

  [Symbol.dispose](): void {
    this.watch.close();
    this.desk[Symbol.dispose]();
  }

  #now(): ReturnType<VirtualClock["now"]> {
    // The store's time, too.
    this.desk.now = later(this.#running.now(), this.ahead);
    return this.desk.now;
  }
}

const [door = doors[0], back = doors[1]] = doors;

test("a server that agrees ends the doubt at once; one that does not, never", async () => {
  using machine = await new Machine().start();
  await machine.run(5 * minute);
  machine.ahead = 3 * hour;
  machine.server = 0;
  await machine.run(30 * minute);
  expect(machine.watch.isTrusted).toBe(false);
  machine.server = 3 * hour;
  await machine.run(5 * minute);
  expect(machine.watch.isTrusted).toBe(true);
  expect(machine.clockEvents()).toEqual(["clock.untrusted stepped", "clock.trusted server"]);
});

test("more codes of a door than a fifth that end while nobody looked wait until somebody says that the time is right", async () => {
  if (!door || !back) throw new Error("no doors");
  using machine = await new Machine().start();
  await machine.run(minute);
  for (let guest = 0; guest < 12; guest++) machine.stay(`guest-${guest}`, door, 2 * hour);
  for (let guest = 0; guest < 3; guest++) machine.stay(`guest-${guest}`, back, 2 * hour);
  await machine.away(5 * hour);
  await machine.run(30 * minute);
  expect([machine.inForce(door), machine.inForce(back)]).toEqual([12, 0]);
  expect(machine.clockEvents()).toEqual(["clock.untrusted mass_expiry"]);
  expect(machine.watch.confirm("operator")).toBe(true);
  await machine.run(5 * minute);
  expect(machine.inForce(door)).toBe(0);
});

test("as many codes that end at one time while the agent looks on end at that time", async () => {
  if (!door) throw new Error("no door");
  using machine = await new Machine().start();
  await machine.run(minute);
  for (let guest = 0; guest < 12; guest++) machine.stay(`guest-${guest}`, door, 2 * hour);
  await machine.run(2 * hour + 2 * minute);
  expect(machine.inForce(door)).toBe(0);
  expect(machine.clockEvents()).toEqual([]);
});
