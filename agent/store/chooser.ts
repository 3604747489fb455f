import { randomInt, randomUUID } from "node:crypto";
import type { Abilities, KindLimits } from "../domain/abilities.ts";
import { type Candidate, type Choice, choose } from "../domain/choose.ts";
import type { CredentialId, CredentialKind } from "../domain/credential.ts";
import { type DeviceId, type LockId, placementId, type UserIdentityId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { drawPin, misfit } from "../domain/pin.ts";
import { doubted, newPlacement, type Placement, type Refusal } from "../domain/placement.ts";
import type { Secret } from "../domain/secret.ts";
import type { Choices } from "./choices.ts";
import type { CredentialRow, Credentials } from "./credentials.ts";
import type { Devices } from "./devices.ts";
import type { Grants } from "./grants.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Locks } from "./locks.ts";
import type { Kept } from "./placement-row.ts";
import type { Placements } from "./placements.ts";
import type { Vault } from "./vault.ts";

export interface PinPolicy {
  /** Whether latchd makes PINs for people who have none. */
  readonly issue: boolean;
  /** Digits, where the locks allow it. */
  readonly length: number;
}

/** Pairs for which it is chosen in one transaction: nothing else happens meanwhile. */
const atOnce = 100;

interface Parts {
  readonly grants: Grants;
  readonly credentials: Credentials;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly devices: Devices;
  readonly locks: Locks;
  readonly ledger: PlacementLedger;
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
  readonly rank: number;
  readonly now: Instant;
  readonly alsoDue: Set<DeviceId>;
}

/** A refusal that we give without asking the lock. */
const isOfCode = (reason: Refusal | undefined): boolean =>
  reason === "duplicate" || reason === "invalid" || reason === "kind_not_supported";

/**
 * Carries out what `domain/choose` says: placements for the credentials that belong on a device, and PINs where there are
 * none.
 */
export class Chooser {
  readonly #of: Parts;

  constructor(parts: Parts) {
    this.#of = parts;
  }

  /** For pairs of a device that are due, as many as may be kept waiting for at once. The caller's transaction. Returns devices that are due because of it. */
  chooseFor(device: DeviceId, { memory }: Abilities, now: Instant): ReadonlySet<DeviceId> {
    const { choices, grants, locks } = this.#of;
    const lock = locks.at(device);
    const alsoDue = new Set<DeviceId>();
    for (const identity of choices.of(device, atOnce)) {
      const rank = grants.rank(identity, device);
      if (rank !== undefined && memory && lock !== undefined) {
        this.#chooseFor({ identity, device, lock, kinds: memory.kinds, rank, now, alsoDue });
      }
      choices.done(device, identity);
    }
    return alsoDue;
  }

  /** How well a credential would fit a device, seen from our side. */
  misfit(id: CredentialId, limits: KindLimits | undefined): Candidate["misfit"] {
    return misfit(this.#of.credentials.open(id), limits);
  }

  #chooseFor(pair: DuePair): void {
    const { identity, device, lock, kinds } = pair;
    const { credentials, placements, pins } = this.#of;
    const current = credentials.of(identity);
    // Also what the lock brought along from another device.
    const placed = new Map(placements.ofPersonOnLock(identity, lock).map((kept) => [kept.placement.credential, kept]));
    const candidates = current.map((row) => this.#candidate(row, lock, kinds.get(row.kind), placed.get(row.id)));
    const { wanted, unfit, issue } = choose(candidates, new Set(kinds.keys()), pins.issue);

    const chosen = new Set(wanted);
    if (issue) {
      const made = this.#issue(pair, issue);
      if (made) chosen.add(made);
    }
    for (const row of credentials.of(identity)) {
      const refusal = unfit.get(row.id);
      if (chosen.has(row.id) || refusal) this.#want(row, pair, placed.get(row.id)?.placement, refusal);
    }
    for (const { placement } of placements.of({ identity, device })) {
      if (chosen.has(placement.credential) || unfit.has(placement.credential)) continue;
      if (placement.wanted) this.#of.ledger.keep({ ...placement, wanted: false }, pair.now);
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

  #want(
    row: CredentialRow,
    { device, lock, rank, now }: DuePair,
    before: Placement | undefined,
    refusal: Placement["refusal"],
  ): void {
    const { id, identity, kind, fingerprint } = row;
    const placement =
      before ??
      newPlacement({ id: placementId(randomUUID()), device, lock, identity, credential: id, kind, fingerprint });
    // What we refused ourselves, sending nothing, is taken back when it fits; what the lock refused stands.
    const isOurs = refusal !== undefined || (before?.attempts === 0 && isOfCode(before.refusal?.reason));
    const next: Placement = { ...placement, device, wanted: true, refusal: isOurs ? refusal : placement.refusal };
    if (!before || !before.wanted || before.refusal?.reason !== next.refusal?.reason)
      this.#of.ledger.keep(before?.wanted === false && this.#canRead(device) ? doubted(next) : next, now, rank);
  }

  #canRead(device: DeviceId): boolean {
    const readBack = this.#of.devices.abilities(device)?.memory?.readBack;
    return readBack !== undefined && readBack !== "none";
  }

  /** A PIN that fits every lock of the person; where there is none, one for this lock. */
  #issue(
    { identity, device, now, alsoDue }: DuePair,
    { instead, reissues }: NonNullable<Choice["issue"]>,
  ): CredentialId | undefined {
    const { grants, devices, locks, credentials, vault, choices, ledger, placements, pins } = this.#of;
    const limitsOf = (id: DeviceId): KindLimits[] => {
      const limits = devices.abilities(id)?.memory?.kinds.get("pin");
      return limits ? [limits] : [];
    };
    const all = [...new Set(grants.of({ identity }).map((grant) => grant.device))];
    const draw = (on: readonly DeviceId[]): Secret | undefined =>
      drawPin(
        on.flatMap(limitsOf),
        pins.length,
        (digits) => {
          const fingerprint = vault.fingerprint({ kind: "pin", digits });
          return on.some((id) => credentials.isInUse(fingerprint, locks.at(id), identity));
        },
        randomInt,
      );
    const digits = draw(all) ?? draw([device]);
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
