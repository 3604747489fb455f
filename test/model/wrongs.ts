import type { CredentialId } from "../../agent/domain/credential.ts";
import { userIdentityId } from "../../agent/domain/ids.ts";
import { isClean, isUnknowable, type Placement } from "../../agent/domain/placement.ts";
import { standing } from "../../agent/domain/receipt.ts";
import type { World } from "../support/world.ts";
import type { WorldLock } from "../support/world-lock.ts";

/** `person door`, the door by its number. */
export interface Wishes {
  /** Who may use which door now. */
  readonly open: ReadonlySet<string>;
  /** Who may now, or at another time. */
  readonly standing: ReadonlySet<string>;
  /** Whose code somebody may change at the lock. */
  readonly external: ReadonlySet<string>;
}
type Wish = "open" | "closed" | "none";

/**
 * What is not as it should be, now that all has come to rest: every lock that can be asked holds what the grants say, and
 * what is on any other is known, and not called anything that it may not be.
 */
export function wrongsOf(world: World, people: readonly string[], wishes: Wishes): readonly string[] {
  const { doors, locks: all, drawer } = world.house;
  return [
    ...world.sins,
    ...world.forgottenCodes,
    ...all.flatMap((lock) => lock.sins),
    ...doors.flatMap((door, at) => {
      const lock = world.house.lockAt(door);
      return lock ? wrongsAt(world, lock, at, people, wishes) : [];
    }),
    ...all.flatMap((lock) => world.unaccounted(lock).map((code) => `${lock.name} has ${code}, and nobody knows`)),
    ...drawer.flatMap((lock) => claimsOf(world, lock)),
  ];
}

const rowsOf = (world: World): readonly Placement[] =>
  world.store.records.placements({}).map(({ placement }) => placement);

/** What is said of a lock that nobody can ask, and may not be. */
function claimsOf(world: World, lock: WorldLock): string[] {
  const isAsked = (placement: Placement): boolean =>
    world.house.doors.some(({ id, isConfigured }) => id === placement.device && isConfigured);
  return rowsOf(world)
    .filter((placement) => placement.lock === lock.identity)
    .flatMap((placement) => {
      const { state } = standing(placement);
      // Where nobody could be asked, nobody could know that it was taken out.
      const isTrue = isAsked(placement) ? state === "removing" : state !== "live";
      return isTrue ? [] : [`${lock.name} is out, and ${placement.identity} on it is ${state}`];
    });
}

function wrongsAt(
  world: World,
  lock: WorldLock,
  at: number,
  people: readonly string[],
  { open, standing: stands, external }: Wishes,
): string[] {
  const wishOf = (pair: string): Wish => (open.has(pair) ? "open" : stands.has(pair) ? "closed" : "none");
  const rows = rowsOf(world).filter((placement) => placement.lock === lock.identity);
  const strays = rows.filter((row) => row.device !== world.device(at) && !isStuck(lock, row));
  return [
    ...strays.map(({ device }) => `${lock.name} at ${world.device(at)} has ${device}'s`),
    ...people.flatMap((person) => [
      ...wrongCodes(world, lock, person, rows),
      ...wrongStates(world, lock, person, rows, wishOf(`${person} ${at}`), external.has(`${person} ${at}`)),
    ]),
  ];
}

function wrongCodes(world: World, lock: WorldLock, person: string, rows: readonly Placement[]): string[] {
  const codes = liveOf(rows, person).map((id) => world.code(id));
  const stuck = new Set(rows.filter((row) => isStuck(lock, row)).map(({ credential }) => world.code(credential)));
  const isExcused = (value: string): boolean => stuck.has(value) || isFormer(world, lock, person, value);
  // Nobody can tell whose a code is that two people have: it opens for both, and is called live for one.
  const isOthers = (label: string, value: string): boolean =>
    liveOf(rows, label).some((id) => world.code(id) === value);
  const onLock = lock
    .opening()
    .filter(({ label, value }) =>
      codes.includes(value) ? label === person || !isOthers(label, value) : label === person && !isExcused(value),
    )
    .map(({ value }) => value);
  const isRight = onLock.toSorted().join() === codes.toSorted().join();
  return isRight ? [] : [`${person} at ${lock.name}: on the lock ${onLock.join()}, live ${codes.join()}`];
}

const liveOf = (rows: readonly Placement[], person: string): readonly CredentialId[] =>
  rows.flatMap((row) =>
    row.identity === userIdentityId(person) && standing(row).state === "live" ? [row.credential] : [],
  );

function wrongStates(
  world: World,
  lock: WorldLock,
  person: string,
  rows: readonly Placement[],
  wish: Wish,
  isExternal: boolean,
): string[] {
  const mine = rows.filter(({ identity }) => identity === userIdentityId(person));
  const say = (what: string): string => `${person} at ${lock.name}: ${what}`;
  if (wish !== "open") {
    const isShut = (row: Placement): boolean => wish === "closed" && isResting(row);
    const wrong = mine.filter((row) => !isStuck(lock, row) && !isShut(row) && !isAwaited(world, row));
    return wrong.map((row) => say(`${wish}, but ${standing(row).state} ${String(standing(row).reason)}`));
  }
  if (mine.length === 0) return [say("granted, and nothing is under way")];
  return mine.flatMap((placement) => {
    const { state, reason } = standing(placement);
    const { wanted, credential } = placement;
    if (isStuck(lock, placement)) return [];
    if (state === "live" && wanted && isCurrent(world, credential, person)) return [];
    if (state === "refused" && wanted && isExternal && isByHand(world, lock, person, placement)) return [];
    if (state === "refused" && wanted && isRefusal(world, reason, lock, person, credential)) return [];
    // Who found no room, or is between two windows, keeps the code that they wait with.
    const isFirst = (row: Placement): boolean =>
      row.wanted &&
      row.identity !== person &&
      row.fingerprint === placement.fingerprint &&
      (row.refusal?.reason === "full" || row.dormant);
    if (reason === "duplicate" && rows.some(isFirst)) return [];
    return [say(`${state} ${String(reason)} wanted ${wanted} clean ${isClean(placement)}`)];
  });
}

/** It may be there, or was refused, and does not open. */
const isResting = (row: Placement): boolean =>
  row.wanted && row.dormant && (standing(row).reason === "outside_window" || standing(row).state === "refused");

/** A lock that has refused it not long ago may still carry it out: until it no longer may, nobody calls it gone. */
const isAwaited = (world: World, { belief, refusal, late }: Placement): boolean =>
  belief.at === "nowhere" && refusal !== undefined && late !== undefined && world.clock.now() < late.until;

/** The owner has taken it out, or suspended it, and that stands. */
const isByHand = (world: World, lock: WorldLock, person: string, { credential, refusal }: Placement): boolean =>
  (refusal?.reason === "changed_on_lock" || refusal?.reason === "forbidden") &&
  lock.byHand.has(`${person}/${world.code(credential)}`);

/** What was in doubt when a lock left that does not tell codes stays in doubt, if something is there when it is back. */
const isStuck = (lock: WorldLock, row: Placement): boolean => isUnknowable(row) && lock.spec.readBack === "masked";

/** It is in the debt, or of a device that is configured no longer. */
const isUncertain = (row: Placement): boolean => ["removing", "unconfirmed"].includes(standing(row).state);

/**
 * What a lock has kept under a former name, and nobody can know for ours, is not forgotten: where it does not tell codes,
 * or is not known to be what was at this door before.
 */
function isFormer(world: World, lock: WorldLock, person: string, code: string): boolean {
  const former = new Set<string>(lock.identities.slice(0, -1));
  const door = world.house.doors.find((each) => world.house.lockAt(each) === lock);
  return rowsOf(world)
    .filter((row) => former.has(row.lock) && isUncertain(row))
    .filter(
      (row) =>
        lock.spec.readBack === "masked" || row.device !== door?.id || row.lock !== world.replaced.get(lock.identity),
    )
    .some(({ identity, credential }) => identity === userIdentityId(person) && code === world.code(credential));
}

function isRefusal(
  world: World,
  reason: string | null,
  lock: WorldLock,
  person: string,
  credential: CredentialId,
): boolean {
  const code = world.code(credential);
  if (lock.refused.has(`${person}/${code} ${reason}`)) return true;
  if (reason === "full") return lock.held().length >= lock.spec.slots;
  const isTaken = ({ value, label }: { value: string; label: string }): boolean =>
    value === code && (label !== person || isFormer(world, lock, label, value));
  const isStuckHere = rowsOf(world).some(
    (row) => row.lock === lock.identity && isStuck(lock, row) && world.code(row.credential) === code,
  );
  return reason === "duplicate" && (isStuckHere || lock.held().some(isTaken));
}

const isCurrent = (world: World, credential: string, person: string): boolean =>
  world.store.records.credentials({ identity: userIdentityId(person) }).some(({ id }) => id === credential);
