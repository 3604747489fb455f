import type { Abilities } from "../domain/abilities.ts";
import type { Audit } from "../domain/audit.ts";
import type { OpenBreaker } from "../domain/breaker.ts";
import type { Credential, CredentialId, Fingerprint } from "../domain/credential.ts";
import type { DeviceId, LockId, PlacementId } from "../domain/ids.ts";
import type { Placement } from "../domain/placement.ts";
import type { Observed, SlotName } from "../domain/slot.ts";
import type { Happening } from "./happenings.ts";

/** One to look at, though nothing is known to have happened to it. */
export interface Auditable {
  readonly id: PlacementId;
  readonly slot: SlotName;
  /** The older its grant, the lower. */
  readonly rank: number;
}

/** What a round needs of the database: what a method writes is on disk when it returns, but for `choose` and `change`. */
export interface Ledger {
  abilities(device: DeviceId): Abilities | undefined;
  /**
   * What the lock at a device says of itself. Where it is not the one that was there before, what is on that one is to be
   * removed from it, and this one is to be read as a whole. Returns the other devices where it was met before.
   *
   * @param sent what was written at the device since its lock last said who it is: it may be on either.
   */
  learn(device: DeviceId, abilities: Abilities, sent: readonly Placement[]): readonly DeviceId[];
  /** The lock that is there, by its own last word; undefined where it never said, or was met elsewhere since. */
  lockAt(device: DeviceId): LockId | undefined;
  /** Whether the lock took another's place, and was not read as a whole since. */
  isUnread(device: DeviceId): boolean;
  /** Law 12: where not, what depends on the time of day stays as it is. */
  isTimeKnown(): boolean;
  /** It was read as a whole. */
  read(device: DeviceId): void;
  /**
   * A code that no placement on the lock explains. Where it is what we put into that slot of the lock that was at the
   * device before, this is that lock, under another name. Whether it is.
   */
  recognise(device: DeviceId, slot: SlotName, contents: Observed): boolean;
  /** Whether {@link choose} has anything to do. A look-up. */
  isToChoose(device: DeviceId): boolean;
  /**
   * Brings the placements in line with grants and credentials, of some pairs at a time: `more` says whether there are
   * further ones. `due`: other devices that are due because of it. On disk once {@link onDisk} resolves.
   */
  choose(device: DeviceId): { readonly due: ReadonlySet<DeviceId>; readonly more: boolean };
  /** There is no room for these. */
  refuseRoom(ids: readonly PlacementId[]): void;
  /** All that is or may be on the lock that is there, or is to be, whatever device it is for. Oldest grant first. */
  placements(device: DeviceId): readonly Placement[];
  /** Of these, those that are, or may be, or may come to be in a slot. */
  inSlot(device: DeviceId, slot: SlotName): readonly Placement[];
  /** Of these, those that are not at rest: a lock may hold a thousand that are. */
  atWork(device: DeviceId): readonly Placement[];
  /** The slots of those that are. */
  slotsAtRest(device: DeviceId): ReadonlySet<SlotName>;
  /** Of what is on the lock and in no doubt, what comes after that by the age of its grant; after the last, the first. A look-up. */
  auditable(device: DeviceId, after: Auditable | undefined): Auditable | undefined;
  placement(id: PlacementId): Placement | undefined;
  /**
   * Changes a placement as it is now; receipt, journal and event go with it. Undefined, and nothing is changed, where it is
   * no longer open, or its lock is not at the device any more: that lock's word is the only one that counts. On disk once
   * {@link onDisk} resolves, so that locks which change at the same time wait for the disk together.
   */
  change(device: DeviceId, id: PlacementId, by: (placement: Placement) => Placement): Placement | undefined;
  /** Resolves when all is on disk that was written by now; undefined where it is. */
  onDisk(): Promise<void> | undefined;
  /** Whether the lock answered when it was asked. */
  heard(device: DeviceId, answered: boolean): void;
  /** As it was when the process before this one ended; undefined where it is closed. */
  breaker(device: DeviceId): OpenBreaker | undefined;
  /** Keeps it for the next process, and tells when it opens and when it closes. */
  setBreaker(device: DeviceId, breaker: OpenBreaker | undefined): void;
  /** Whether anything is still to be taken away from the lock that is there. A look-up. */
  owes(device: DeviceId): boolean;
  /** What was read of a lock only to see whether all is as it should be. */
  audit(device: DeviceId): Audit;
  audited(device: DeviceId, audit: Audit): void;
  /** How often a day it may be, where the configuration says so. */
  auditReads(device: DeviceId): number | undefined;
  /** What happened at a lock: its news, its events, and where it makes us doubt what we believe. */
  happened(device: DeviceId, what: Happening): void;
  credential(id: CredentialId): Credential;
  fingerprint(credential: Credential): Fingerprint;
}
