import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Abilities } from "../domain/abilities.ts";
import { astray, isAbout, renamed, returned } from "../domain/displaced.ts";
import { type DeviceId, type LockId, lockId, placementId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { observe } from "../domain/observe.ts";
import { isClean, type Placement, slotOf } from "../domain/placement.ts";
import type { Observed, SlotName } from "../domain/slot.ts";
import type { Choices } from "./choices.ts";
import type { Devices } from "./devices.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./journal.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Locks } from "./locks.ts";
import type { Placements } from "./placements.ts";

interface Parts {
  readonly grants: Grants;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly devices: Devices;
  readonly locks: Locks;
  readonly journal: Journal;
  readonly ledger: PlacementLedger;
  readonly transaction: <T>(act: () => T) => T;
  readonly now: () => Instant;
}

/** Which lock, or which reader, stands at a device, and what follows where that is another than before. */
export class Meetings {
  readonly #parts: Parts;
  /** Since the start: what nobody could choose for before may be chosen for now, once. */
  readonly #met = new Set<DeviceId>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * What the lock at a device says of itself. Where it is not the one that was there before, what is on that one is to be
   * removed from it, and this one is to be read as a whole. Returns the other devices where it was met before.
   *
   * @param sent what was written at the device since its lock last said who it is: it may be on either.
   */
  learn(device: DeviceId, abilities: Abilities, sent: readonly Placement[] = []): readonly DeviceId[] {
    const { devices, transaction } = this.#parts;
    return transaction(() => {
      if (!devices.isDecidedHere(device)) return this.#learnLock(device, abilities, sent);
      this.#learnReader(device, abilities);
      return [];
    });
  }

  #learnLock(device: DeviceId, abilities: Abilities, sent: readonly Placement[]): readonly DeviceId[] {
    const { grants, placements, choices, devices, locks, journal, ledger, now } = this.#parts;
    const before = devices.abilities(device);
    const lock = lockId(abilities.identity);
    locks.meet(device, lock);
    const isSame = locks.at(device) === lock;
    const others = locks.holding(lock).filter((other) => other !== device);
    // Whatever the order in which it is said: what is kept has another than what a driver says.
    if (isSame && others.length === 0 && !locks.isMoved(device) && isDeepStrictEqual(before, abilities)) {
      this.#meetAgain(device, lock);
      return [];
    }
    for (const other of others) locks.vacate(other);
    const was = before && before.identity !== abilities.identity ? lockId(before.identity) : undefined;
    devices.learn(device, abilities);
    locks.put(device, lock, was);
    if (was !== undefined) journal.event("device.replaced", { device_id: device, was, is: lock }, now());
    ledger.displace(device, lock, now());
    if (!isSame) for (const { placement } of placements.onLock(lock)) ledger.keep(returned(placement), now());
    for (const placement of sent) if (placement.lock !== lock) this.#lookFor(placement, device, lock);
    choices.dueOnDevice(device);
    // What the lock keeps by itself may be another than before.
    grants.outdate(device, "");
    return others;
  }

  /** What is granted at its door does not depend on which reader hangs there; who looks after the door wants to know. */
  #learnReader(device: DeviceId, is: Abilities): void {
    const { devices, journal, now } = this.#parts;
    const was = devices.abilities(device);
    if (isDeepStrictEqual(was, is)) return;
    devices.learn(device, is);
    if (was && was.identity !== is.identity)
      journal.event("device.replaced", { device_id: device, was: was.identity, is: is.identity }, now());
  }

  #meetAgain(device: DeviceId, lock: LockId): void {
    const { choices, locks } = this.#parts;
    if (locks.placeOf(device) === undefined) locks.put(device, lock, undefined);
    if (!this.#met.has(device)) choices.dueWhereUnmet(device);
    this.#met.add(device);
  }

  /** It was written while the lock at the device was changed for this one, which may have got it. */
  #lookFor(placement: Placement, device: DeviceId, lock: LockId): void {
    const { grants, placements, devices, ledger, now } = this.#parts;
    const slot = slotOf(placement);
    // A lock of another make has not understood where it was to go.
    const slots = devices.abilities(device)?.memory?.kinds.get(placement.kind)?.slots;
    if (!slots || Array.isArray(slots) !== (slot !== undefined)) return;
    const { fingerprint } = placement;
    const isKnown = placements
      .onLock(lock)
      .some(({ placement: known }) =>
        slot === undefined ? known.fingerprint === fingerprint : isAbout(known, slot, fingerprint),
      );
    if (isKnown) return;
    // What was answered since is not under way any more.
    const late = placements.get(placement.id)?.placement.late;
    const rank = grants.rank(placement.identity, device);
    ledger.keep(astray({ ...placement, late }, placementId(randomUUID()), lock), now(), rank);
  }

  /**
   * A code that no placement on the lock explains. Where it is what we put into that slot of the lock that was at the
   * device before, this is that lock, under another name. Whether it is.
   */
  recognise(device: DeviceId, slot: SlotName, contents: Observed): boolean {
    if (contents.state !== "known") return false;
    const { placements, locks, ledger, transaction, now } = this.#parts;
    return transaction(() => {
      const lock = locks.at(device);
      if (lock === undefined) return false;
      const known = placements.withFingerprint(contents.fingerprint).map(({ placement }) => placement);
      const here = known.filter((placement) => placement.lock === lock);
      if (here.some((placement) => isAbout(placement, slot, contents.fingerprint))) return true;
      const missing = known.filter(
        (placement) => !locks.isMet(placement.lock) && isAbout(placement, slot, contents.fingerprint),
      );
      const found = missing.find((placement) => placement.device === device && placement.lock === locks.before(device));
      if (!found || locks.holding(found.lock).length > 0) return false;
      // It need not be written to this lock any more: it is there.
      const twin = here.find((placement) => placement.identity === found.identity && isClean(placement));
      if (twin) ledger.keep({ ...twin, wanted: false }, now());
      // Nor is it known to open when it should: it was written for what was wanted then.
      const { wanted, when, dormant, external } = twin ?? { ...found, wanted: false };
      // Nor may the same code be written for somebody else: it is in this slot, and would leave it with that one.
      for (const other of here) {
        if (other.identity === found.identity || !other.wanted || !isClean(other)) continue;
        ledger.keep({ ...other, refusal: { reason: "duplicate", detail: undefined } }, now());
      }
      // Locks that are filled alike hold the same code in the same slot: where this may be another lock that is missing, the
      // code is ours in any case, and what is on either of them stays in the debt.
      const isOnly = missing.every((placement) => placement.lock === found.lock);
      const moved = isOnly ? found : { ...found, id: placementId(randomUUID()), late: undefined };
      ledger.keep(observe({ ...renamed(moved, lock), wanted, when, dormant, external }, slot, contents, now()), now());
      return true;
    });
  }
}
