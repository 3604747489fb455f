import type { Abilities, MemoryLimits } from "../domain/abilities.ts";
import type { Access, KnownGrant } from "../domain/access.ts";
import type { AccessCodeId } from "../domain/access-code.ts";
import type { ActionAttempt, ActionAttemptId, AttemptEnd } from "../domain/action-attempt.ts";
import type { Mark } from "../domain/as-of.ts";
import type { Audit } from "../domain/audit.ts";
import type { OpenBreaker } from "../domain/breaker.ts";
import type { Credential, CredentialId, CredentialKind } from "../domain/credential.ts";
import type { AccessGrantId, DeviceId, LockId, UserIdentityId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import type { Reach, ReceiptState } from "../domain/receipt.ts";
import type { Window } from "../domain/schedule.ts";
import type { Secret } from "../domain/secret.ts";
import type { TimeZone } from "../domain/time-zone.ts";
import type { KeyBook } from "./key-book.ts";

/** What is known of a user identity; a person whom a grant has named has no more than an id. */
export interface UserIdentity {
  readonly id: UserIdentityId;
  /** The caller's own name for it. */
  readonly key: string | undefined;
  readonly fullName: string | undefined;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly createdAt: Instant;
  /** It was deleted then, and is there until nothing of it is on a lock. */
  readonly deletedAt: Instant | undefined;
}
/** What only one user identity may have. */
export type UniqueMember = "user_identity_key" | "email_address" | "phone_number";

/** A grant on one device that has not ended. */
export interface GrantRecord {
  readonly identity: UserIdentityId;
  readonly device: DeviceId;
  /** Undefined for the direct grant, which is always in force. */
  readonly accessGrantId: AccessGrantId | undefined;
  /** The person may have what opens the device. */
  readonly inForce: boolean;
  /** It is in force, and no window is open: the lock keeps the code from opening. */
  readonly dormant: boolean;
  /** While no window is open: when one will be, if ever. */
  readonly opensAt: Instant | undefined;
}

/** What was granted for a time. */
export interface AccessGrant {
  readonly id: AccessGrantId;
  readonly identity: UserIdentityId;
  /** The caller's own name for it. */
  readonly key: string | undefined;
  readonly name: string | undefined;
  readonly window: Window;
  /** What somebody changes on the lock itself stands. */
  readonly allowsExternalChanges: boolean;
  readonly modes: readonly AccessMode[];
  readonly createdAt: Instant;
  /** Of an access code: what those have in common that share a code. */
  readonly commonCodeKey?: string;
}
export type AccessMode = "code" | "card";

/** An access grant, and where it applies. */
export interface AccessGrantRecord extends AccessGrant {
  readonly devices: readonly DeviceId[];
}

/** An access code that was made by itself. */
export interface AccessCodeRecord {
  readonly id: AccessCodeId;
  readonly grant: AccessGrant;
  readonly device: DeviceId;
  /** It is there only until it is proven gone from the lock. */
  readonly isDeleted: boolean;
}

/** A device of the configuration, with what is known of it. */
export interface DeviceRecord {
  readonly id: DeviceId;
  readonly name: string;
  readonly timeZone: string;
  /** More writes than this, expected on an average day, wear the lock out. */
  readonly writesPerDay: number;
  /** How often a day it is read only to see whether all is as it should be; undefined: as often as is usual. */
  readonly auditReads: number | undefined;
  /** How often that was. */
  readonly audit: Audit;
  readonly driver: string;
  /** Whether there is one, and whether it belongs to the lock that has the memory. */
  readonly bolt: "none" | "with memory" | "apart";
  readonly addedAt: Instant;
  /** What the lock last said of itself; undefined until it has answered once. */
  readonly abilities: Abilities | undefined;
  /** What it takes: as its lock last said, or as we do who decide there. */
  readonly limits: MemoryLimits | undefined;
  readonly online: boolean;
  readonly locked: boolean | undefined;
  readonly doorOpen: boolean | undefined;
  /** 0 to 1. */
  readonly battery: number | undefined;
  /** Present while the lock is left alone, because it did not answer: then it is tried at `next`. */
  readonly breaker: OpenBreaker | undefined;
}

/** Of a device what is asked of all of them at once, many times: cheap, however much its lock can hold. */
export interface DeviceGlance extends Pick<DeviceRecord, "id" | "name" | "online" | "breaker"> {
  /** Its lock has said once what it is. */
  readonly answered: boolean;
}

export interface CredentialRecord {
  readonly id: CredentialId;
  readonly identity: UserIdentityId;
  readonly kind: CredentialKind;
  readonly origin: "own" | "issued";
  /** Where it is wanted. */
  readonly devices: readonly DeviceId[];
  readonly createdAt: Instant;
}

export interface PlacementRecord {
  readonly placement: Placement;
  /** When its receipt became what it is. */
  readonly since: Instant;
}

/** Placements that nobody can look after, of one device on one lock. */
export interface OrphanRecord {
  readonly device: DeviceId;
  readonly reason: Exclude<Reach, "here" | "away">;
  readonly lock: LockId;
  readonly placements: number;
  /** Where the lock of that device was when it last said who it is. */
  readonly place: { readonly link: string; readonly address: string } | undefined;
}

export interface Pair {
  readonly identity?: UserIdentityId | undefined;
  readonly device?: DeviceId | undefined;
}

/** Who an event is about, and what of it. Never a secret. */
export interface EventFields {
  readonly user_identity_id?: string;
  readonly device_id?: string;
  readonly [field: string]: unknown;
}

/** An event, as it was told. */
export type ToldEvent = Readonly<Record<string, unknown>>;
/** Which events: those that fit all that is said. */
export interface EventQuery {
  /** A number. */
  readonly after: number;
  readonly limit: number;
  readonly from?: Instant | undefined;
  readonly until?: Instant | undefined;
  readonly types?: readonly string[] | undefined;
  readonly devices?: readonly string[] | undefined;
  readonly identities?: readonly string[] | undefined;
  readonly accessCodes?: readonly string[] | undefined;
  readonly accessGrants?: readonly string[] | undefined;
}

/** What somebody wanted of a bolt, and what came of it; undefined while it is under way. */
export interface ActionAttemptRecord {
  readonly attempt: ActionAttempt;
  readonly end: AttemptEnd | undefined;
}

/** What a lock would say to an own credential of a person, as far as we can tell without asking it. */
export interface Fit {
  readonly device: DeviceId;
  readonly problem: "duplicate" | { readonly rule: string } | undefined;
}

/** What the commands need of the store: every method runs inside the transaction of the command. */
export interface Records {
  isDevice(id: DeviceId): boolean;
  devices(): readonly DeviceRecord[];
  /** Undefined where it is not configured. */
  device(id: DeviceId): DeviceRecord | undefined;
  /** Every device of the configuration. */
  glance(): readonly DeviceGlance[];

  /** People only. */
  userIdentity(by: { readonly id: UserIdentityId } | { readonly key: string }): UserIdentity | undefined;
  userIdentities(): readonly UserIdentity[];
  /** What of a user identity another has. */
  takenOf(identity: UserIdentity): readonly UniqueMember[];
  putUserIdentity(identity: UserIdentity): void;
  /** Of what has no grant any more: takes away what is known of the person, and what they present. */
  eraseUserIdentity(id: UserIdentityId): void;

  grants(of: Pair): readonly GrantRecord[];
  /** Names the person where they are new, and gives the direct grant. False where it stood already. */
  grantDirect(identity: UserIdentityId, device: DeviceId): boolean;
  /** Takes the direct grant away, and with the last grant what the person has on the device. False where there was none. */
  revokeDirect(identity: UserIdentityId, device: DeviceId): boolean;
  /** Names the person where they are new. */
  createAccessGrant(grant: AccessGrant, devices: readonly DeviceId[]): void;
  accessGrant(by: { readonly id: AccessGrantId } | { readonly key: string }): AccessGrantRecord | undefined;
  accessGrants(of: Pair): readonly AccessGrantRecord[];
  /** Replaces what it says by what it is to say from now on; its devices stay. */
  updateAccessGrant(grant: AccessGrant): void;
  /** Takes it away, and with the last grant what the person has on a device. */
  deleteAccessGrant(id: AccessGrantId): void;
  /** One that was made by itself; undefined as soon as nothing of it is left. Its grant is made, changed and deleted as any. */
  accessCode(id: AccessCodeId): AccessCodeRecord | undefined;
  accessCodes(): readonly AccessCodeRecord[];
  /** Whether somebody (else) has the same code for a device, on its lock or not. */
  isCodeTaken(device: DeviceId, credential: Credential, otherThan?: UserIdentityId): boolean;
  /** Whether a credential that is kept is this one. */
  isCredential(id: CredentialId, credential: Credential): boolean;
  /** A PIN that fits these devices, as far as they have said what they take, and is on none of their locks. */
  drawPin(devices: readonly DeviceId[]): Secret | undefined;
  /** The grants of a pair as they stood at a time, or stand now: ended ones too where that is not recorded yet. */
  grantsAt(identity: UserIdentityId, device: DeviceId, at: Instant | undefined): readonly KnownGrant[];
  /** As it is decided at this moment at a door where we decide, also while the time is not known; undefined elsewhere. */
  decidedHere(identity: UserIdentityId, device: DeviceId): Access | undefined;
  /** Whether a pair ever had a grant. */
  wasGranted(identity: UserIdentityId, device: DeviceId): boolean;
  zone(name: string): TimeZone;
  /** How far back the journal goes; undefined where it is empty. */
  journalSince(): Instant | undefined;
  /** What happened at a device, oldest first; where there is more than `limit`, the last of it. */
  journalOf(device: DeviceId, from: Instant, to: Instant, limit: number): readonly Readonly<Record<string, unknown>>[];
  /** How many windows open on a device on an average day. */
  openings(device: DeviceId): number;
  /** How new the newest command was; undefined where none has said so. */
  mark(identity: UserIdentityId, device: DeviceId): Mark | undefined;
  /** @param granted whether the person may use the device now. */
  keepMark(identity: UserIdentityId, device: DeviceId, mark: Mark, granted: boolean): void;

  placements(of: Pair): readonly PlacementRecord[];
  /** How many placements of a device are in which state, and since when the oldest of them is. */
  tally(device: DeviceId): ReadonlyMap<ReceiptState, { readonly count: number; readonly oldest: Instant }>;
  /** Whether it is still to be chosen what the person opens the device with. */
  isChoiceDue(identity: UserIdentityId, device: DeviceId): boolean;

  /** Of every device, also of one that is configured no longer: what is not yet proven gone (Law 5). */
  debts(): readonly { readonly device: DeviceId; readonly count: number; readonly oldest: Instant }[];

  /** Whether the lock of a placement can be asked, and where not, why not. */
  reach(placement: Placement): Reach;
  orphans(): readonly OrphanRecord[];

  fits(identity: UserIdentityId, credential: Credential): readonly Fit[];
  /** Replaces the person's own credential of that kind. */
  setOwn(identity: UserIdentityId, credential: Credential): void;
  credentials(of: { readonly identity?: UserIdentityId | undefined }): readonly CredentialRecord[];
  /** When a credential was made, also one that is nobody's any more. */
  madeAt(id: CredentialId): Instant | undefined;
  /** Opens a credential for a person to see, and journals that it was seen, and through whom. */
  reveal(id: CredentialId, by: string): Credential;

  /** Journals who wants it. */
  beginAttempt(attempt: ActionAttempt, by: string): void;
  actionAttempt(id: ActionAttemptId): ActionAttemptRecord | undefined;

  /** Tells the cloud, and journals. */
  event(type: string, fields: EventFields): void;
  eventsOf(query: EventQuery): readonly ToldEvent[];
  eventWith(id: string): ToldEvent | undefined;

  readonly keys: KeyBook;

  readonly epoch: string;
  readonly workspaceId: string;
  readonly lettersWaiting: number;
  /** How many wait to be published on these topics, below `{prefix}/{agent_id}/`. */
  lettersOn(topics: readonly string[]): number;
}
