import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { SlotName } from "../../agent/domain/slot.ts";
import type { World, WorldSpec } from "../support/world.ts";
import { type LockSpec, owner, type WorldLock } from "../support/world-lock.ts";
import { rebuild, rebuildDeeds, rebuilt } from "./rebuild.ts";
import { edgeAfter, edgeEvery, Timetable } from "./timetable.ts";
import type { Wishes } from "./wrongs.ts";

export const people: readonly string[] = ["ann", "ben", "cyd", "dot"];
const ownPins = ["1593", "2604", "3715"];
const minute = 60_000;

const anyLock: fc.Arbitrary<LockSpec> = fc.oneof(
  fc.record({
    memory: fc.constant("numbered" as const),
    readBack: fc.constantFrom("full" as const, "full" as const, "masked" as const),
    slots: fc.integer({ min: 2, max: 6 }),
    settles: fc.constantFrom(undefined, 10 * minute, 90 * minute),
    keepsWindows: fc.constantFrom(false, false, true),
    suspends: fc.constantFrom(false, false, true),
  }),
  fc.record({
    memory: fc.constantFrom("assigned" as const, "keyed" as const),
    readBack: fc.constant("full" as const),
    slots: fc.integer({ min: 2, max: 6 }),
    keepsWindows: fc.constantFrom(false, true),
    suspends: fc.constantFrom(false, true),
  }),
);

export const anyWorld = (locks: number): fc.Arbitrary<WorldSpec> =>
  fc.record({
    seed: fc.integer(),
    locks: fc.array(anyLock, { minLength: locks, maxLength: locks }),
    atOnce: fc.constantFrom(1 as const, "unlimited" as const),
  });

const timeDeeds = ["give_time", "give_time", "give_time", "change_time", "take_time"] as const;
const wishes = [
  ...(["grant", "grant", "grant", "grant", "revoke", "revoke", "revoke", "own", "own"] as const),
  ...timeDeeds,
] as const;
const handsOfOwner = [
  ...(["owner_writes", "owner_frees", "owner_takes_ours", "owner_overwrites"] as const),
  ...(["owner_suspends", "owner_loosens", "online"] as const),
] as const;
/** In most of the others the agent ends and is started again: it is to get something done between them. */
export const deeds = [
  ...wishes,
  ...wishes,
  ...wishes,
  ...handsOfOwner,
  ...handsOfOwner,
  ...(["grant_and_kill", "revoke_and_kill", "kill", "restart", "wipe", "wipe", "reveal"] as const),
  ...(["move_clock", "kill_at_edge", "kill_at_edge"] as const),
  ...rebuildDeeds,
] as const;
export const anyDeed = fc.record({
  after: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
    fc.integer({ max: 20 * minute, min: 0 }),
  ),
  deed: fc.constantFrom(...deeds),
  who: fc.nat({ max: people.length - 1 }),
  where: fc.nat({ max: 2 }),
  pin: fc.nat({ max: ownPins.length - 1 }),
});
type Doing = (typeof deeds)[number];
type OwnerDeed = Extract<Doing, `owner_${string}`>;
const isOwners = (what: Doing): what is OwnerDeed => what.startsWith("owner_");
const wishOf = { grant_and_kill: "grant", revoke_and_kill: "revoke" } as const;
type TimeDeed = (typeof timeDeeds)[number];
const isOfTime = (what: Doing): what is TimeDeed => timeDeeds.some((each) => each === what);
const happeningDeeds = ["kill", "kill_at_edge", "restart", "online", "wipe"] as const;
type HappeningDeed = (typeof happeningDeeds)[number];
const isHappening = (what: Doing): what is HappeningDeed => happeningDeeds.some((each) => each === what);
type RebuildDeed = (typeof rebuildDeeds)[number];
const isRebuild = (what: Doing): what is RebuildDeed => rebuildDeeds.some((each) => each === what);

export const otherTroubles = [
  ...(["given_for_a_time", "given_external", "time_changed", "time_taken"] as const),
  ...(["wiped", "told_late", "clock_moved"] as const),
  ...(["owner_writes", "owner_frees", "owner_takes_ours", "owner_overwrites"] as const),
  ...(["owner_suspends", "owner_loosens"] as const),
  ...rebuilt,
];
export type Deed = typeof anyDeed extends fc.Arbitrary<infer T> ? T : never;

/** Of the clock, each more than is believed without somebody's word. */
const steps = [13 * 365 * 24 * 60 * minute, -1_750_000_000_000, 2 * 60 * minute, -2 * 60 * minute, 24 * 60 * minute];

const nameOf = (who: number): string => people[who] ?? "";

/** What the world knows and the agent was not told yet. */
export class Play {
  readonly world: World;
  readonly granted = new Set<string>();
  readonly #timetable = new Timetable();
  readonly #untold: (() => void)[] = [];
  #ownerCodes = 90_000_000;

  constructor(world: World) {
    this.world = world;
  }

  async act({ deed: what, who, where, pin }: Deed): Promise<void> {
    const { world } = this;
    const at = where % world.house.doors.length;
    const { [at]: place } = world.locks;
    const person = nameOf(who);
    if (!place) return undefined;
    world.count(`deed:${what}`);
    if (isOwners(what)) return this.#owner(what, place);
    if (isRebuild(what)) return rebuild(world, what, at, pin);
    if (isOfTime(what)) return this.#time(what, person, at, who + pin);
    if (isHappening(what)) return this.#happen(what, place);
    switch (what) {
      case "grant":
      case "revoke":
        return this.#wish(what, person, at);
      case "grant_and_kill":
      case "revoke_and_kill":
        await this.act({ deed: wishOf[what], who, where, pin, after: 0 });
        await world.clock.run(100 + 200 * pin);
        return world.kill();
      case "own":
        return void world.ask("credentials/set", { user_identity_id: person, kind: "pin", value: ownPins[pin] });
      case "reveal":
        return void world.ask("credentials/get", { user_identity_id: person });
      case "move_clock":
        return this.#moveClock(who + where, { deed: who % 2 === 0 ? "grant" : "revoke", who, where, pin, after: 0 });
    }
  }

  #happen(what: HappeningDeed, place: WorldLock): Promise<void> | void {
    switch (what) {
      case "kill":
      case "restart":
        return this.world[what]();
      case "kill_at_edge":
        return this.#killAtEdge();
      case "online":
        return place.tell({ event: "online" });
      case "wipe":
        return this.#wipe(place);
    }
  }

  /** While windows open and close, and codes are suspended and let open again. */
  async #killAtEdge(): Promise<void> {
    const { clock } = this.world;
    await clock.run(edgeAfter(clock.now()) - clock.now() + 20 + Math.floor(this.world.random() * 400));
    return this.world.kill();
  }

  /** For a while, in which something is wished for. */
  async #moveClock(which: number, meanwhile: Deed): Promise<void> {
    const { world } = this;
    world.count("clock_moved");
    world.setAhead(steps[which % steps.length] ?? 0);
    await this.act(meanwhile);
    await world.clock.run(Math.floor(world.random() * 90) * minute);
    world.confirmClock();
  }

  #time(what: TimeDeed, person: string, at: number, which: number): void {
    switch (what) {
      case "give_time":
        return this.#timetable.give(this.world, person, this.#doorsFrom(at, which), this.#luck());
      case "change_time":
        return this.#timetable.change(this.world, which, this.#luck());
      case "take_time":
        return this.#timetable.take(this.world, which);
    }
  }

  #luck(): readonly number[] {
    return Array.from({ length: 5 }, () => this.world.random());
  }

  /** One door, or two. */
  #doorsFrom(at: number, which: number): readonly number[] {
    const other = (at + 1) % this.world.house.doors.length;
    return which % 3 === 0 && other !== at ? [at, other] : [at];
  }

  /** `person door`: who may use a door now, who may at another time, and whose code may be changed at the lock. */
  get wishes(): Wishes {
    const now = this.world.clock.now();
    const open = this.#openAt(now);
    const external = this.#timetable.external().filter((pair) => !this.granted.has(pair));
    return { open, standing: new Set([...open, ...this.#timetable.standing(now)]), external: new Set(external) };
  }

  #openAt(at: number): ReadonlySet<string> {
    return new Set([...this.granted, ...this.#timetable.open(at)]);
  }

  #wish(what: "grant" | "revoke", person: string, at: number): void {
    const isConfigured = this.world.house.doors[at]?.isConfigured ?? false;
    const pair = { user_identity_id: person, device_id: this.world.device(at) };
    const key = `${person} ${at}`;
    const { ok } = this.world.ask(`user_identities/${what}_access_to_device`, pair);
    // A door that is configured no longer takes no grant, and what was granted there may be revoked.
    if (what === "grant") assert.equal(ok, isConfigured);
    else assert.equal(ok, this.granted.has(key) || isConfigured);
    if (what === "revoke") this.granted.delete(key);
    else if (ok) this.granted.add(key);
  }

  #wipe(place: WorldLock): void {
    if (this.world.random() > 0.2) return;
    this.world.count("wiped");
    place.wipe();
    place.tell({ event: "all_deleted" });
  }

  /** By hand, at the lock: told to us, or told to us late. */
  #owner(what: OwnerDeed, place: WorldLock): void {
    // With codes masked nobody can tell a code of ours from one that the owner put in its place.
    if (place.spec.readBack === "masked" && (what === "owner_writes" || what === "owner_overwrites")) return;
    switch (what) {
      case "owner_writes":
      case "owner_overwrites": {
        const slot = place.ownerWrites(String(this.#ownerCodes++), what === "owner_writes" ? "empty" : "any");
        if (slot !== undefined) this.#tell(place, slot, what);
        return;
      }
      case "owner_frees":
      case "owner_takes_ours":
        return this.#byHand(what, place, (slot) => place.clears(slot));
      case "owner_suspends":
        return place.spec.suspends ? this.#byHand(what, place, (slot) => place.suspends(slot)) : undefined;
      case "owner_loosens":
        return place.spec.keepsWindows ? this.#byHand(what, place, (slot) => place.loosens(slot)) : undefined;
    }
  }

  /** To a code of ours, but where the owner frees a slot. */
  #byHand(what: OwnerDeed, place: WorldLock, act: (slot: SlotName) => void): void {
    const found = place.held().find(({ label }) => (label === owner) === (what === "owner_frees"));
    if (!found) return;
    act(found.slot);
    this.#tell(place, found.slot, what);
  }

  #tell(place: WorldLock, slot: Parameters<WorldLock["changed"]>[0], what: string): void {
    this.world.count(what);
    if (this.world.random() < 0.5) return place.changed(slot);
    this.world.count("told_late");
    place.untold += 1;
    this.#untold.push(() => {
      place.untold -= 1;
      place.changed(slot);
    });
  }

  /**
   * Nothing goes wrong any more, and time runs on.
   *
   * @returns for each lock, and each time that something was changed that it holds or should hold, after how many rounds it
   * held what it went on to hold.
   */
  async calm(): Promise<readonly number[]> {
    const { clock, house } = this.world;
    const settled: number[] = [];
    const disturb = (lock: WorldLock | undefined): void => {
      if (lock) settled.push(lock.disturbed());
    };
    for (const lock of house.locks) {
      lock.trouble = 0;
      lock.disturbed();
    }
    await clock.run(2 * minute);
    for (const tell of this.#untold) tell();
    const until = clock.now() + 5 * 3600_000;
    // Long enough after the last window that opened or closed.
    const end = edgeAfter(until) + edgeEvery * 0.75;
    for (let edge = edgeAfter(clock.now()); edge < end; edge += edgeEvery) {
      await clock.run(edge - 1 - clock.now());
      const changing = changed(this.#openAt(clock.now()), this.#openAt(edge));
      for (const at of changing) disturb(house.doors[at] && house.lockAt(house.doors[at]));
    }
    await clock.run(end - clock.now());
    for (const lock of house.locks) disturb(lock);
    return settled;
  }
}

/** Doors, by their number, that somebody may use in one of two times only. */
function changed(before: ReadonlySet<string>, after: ReadonlySet<string>): ReadonlySet<number> {
  const differing = [...before, ...after].filter((pair) => before.has(pair) !== after.has(pair));
  return new Set(differing.map((pair) => Number(pair.split(" ")[1])));
}
