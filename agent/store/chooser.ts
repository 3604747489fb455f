import { randomInt } from "node:crypto";
import type { KindLimits, MemoryLimits } from "../domain/abilities.ts";
import { type Candidate, type Choice, choose } from "../domain/choose.ts";
import type { CredentialId, CredentialKind } from "../domain/credential.ts";
import { isHere } from "../domain/decided-here.ts";
import {
  type DeviceId,
  type LockId,
  nobody,
  type PlacementId,
  placementId,
  type UserIdentityId,
} from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { sameWhen } from "../domain/lock-window.ts";
import { drawPin, misfit } from "../domain/pin.ts";
import {
  doubted,
  isClean,
  isUnknowable,
  newPlacement,
  type Placement,
  type Refusal,
  type Wish,
} from "../domain/placement.ts";
import type { Secret } from "../domain/secret.ts";
import type { Choices } from "./choices.ts";
import type { CredentialRow, Credentials } from "./credentials.ts";
import type { Devices } from "./devices.ts";
import type { Grants } from "./grants.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Locks } from "./locks.ts";
import { orderedId } from "./ordered-id.ts";
import type { Kept } from "./placement-row.ts";
import type { Placements } from "./placements.ts";
import type { Vault } from "./vault.ts";
import type { Windows } from "./windows.ts";

export interface PinPolicy {
  /** Whether latchd makes PINs for people who have none. */
  readonly issue: boolean;
  /** Digits, where the locks allow it. */
  readonly length: number;
}

interface Parts {
  readonly grants: Grants;
  readonly credentials: Credentials;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly devices: Devices;
  readonly locks: Locks;
  readonly ledger: PlacementLedger;
  readonly windows: Pick<Windows, "wishOf">;
  readonly vault: Vault;
  readonly pins: PinPolicy;
}

/** A person and a device for which it is chosen anew. */
interface DuePair {
  readonly identity: UserIdentityId;
  readonly device: DeviceId;
  /** The lock that is there. */
  readonly lock: LockId;
  readonly kinds: ReadonlyMap<CredentialKind, KindLimits>;
  /** See {@link MemoryLimits.together}. */
  readonly together: boolean;
  /** The lock tells its codes: what may be there is found out, and is ours or not. */
  readonly isTold: boolean;
  readonly rank: number;
  readonly wish: Wish;
  readonly now: Instant;
  readonly alsoDue: Set<DeviceId>;
}

/** A refusal that we give without asking the lock. */
const isOfCode = (reason: Refusal | undefined): boolean =>
  reason === "duplicate" || reason === "invalid" || reason === "kind_not_supported";

/** How well what is on a lock is what is wished for: 0 where it would open at other times. */
function fitness({ placement }: Kept, { wish, now }: DuePair): number {
  if (isClean(placement)) return 1;
  return sameWhen(placement.when, wish.when, now) ? 2 : 0;
}

/**
 * What we refused ourselves, sending nothing, is taken back when it fits; what the lock refused stands, also where we would
 * refuse it now, too, because another has the code: the other may be refused it as well, and then the lock was asked.
 */
function refusalNow(
  { attempts, refusal: before }: Placement,
  { external }: Wish,
  ours: Placement["refusal"],
): Placement["refusal"] {
  if (ours && !(attempts > 0 && before?.reason === "invalid" && ours.reason === "duplicate")) return ours;
  if (attempts === 0 && isOfCode(before?.reason)) return undefined;
  return before?.reason === "changed_on_lock" && !external ? undefined : before;
}

/** It opens the lock, whatever that says by now that it takes. Where we decide, nothing opens that our rules do not take. */
const isOnIt = ({ belief, refusal, lock }: Placement): boolean =>
  belief.at === "held" && refusal === undefined && !isHere(lock);

const isAnother = (before: Placement, next: Placement, now: Instant): boolean =>
  !before.wanted ||
  before.refusal?.reason !== next.refusal?.reason ||
  before.dormant !== next.dormant ||
  before.external !== next.external ||
  (before.when === "always") !== (next.when === "always") ||
  !sameWhen(before.when, next.when, now);

/**
 * Carries out what `domain/choose` says: placements for the credentials that belong on a device, and PINs where there are
 * none.
 */
export class Chooser {
  /** Pairs for which it is chosen in one go: nothing else happens meanwhile. */
  readonly atOnce = 50;
  readonly #of: Parts;

  constructor(parts: Parts) {
    this.#of = parts;
  }

  /** For pairs of a device that are due, as many as may be kept waiting for at once. The caller's transaction. Returns devices that are due because of it. */
  chooseFor(device: DeviceId, memory: MemoryLimits | undefined, now: Instant): ReadonlySet<DeviceId> {
    const { choices, grants, locks, windows } = this.#of;
    const lock = locks.at(device);
    const alsoDue = new Set<DeviceId>();
    for (const identity of choices.of(device, this.atOnce)) {
      const rank = grants.rank(identity, device);
      if (rank !== undefined && memory && lock !== undefined) {
        const wish = windows.wishOf(identity, device, now);
        const isTold = memory.readBack === "full";
        const { kinds, together = false } = memory;
        this.#chooseFor({ identity, device, lock, kinds, together, isTold, rank, wish, now, alsoDue });
      }
      choices.done(device, identity);
    }
    return alsoDue;
  }

  /** A PIN that fits all of these devices which have said what they take, and that nobody but `identity` has on their locks. */
  draw(on: readonly DeviceId[], identity: UserIdentityId = nobody): Secret | undefined {
    const { devices, locks, credentials, vault, pins } = this.#of;
    const limits = on.flatMap((id) => devices.limits(id)?.kinds.get("pin") ?? []);
    const isTaken = (digits: Secret): boolean => {
      const fingerprint = vault.fingerprint({ kind: "pin", digits });
      return on.some((id) => credentials.isInUse(fingerprint, locks.at(id), identity));
    };
    return drawPin(limits, pins.length, isTaken, randomInt);
  }

  /** How well a credential would fit a device, seen from our side. */
  misfit(id: CredentialId, limits: KindLimits | undefined): Candidate["misfit"] {
    return misfit(this.#of.credentials.open(id), limits);
  }

  #chooseFor(pair: DuePair): void {
    const { identity, device, lock, kinds } = pair;
    const { credentials, placements, pins } = this.#of;
    const current = credentials.of(identity);
    // Also what the lock brought along from another device, but nothing that may as well be its owner's; of two of one code,
    // what has the window that is wished for.
    const here = placements
      .ofPersonOnLock(identity, lock)
      .filter(({ placement }) => pair.isTold || !isUnknowable(placement))
      .toSorted((a, b) => fitness(a, pair) - fitness(b, pair));
    const placed = new Map(here.map((kept) => [kept.placement.credential, kept]));
    const candidates = current.map((row) => this.#candidate(row, lock, kinds.get(row.kind), placed.get(row.id)));
    const { wanted, unfit, issue } = choose(candidates, new Set(kinds.keys()), pins.issue, pair.together);

    const chosen = new Set(wanted);
    if (issue) {
      const made = this.#issue(pair, issue);
      if (made) chosen.add(made);
      else if (pair.together) chosen.clear();
    }
    const kept = new Set<PlacementId>();
    for (const row of credentials.of(identity)) {
      const refusal = unfit.get(row.id);
      if (chosen.has(row.id) || refusal) kept.add(this.#want(row, pair, placed.get(row.id), refusal));
    }
    for (const { placement } of placements.of({ identity, device })) {
      if (!kept.has(placement.id) && placement.wanted)
        this.#of.ledger.keep({ ...placement, wanted: false, next: undefined }, pair.now);
    }
  }

  #candidate(row: CredentialRow, lock: LockId, limits: KindLimits | undefined, kept: Kept | undefined): Candidate {
    return {
      credential: row.id,
      kind: row.kind,
      origin: row.origin,
      known: row.known,
      reissues: row.reissues,
      misfit: this.misfit(row.id, limits),
      taken: this.#of.credentials.isInUse(row.fingerprint, lock, row.identity),
      placed: kept !== undefined,
      refusal: kept ? kept.placement.refusal?.reason : this.#of.placements.lastRefusal(row.id, lock),
    };
  }

  #want(row: CredentialRow, pair: DuePair, known: Kept | undefined, refusal: Placement["refusal"]): PlacementId {
    const { id, identity, kind, fingerprint } = row;
    const { device, lock, rank, wish, now } = pair;
    const { ledger } = this.#of;
    if (!known || fitness(known, pair) === 0) {
      const of = { id: placementId(orderedId(now)), device, lock, identity, credential: id, kind, fingerprint };
      ledger.keep({ ...newPlacement({ ...of, ...wish }), refusal }, now, rank);
      return of.id;
    }
    const { placement: before } = known;
    const next: Placement = {
      ...before,
      ...wish,
      device,
      wanted: true,
      refusal: refusalNow(before, wish, isOnIt(before) ? undefined : refusal),
    };
    if (isAnother(before, next, now))
      ledger.keep(!before.wanted && this.#canRead(device) ? doubted(next) : next, now, rank);
    return next.id;
  }

  #canRead(device: DeviceId): boolean {
    const readBack = this.#of.devices.limits(device)?.readBack;
    return readBack !== undefined && readBack !== "none";
  }

  /** A PIN that fits every lock of the person; where there is none, one for this lock. */
  #issue(
    { identity, device, now, alsoDue }: DuePair,
    { instead, reissues }: NonNullable<Choice["issue"]>,
  ): CredentialId | undefined {
    const { grants, credentials, choices, ledger, placements } = this.#of;
    const all = [...new Set(grants.of({ identity }).map((grant) => grant.device))];
    const digits = this.draw(all, identity) ?? this.draw([device], identity);
    if (!digits) return undefined;
    if (instead !== undefined) {
      // Nobody can know it yet, so that its other doors get the new one, too.
      credentials.close(instead, now);
      for (const { placement } of placements.ofCredential(instead)) {
        ledger.keep({ ...placement, wanted: false }, now);
        choices.due(placement.device, identity);
        alsoDue.add(placement.device);
      }
    }
    return credentials.add(identity, { kind: "pin", digits }, "issued", reissues, now);
  }
}
