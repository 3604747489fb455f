import assert from "node:assert/strict";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { CredentialId } from "../../agent/domain/credential.ts";
import { userIdentityId } from "../../agent/domain/ids.ts";
import { isClean } from "../../agent/domain/placement.ts";
import { standing } from "../../agent/domain/receipt.ts";
import { blankImage, World } from "../support/world.ts";
import { faults, type LockSpec, owner, type WorldLock } from "../support/world-lock.ts";

/** LATCHD_LONG=1 looks at many more worlds, and longer ones; LATCHD_SEED and LATCHD_PATH repeat one that failed. */
const isLong = process.env["LATCHD_LONG"] !== undefined;
const worlds = isLong ? 6_000 : 300;
const deedsAtMost = isLong ? 30 : 9;
const people = ["ann", "ben", "cyd", "dot"];
const ownPins = ["1593", "2604", "3715"];
const minute = 60_000;

const lock: fc.Arbitrary<LockSpec> = fc.oneof(
  fc.record({
    memory: fc.constant("numbered" as const),
    readBack: fc.constantFrom("full" as const, "full" as const, "masked" as const),
    slots: fc.integer({ min: 2, max: 6 }),
    settles: fc.constantFrom(undefined, 10 * minute, 90 * minute),
  }),
  fc.record({
    memory: fc.constantFrom("assigned" as const, "keyed" as const),
    readBack: fc.constant("full" as const),
    slots: fc.integer({ min: 2, max: 6 }),
  }),
);

const deeds = [
  ...(["grant", "grant", "grant", "grant", "revoke", "revoke", "revoke", "own", "own"] as const),
  ...(["owner_writes", "owner_frees", "owner_takes_ours", "owner_overwrites"] as const),
  ...(["grant_and_kill", "revoke_and_kill", "kill", "restart", "online", "wipe", "reveal"] as const),
] as const;
const deed = fc.record({
  after: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
    fc.integer({ max: 20 * minute, min: 0 }),
  ),
  deed: fc.constantFrom(...deeds),
  who: fc.nat({ max: people.length - 1 }),
  where: fc.nat({ max: 2 }),
  pin: fc.nat({ max: ownPins.length - 1 }),
});
type OwnerDeed = Extract<(typeof deeds)[number], `owner_${string}`>;
const isOwners = (what: (typeof deeds)[number]): what is OwnerDeed => what.startsWith("owner_");

const otherTroubles = [
  ...(["killed_after_sending", "killed_before_sending", "wiped", "told_late"] as const),
  ...(["owner_writes", "owner_frees", "owner_takes_ours", "owner_overwrites"] as const),
];
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

const counts = new Map<string, number>();
const image = blankImage();

/** What the world knows and the agent was not told yet. */
class Play {
  readonly world: World;
  readonly granted = new Set<string>();
  readonly #untold: (() => void)[] = [];
  #ownerCodes = 90_000_000;

  constructor(world: World) {
    this.world = world;
  }

  async act({ deed: what, who, where, pin }: Deed): Promise<void> {
    const { world } = this;
    const at = where % world.locks.length;
    const place = world.locks[at];
    const person = people[who] ?? "";
    if (!place) return;
    const pair = { user_identity_id: person, device_id: world.device(at) };
    if (isOwners(what)) return this.#owner(what, place);
    switch (what) {
      case "grant":
        assert.deepEqual(world.ask("user_identities/grant_access_to_device", pair), { ok: true });
        this.granted.add(`${person} ${at}`);
        return;
      case "revoke":
        assert.deepEqual(world.ask("user_identities/revoke_access_to_device", pair), { ok: true });
        this.granted.delete(`${person} ${at}`);
        return;
      case "grant_and_kill":
      case "revoke_and_kill":
        await this.act({ deed: what === "grant_and_kill" ? "grant" : "revoke", who, where, pin, after: 0 });
        await world.clock.run(100 + 200 * pin);
        return world.kill();
      case "own":
        world.ask("credentials/set", { user_identity_id: person, kind: "pin", value: ownPins[pin] });
        return;
      case "reveal":
        world.ask("credentials/get", { user_identity_id: person });
        return;
      case "kill":
        return world.kill();
      case "restart":
        return world.restart();
      case "online":
        return world.all("online", place);
      case "wipe":
        return this.#wipe(place);
    }
  }

  #wipe(place: WorldLock): void {
    if (this.world.random() > 0.2) return;
    this.world.count("wiped");
    place.wipe();
    this.world.all("all_deleted", place);
  }

  /** By hand, at the lock: told to us, or told to us late. */
  #owner(what: OwnerDeed, place: WorldLock): void {
    const held = place.held();
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
      case "owner_takes_ours": {
        const found = held.find(({ label }) => (label === owner) === (what === "owner_frees"));
        if (!found) return;
        place.clears(found.slot);
        this.#tell(place, found.slot, what);
      }
    }
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

  /** Nothing goes wrong any more, and time runs on. */
  async calm(): Promise<void> {
    for (const place of this.world.locks) place.trouble = 0;
    await this.world.clock.run(2 * minute);
    for (const tell of this.#untold) tell();
    await this.world.clock.run(5 * 3600_000);
  }

  /** What is not as it should be, now that all has come to rest. */
  wrongs(): readonly string[] {
    const { world } = this;
    return [...world.sins, ...world.locks.flatMap((place, at) => [...place.sins, ...this.#wrongsOf(place, at)])];
  }

  #wrongsOf(place: WorldLock, at: number): string[] {
    const { world } = this;
    const device = world.device(at);
    const held = place.held();
    const wrongs: string[] = [];
    const rows = this.world.store.records.placements({ device });
    for (const person of people) {
      const onLock = held.filter(({ label }) => label === person).map(({ value }) => value);
      const mine = rows.filter(({ placement }) => placement.identity === userIdentityId(person));
      const live = mine.flatMap(({ placement }) => (standing(placement).state === "live" ? [placement] : []));
      const codes = live.map(({ credential }) => this.world.code(credential));
      const say = (what: string): void => void wrongs.push(`${person} at ${place.address}: ${what}`);
      if (onLock.toSorted().join() !== codes.toSorted().join())
        say(`on the lock ${onLock.join()}, live ${codes.join()}`);
      if (!this.granted.has(`${person} ${at}`)) {
        if (mine.length > 0) say(`not granted, but ${mine.map(({ placement }) => standing(placement).state).join()}`);
        continue;
      }
      if (mine.length === 0) say("granted, and nothing is under way");
      for (const { placement } of mine) {
        const { state, reason } = standing(placement);
        if (state === "live" && placement.wanted && isCurrent(this.world, placement.credential, person)) continue;
        if (state === "refused" && placement.wanted && this.#isRefusal(reason, place, person, placement.credential))
          continue;
        // Who found no room keeps the code that they wait with.
        const first = rows.some(
          ({ placement: { identity, fingerprint, wanted, refusal } }) =>
            wanted && identity !== person && fingerprint === placement.fingerprint && refusal?.reason === "full",
        );
        if (reason === "duplicate" && first) continue;
        say(`${state} ${String(reason)} wanted ${placement.wanted} clean ${isClean(placement)}`);
      }
    }
    return wrongs;
  }

  #isRefusal(reason: string | null, place: WorldLock, person: string, credential: CredentialId): boolean {
    const code = this.world.code(credential);
    if (place.refused.has(`${person}/${code} ${reason}`)) return true;
    if (reason === "full") return place.held().length >= place.spec.slots;
    return reason === "duplicate" && place.held().some(({ value, label }) => value === code && label !== person);
  }
}

const isCurrent = (world: World, credential: string, person: string): boolean =>
  world.store.records.credentials({ identity: userIdentityId(person) }).some(({ id }) => id === credential);

test(`${worlds} worlds come to rest with every lock as its grants say, and nothing untrue said on the way`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.integer(),
        locks: fc.array(lock, { minLength: 1, maxLength: 3 }),
        atOnce: fc.constantFrom(1 as const, "unlimited" as const),
      }),
      fc.constantFrom(0, 0.1, 0.3, 0.6),
      fc.array(deed, { minLength: 3, maxLength: deedsAtMost }),
      async (spec, trouble, acts) => {
        using world = new World(spec, counts, image);
        const play = new Play(world);
        for (const place of world.locks) place.trouble = trouble;
        for (const act of acts) {
          await world.clock.run(act.after);
          await play.act(act);
        }
        await play.calm();
        const wrongs = play.wrongs();
        expect(wrongs.length === 0 ? wrongs : [...wrongs, ...world.history.slice(-400)]).toEqual([]);
        expect(world.clock.woken).toBeLessThan(6_000);
      },
    ),
    {
      numRuns: worlds,
      endOnFailure: process.env["LATCHD_SHRINK"] === undefined,
      ...(process.env["LATCHD_SEED"] ? { seed: Number(process.env["LATCHD_SEED"]) } : {}),
      ...(process.env["LATCHD_PATH"] ? { path: process.env["LATCHD_PATH"] } : {}),
    },
  );
}, 600_000);

test("commands that keep coming do not keep a lock from being written", async () => {
  const locks = [{ memory: "numbered", readBack: "full", slots: 60 }] as const;
  using world = new World({ seed: 1, locks, atOnce: 1 }, new Map(), image);
  for (let person = 0; person < 50; person++) {
    const pair = { user_identity_id: `person-${person}`, device_id: world.device(0) };
    world.ask("user_identities/grant_access_to_device", pair);
    await world.clock.run(400);
  }
  expect(world.locks[0]?.held().length).toBeGreaterThan(5);
});

test.each([...faults, ...otherTroubles])("the worlds had trouble enough: %s", (trouble) => {
  expect(counts.get(trouble) ?? 0).toBeGreaterThan(0);
});

test.each([
  ...["access.accepted", "access.live", "access.unconfirmed", "access.refused", "access.gone"],
  ...["device.breaker_opened", "device.breaker_closed"],
])("the worlds were told of %s", (event) => {
  expect(counts.get(event) ?? 0).toBeGreaterThan(0);
});
