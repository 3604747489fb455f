import type { CredentialRecord, EventFields, Fit, GrantRecord, Records } from "../commands/records.ts";
import type { KnownGrant } from "../domain/access.ts";
import { isPerson } from "../domain/access-code.ts";
import type { Credential } from "../domain/credential.ts";
import { nobody, type UserIdentityId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import { misfit } from "../domain/pin.ts";
import type { TimeZones } from "../domain/time-zone.ts";
import type { AccessCodes } from "./access-codes.ts";
import type { AccessGrants } from "./access-grants.ts";
import type { ActionAttempts } from "./action-attempts.ts";
import type { Choices } from "./choices.ts";
import type { Chooser } from "./chooser.ts";
import type { CredentialRow, Credentials } from "./credentials.ts";
import type { Devices } from "./devices.ts";
import type { EventSearch } from "./event-search.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./journal.ts";
import type { Keys } from "./keys.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Locks } from "./locks.ts";
import type { Marks } from "./marks.ts";
import type { Outbox } from "./outbox.ts";
import type { Placements } from "./placements.ts";
import type { UserIdentities } from "./user-identities.ts";
import type { Vault } from "./vault.ts";
import { orphansOf, reachOf } from "./whereabouts.ts";
import type { Windows } from "./windows.ts";

interface Parts {
  readonly identities: UserIdentities;
  readonly grants: Grants;
  readonly accessGrants: AccessGrants;
  readonly windows: Windows;
  readonly zones: TimeZones;
  readonly marks: Marks;
  readonly credentials: Credentials;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly devices: Devices;
  readonly locks: Locks;
  readonly journal: Journal;
  readonly codes: AccessCodes;
  readonly attempts: ActionAttempts;
  readonly search: EventSearch;
  readonly chooser: Pick<Chooser, "draw">;
  readonly outbox: Outbox;
  readonly ledger: PlacementLedger;
  readonly vault: Vault;
  readonly keys: Keys;
  readonly epoch: string;
  readonly workspaceId: string;
  readonly now: () => Instant;
}

/** The records, as the commands see them. */
export function recordsOf(parts: Parts): Records {
  const { grants, accessGrants, windows, marks, credentials, placements, choices, devices, locks } = parts;
  const { journal, outbox, search, identities, codes, vault, now } = parts;
  return {
    epoch: parts.epoch,
    workspaceId: parts.workspaceId,
    keys: parts.keys,
    get lettersWaiting() {
      return outbox.waiting;
    },
    lettersOn: (topics) => outbox.waitingOn(topics),
    isDevice: (id) => devices.has(id),
    devices: () => devices.all(),
    device: (id) => devices.one(id),
    glance: () => devices.glance(),
    userIdentity: (by) => identities.get(by),
    userIdentities: () => identities.all(),
    takenOf: (identity) => identities.taken(identity),
    putUserIdentity: (identity) => identities.put(identity),
    eraseUserIdentity(id) {
      identities.erase(id, now());
      // Who is named by the same id later is not to find the codes of the one before.
      for (const credential of credentials.of(id)) credentials.close(credential.id, now());
    },
    grants: (of) => grants.of(of),
    placements: (of) => placements.of(of),
    tally: (device) => placements.tally(device),
    debts: () => placements.debts(),
    reach: (placement) => reachOf(devices, locks, placement),
    orphans: () => orphansOf(devices, locks, placements),
    isChoiceDue: (identity, device) => choices.isDue(identity, device),

    grantDirect(identity, device) {
      const isNew = grants.addDirect(identity, device, now());
      if (isNew) windows.changed(identity, device, now());
      return isNew;
    },
    revokeDirect(identity, device) {
      const was = grants.closeDirect(identity, device, now());
      if (was) windows.changed(identity, device, now(), { inForce: true, paused: undefined });
      return was;
    },
    createAccessGrant(grant, on) {
      grants.nameIdentity(grant.identity, now());
      accessGrants.put(grant, now());
      windows.apply(grant, on, now());
    },
    accessGrant(by) {
      const grant = "id" in by ? accessGrants.get(by.id) : accessGrants.byKey(by.key);
      return grant && isPerson(grant.identity) ? { ...grant, devices: grants.devicesOf(grant.id) } : undefined;
    },
    accessGrants: ({ identity, device }) =>
      accessGrants
        .of(identity)
        .filter((grant) => isPerson(grant.identity))
        .map((grant) => ({ ...grant, devices: grants.devicesOf(grant.id) }))
        .filter((grant) => device === undefined || grant.devices.includes(device)),
    updateAccessGrant(grant) {
      accessGrants.put(grant, now());
      windows.apply(grant, grants.devicesOf(grant.id), now());
    },
    deleteAccessGrant(id) {
      accessGrants.close(id, now());
      windows.remove(id, now());
    },
    accessCode: (id) => codes.get(id),
    accessCodes: () => codes.all(),
    isCodeTaken(device, credential, otherThan = nobody) {
      const fingerprint = vault.fingerprint(credential);
      return (
        credentials.isGranted(fingerprint, device, otherThan) ||
        credentials.isInUse(fingerprint, locks.at(device), otherThan)
      );
    },
    isCredential: (id, credential) => credentials.is(id, credential),
    drawPin: (on) => parts.chooser.draw(on),
    grantsAt(identity, device, at) {
      const stood = at === undefined ? grants.of({ identity, device }).map(idOf) : grants.at(identity, device, at);
      return stood.flatMap((id) => {
        if (id === undefined) return [always];
        const grant = at === undefined ? accessGrants.get(id) : accessGrants.at(id, at);
        return grant ? [{ accessGrantId: id, name: grant.name, window: grant.window }] : [];
      });
    },
    decidedHere: (identity, device) =>
      devices.isDecidedHere(device) ? windows.accessOf(identity, device, now()) : undefined,
    wasGranted: (identity, device) => grants.wasGranted(identity, device),
    zone: (name) => parts.zones.named(name),
    journalSince: () => journal.since(),
    journalOf: (device, from, to, limit) => journal.of(device, from, to, limit),
    openings: (device) => grants.openings(device),
    mark: (identity, device) => marks.of(identity, device),
    keepMark: (identity, device, mark, granted) => marks.keep(identity, device, mark, granted, now()),

    fits: (identity, credential) => fits(parts, identity, credential),
    setOwn: (identity, credential) => setOwn(parts, identity, credential),
    credentials: ({ identity }) =>
      (identity === undefined ? credentials.all() : credentials.of(identity))
        .map((row) => recordOf(row, placements))
        .filter(({ origin, devices: on }) => origin === "own" || on.length > 0),
    madeAt: (id) => credentials.madeAt(id),
    reveal(id, by) {
      const opened = credentials.open(id);
      credentials.know(id, now());
      journal.note("credential.revealed", { credential_id: id, by }, now());
      return opened;
    },
    beginAttempt: (attempt, by) => parts.attempts.begin(attempt, by),
    actionAttempt: (id) => parts.attempts.get(id),
    event: (type: string, fields: EventFields) => journal.event(type, fields, now()),
    eventsOf: (query) => search.find(query),
    eventWith: (id) => search.one(id),
  };
}

const always: KnownGrant = { accessGrantId: undefined, name: undefined, window: undefined };
const idOf = ({ accessGrantId }: GrantRecord): GrantRecord["accessGrantId"] => accessGrantId;

function recordOf({ id, identity, kind, origin, createdAt }: CredentialRow, placements: Placements): CredentialRecord {
  const wanted = placements.ofCredential(id).filter(({ placement }) => placement.wanted);
  return { id, identity, kind, origin, createdAt, devices: wanted.map(({ placement }) => placement.device) };
}

function fits(
  { grants, devices, locks, credentials, vault }: Parts,
  identity: UserIdentityId,
  credential: Credential,
): Fit[] {
  const fingerprint = vault.fingerprint(credential);
  const granted = new Set(grants.of({ identity }).map(({ device }) => device));
  return [...granted].map((device) => {
    const kinds = devices.limits(device)?.kinds;
    // A lock that has not said yet what it takes may take it.
    const rule = kinds && misfit(credential, kinds.get(credential.kind));
    if (rule) return { device, problem: { rule } };
    return {
      device,
      problem: credentials.isInUse(fingerprint, locks.at(device), identity) ? "duplicate" : undefined,
    };
  });
}

/** What it replaces is no longer the person's; it leaves each lock when its successor is there, or refused. */
function setOwn(parts: Parts, identity: UserIdentityId, credential: Credential): void {
  const { grants, credentials, placements, choices, ledger, vault, now } = parts;
  grants.nameIdentity(identity, now());
  const before = credentials.of(identity).filter(({ origin, kind }) => origin === "own" && kind === credential.kind);
  const fingerprint = vault.fingerprint(credential);
  if (before.some((own) => own.fingerprint === fingerprint)) return;
  for (const { id } of before) credentials.close(id, now());
  const id = credentials.add(identity, credential, "own", 0, now());
  // Where the same code is on a lock already, issued or set earlier, it is this credential from now on.
  for (const { placement } of placements.of({ identity })) {
    if (placement.fingerprint === fingerprint) ledger.keep({ ...placement, credential: id }, now());
  }
  choices.dueOfIdentity(identity);
}
