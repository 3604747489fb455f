import { isDeepStrictEqual } from "node:util";
import type { EventFields } from "../commands/records.ts";
import type { Abilities } from "../domain/abilities.ts";
import type { Audit } from "../domain/audit.ts";
import type { OpenBreaker } from "../domain/breaker.ts";
import type { Credential, CredentialId, Fingerprint } from "../domain/credential.ts";
import type { DeviceId, LockId, PlacementId } from "../domain/ids.ts";
import { type Instant, toIso } from "../domain/instant.ts";
import { interrupted, type Placement } from "../domain/placement.ts";
import { type Shake, shaken } from "../domain/shaken.ts";
import type { SlotName } from "../domain/slot.ts";
import type { Choices } from "./choices.ts";
import type { Chooser } from "./chooser.ts";
import type { Credentials } from "./credentials.ts";
import type { DeviceEvents } from "./device-events.ts";
import type { DeviceNews, Devices } from "./devices.ts";
import type { Journal } from "./journal.ts";
import type { Auditable } from "./last-locks.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Locks } from "./locks.ts";
import type { Meetings } from "./meetings.ts";
import type { Placements } from "./placements.ts";
import type { Vault } from "./vault.ts";

/** The store as rounds and links see it. Every method is one transaction, on disk when it returns, but for `choose` and `change`. */
export interface RoundStore extends Pick<Meetings, "learn" | "recognise"> {
  abilities(device: DeviceId): Abilities | undefined;
  /** The lock that is there, by its own last word; undefined where it never said, or was met elsewhere since. */
  lockAt(device: DeviceId): LockId | undefined;
  /** Whether the lock took another's place, and was not read as a whole since. */
  isUnread(device: DeviceId): boolean;
  /** Law 12. */
  isTimeKnown(): boolean;
  /** It was read as a whole. */
  read(device: DeviceId): void;
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
  /** Of these, those that are not at rest. */
  atWork(device: DeviceId): readonly Placement[];
  /** The slots of those that are. */
  slotsAtRest(device: DeviceId): ReadonlySet<SlotName>;
  /** Of what is on the lock and in no doubt, what comes after that; after the last, the first. */
  auditable(device: DeviceId, after: Auditable | undefined): Auditable | undefined;
  placement(id: PlacementId): Placement | undefined;
  /**
   * Changes a placement as it is now, which may not be as the caller saw it. Undefined, and nothing is changed, where it is
   * no longer open, or its lock is not at the device any more: that lock's word is the only one that counts. On disk once
   * {@link onDisk} resolves.
   */
  change(device: DeviceId, id: PlacementId, by: (placement: Placement) => Placement): Placement | undefined;
  /** Resolves when all is on disk that was written by now; undefined where it is. */
  onDisk(): Promise<void> | undefined;
  /** Whether the lock answered when it was asked. */
  heard(device: DeviceId, answered: boolean): void;
  breaker(device: DeviceId): OpenBreaker | undefined;
  setBreaker(device: DeviceId, breaker: OpenBreaker | undefined): void;
  /** Whether anything is still to be taken away from the lock that is there. */
  owes(device: DeviceId): boolean;
  /** What was read of a lock only to see whether all is as it should be. */
  audit(device: DeviceId): Audit;
  audited(device: DeviceId, audit: Audit): void;
  /** How often a day it may be, where the configuration says so. */
  auditReads(device: DeviceId): number | undefined;
  credential(id: CredentialId): Credential;
  fingerprint(credential: Credential): Fingerprint;
  /** What happened at a lock: its news, its events, and where it makes us doubt what we believe. */
  happened(device: DeviceId, what: Happening): void;
  /** At start: no answer to what was sent before can come any more. */
  interrupt(): void;
}

interface Happening extends Shake {
  readonly news?: DeviceNews;
  readonly events: readonly { readonly type: string; readonly fields: EventFields; readonly at: Instant }[];
}

interface Parts {
  readonly credentials: Credentials;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly devices: Devices;
  readonly deviceEvents: DeviceEvents;
  readonly locks: Locks;
  readonly journal: Journal;
  readonly ledger: PlacementLedger;
  readonly chooser: Chooser;
  readonly vault: Vault;
  readonly meetings: Meetings;
  readonly transaction: <T>(act: () => T) => T;
  readonly transactionUnsynced: <T>(act: () => T) => T;
  readonly synced: () => Promise<void> | undefined;
  readonly now: () => Instant;
  readonly isClockTrusted: () => boolean;
}

export function roundLedgerOf(parts: Parts): RoundStore {
  const {
    credentials,
    placements,
    choices,
    devices,
    deviceEvents,
    locks,
    journal,
    ledger,
    chooser,
    vault,
    meetings,
    transaction,
    transactionUnsynced,
    synced,
    now,
    isClockTrusted,
  } = parts;
  /** Where we decide, nothing is on a lock. */
  const memoryAt = (device: DeviceId): LockId | undefined =>
    devices.isDecidedHere(device) ? undefined : locks.at(device);
  const openOf = (device: DeviceId): readonly Placement[] => {
    const lock = memoryAt(device);
    return lock === undefined ? [] : placements.onLock(lock).map(({ placement }) => placement);
  };
  const atWork = (device: DeviceId): readonly Placement[] => {
    const lock = memoryAt(device);
    return lock === undefined ? [] : placements.atWork(lock);
  };
  const inSlot = (device: DeviceId, slot: SlotName): readonly Placement[] => {
    const lock = memoryAt(device);
    return lock === undefined ? [] : placements.inSlot(lock, slot).map(({ placement }) => placement);
  };
  const isTaken = ({ fingerprint, lock, identity }: Placement): boolean =>
    credentials.isInUse(fingerprint, lock, identity);
  /** What is at rest waits for nothing, and was not refused: it is shaken only in its slot. */
  const shakenBy = (device: DeviceId, suspect: Shake["suspect"]): Iterable<Placement> => {
    if (suspect === "all") return openOf(device);
    const others = suspect === undefined ? [] : inSlot(device, suspect);
    return new Map([...atWork(device), ...others].map((placement) => [placement.id, placement])).values();
  };
  const doubt = (device: DeviceId, shake: Shake): void => {
    const isTold = devices.abilities(device)?.memory?.readBack === "full";
    for (const placement of shakenBy(device, shake.suspect)) {
      const next = shaken(placement, shake, { isTold, isTaken });
      if (next) ledger.keep(next, now());
    }
  };
  const isToChoose = (device: DeviceId): boolean =>
    choices.of(device, 1).length > 0 &&
    (devices.limits(device) !== undefined || devices.abilities(device) !== undefined) &&
    locks.at(device) !== undefined;
  const letNextIn = (device: DeviceId): void => {
    const lock = locks.at(device);
    if (lock !== undefined) ledger.letNextIn(lock, now());
  };
  return {
    abilities: (device) => devices.abilities(device),
    learn: (device, abilities, sent) => meetings.learn(device, abilities, sent),
    lockAt: (device) => locks.at(device),
    isUnread: (device) => locks.isUnread(device),
    isTimeKnown: isClockTrusted,
    read: (device) => transaction(() => locks.read(device)),
    recognise: (device, slot, contents) => meetings.recognise(device, slot, contents),
    isToChoose,
    choose(device) {
      if (!isToChoose(device)) return { due: new Set(), more: false };
      return transactionUnsynced(() => ({
        due: chooser.chooseFor(device, devices.limits(device), now()),
        more: choices.of(device, 1).length > 0,
      }));
    },
    refuseRoom: (ids) =>
      transaction(() => {
        for (const id of ids) {
          const kept = placements.get(id);
          if (kept) ledger.keep({ ...kept.placement, refusal: { reason: "full", detail: undefined } }, now());
        }
      }),
    placements: openOf,
    inSlot,
    atWork,
    slotsAtRest: (device) => {
      const lock = memoryAt(device);
      return lock === undefined ? new Set() : placements.slotsAtRest(lock);
    },
    auditable: (device, after) => {
      const lock = memoryAt(device);
      return lock === undefined ? undefined : placements.auditable(lock, after);
    },
    placement: (id) => placements.get(id)?.placement,
    onDisk: synced,
    change: (device, id, by) =>
      transactionUnsynced(() => {
        const kept = placements.get(id);
        if (!kept || kept.placement.lock !== locks.at(device)) return undefined;
        const changed = by(kept.placement);
        // A look that finds all as it should be is no news, and no row.
        if (!isDeepStrictEqual(changed, kept.placement)) ledger.keep(changed, now());
        return changed;
      }),
    heard(device, online) {
      if (devices.isOnline(device) === online) return;
      transaction(() => deviceEvents.noted(device, { online }, { now: now(), isSaid: false }));
    },
    breaker: (device) => devices.breaker(device),
    setBreaker: (device, breaker) =>
      transaction(() => {
        const before = devices.breaker(device);
        devices.setBreaker(device, breaker);
        if ((before === undefined) === (breaker === undefined)) return;
        const since = toIso(breaker?.since ?? before?.since ?? now());
        if (breaker) deviceEvents.disconnected(device, now());
        if (breaker)
          journal.event("device.breaker_opened", { device_id: device, since, next_try: toIso(breaker.next) }, now());
        else journal.event("device.breaker_closed", { device_id: device, since }, now());
      }),
    owes(device) {
      const lock = locks.at(device);
      return lock !== undefined && placements.owes(lock);
    },
    audit: (device) => devices.audit(device),
    audited: (device, audit) => transaction(() => devices.setAudit(device, audit)),
    auditReads: (device) => devices.auditReads(device),
    credential: (id) => credentials.open(id),
    fingerprint: (credential) => vault.fingerprint(credential),
    happened: (device, { news, suspect, foreign, awake, events }) =>
      transaction(() => {
        if (news) deviceEvents.noted(device, news, { now: now(), isSaid: true });
        doubt(device, { suspect, foreign, awake });
        if (suspect !== undefined) letNextIn(device);
        for (const { type, fields, at } of events) journal.event(type, { device_id: device, ...fields }, now(), at);
      }),
    interrupt: () =>
      transaction(() => {
        for (const { placement } of placements.inFlight()) ledger.keep(interrupted(placement), now());
      }),
  };
}
