import type { EventFields } from "../commands/records.ts";
import type { Abilities } from "../domain/abilities.ts";
import type { OpenBreaker } from "../domain/breaker.ts";
import type { Credential, CredentialId, Fingerprint } from "../domain/credential.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import { type Instant, toIso } from "../domain/instant.ts";
import { interrupted, overwritten, type Placement } from "../domain/placement.ts";
import type { SlotName } from "../domain/slot.ts";
import type { Choices } from "./choices.ts";
import type { Chooser } from "./chooser.ts";
import type { Credentials } from "./credentials.ts";
import type { DeviceNews, Devices } from "./devices.ts";
import type { Journal } from "./journal.ts";
import type { PlacementLedger } from "./ledger.ts";
import type { Placements } from "./placements.ts";
import type { Vault } from "./vault.ts";

/** The store as rounds and links see it. Every method is one transaction, on disk when it returns. */
export interface RoundStore {
  abilities(device: DeviceId): Abilities | undefined;
  /** What a lock says of itself. Another lock than before: all that we believe of it is worth a look. */
  learn(device: DeviceId, abilities: Abilities): void;
  /**
   * Brings the placements in line with grants and credentials, of some pairs at a time: `more` says whether there are
   * further ones. `due`: other devices that are due because of it.
   */
  choose(device: DeviceId): { readonly due: ReadonlySet<DeviceId>; readonly more: boolean };
  /** There is no room for these. */
  refuseRoom(ids: readonly PlacementId[]): void;
  /** Oldest grant first. */
  placements(device: DeviceId): readonly Placement[];
  placement(id: PlacementId): Placement | undefined;
  /** Changes a placement as it is now, which may not be as the caller saw it. Undefined where it is no longer open. */
  change(id: PlacementId, by: (placement: Placement) => Placement): Placement | undefined;
  /** Whether the lock answered when it was asked. */
  heard(device: DeviceId, answered: boolean): void;
  breaker(device: DeviceId): OpenBreaker | undefined;
  setBreaker(device: DeviceId, breaker: OpenBreaker | undefined): void;
  /** Whether anything is still to be taken away. */
  owes(device: DeviceId): boolean;
  credential(id: CredentialId): Credential;
  fingerprint(credential: Credential): Fingerprint;
  /** What happened at a lock: its news, its events, and where it makes us doubt what we believe. */
  happened(device: DeviceId, what: Happening): void;
  /** At start: no answer to what was sent before can come any more. */
  interrupt(): void;
}

interface Happening {
  readonly news?: DeviceNews;
  /** The slot to look at again, or all. */
  readonly suspect?: SlotName | "all";
  /** What is in that slot now is the owner's. */
  readonly foreign?: boolean;
  /** Silence is over: what waits for its next try need not. */
  readonly awake?: boolean;
  readonly events: readonly { readonly type: string; readonly fields: EventFields; readonly at: Instant }[];
}

interface Parts {
  readonly credentials: Credentials;
  readonly placements: Placements;
  readonly choices: Choices;
  readonly devices: Devices;
  readonly journal: Journal;
  readonly ledger: PlacementLedger;
  readonly chooser: Chooser;
  readonly vault: Vault;
  readonly transaction: <T>(act: () => T) => T;
  readonly now: () => Instant;
}

export function roundLedgerOf(parts: Parts): RoundStore {
  const { credentials, placements, choices, devices, journal, ledger, chooser, vault, transaction, now } = parts;
  const openOf = (device: DeviceId): readonly Placement[] =>
    placements.of({ device }).map(({ placement }) => placement);
  return {
    abilities: (device) => devices.abilities(device),
    learn: (device, abilities) =>
      transaction(() => {
        const before = devices.abilities(device);
        if (describe(before) === describe(abilities)) return;
        devices.learn(device, abilities);
        choices.dueOnDevice(device);
        if (before === undefined || before.identity === abilities.identity) return;
        for (const placement of openOf(device)) {
          ledger.keep({ ...placement, suspect: true, refusal: undefined, next: undefined }, now());
        }
      }),
    choose(device) {
      const abilities = devices.abilities(device);
      if (!abilities || choices.of(device, 1).length === 0) return { due: new Set(), more: false };
      return transaction(() => ({
        due: chooser.chooseFor(device, abilities, now()),
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
    placement: (id) => placements.get(id)?.placement,
    change: (id, by) =>
      transaction(() => {
        const kept = placements.get(id);
        if (!kept) return undefined;
        const changed = by(kept.placement);
        if (changed !== kept.placement) ledger.keep(changed, now());
        return changed;
      }),
    heard(device, online) {
      if (devices.isOnline(device) !== online) transaction(() => devices.note(device, { online }));
    },
    breaker: (device) => devices.breaker(device),
    setBreaker: (device, breaker) =>
      transaction(() => {
        const before = devices.breaker(device);
        devices.setBreaker(device, breaker);
        if ((before === undefined) === (breaker === undefined)) return;
        const since = toIso(breaker?.since ?? before?.since ?? now());
        if (breaker)
          journal.event("device.breaker_opened", { device_id: device, since, next_try: toIso(breaker.next) }, now());
        else journal.event("device.breaker_closed", { device_id: device, since }, now());
      }),
    owes: (device) => placements.owes(device),
    credential: (id) => credentials.open(id),
    fingerprint: (credential) => vault.fingerprint(credential),
    happened: (device, { news, suspect, foreign, awake, events }) =>
      transaction(() => {
        if (news) devices.note(device, news);
        // A lock that tells its codes says itself whose is there now.
        const isTold = devices.abilities(device)?.memory?.readBack === "full";
        for (const placement of openOf(device)) {
          const looked = suspect !== undefined && isSuspect(placement, suspect);
          if (!looked && !(awake && placement.next !== undefined)) continue;
          const next = { ...placement, suspect: placement.suspect || looked, next: undefined };
          ledger.keep(looked && foreign && !isTold ? overwritten(next) : next, now());
        }
        if (suspect !== undefined) ledger.letNextIn(device, now());
        for (const { type, fields, at } of events) journal.event(type, { device_id: device, ...fields }, now(), at);
      }),
    interrupt: () =>
      transaction(() => {
        for (const { placement } of placements.inFlight()) ledger.keep(interrupted(placement), now());
      }),
  };
}

const isSuspect = ({ belief, late }: Placement, suspect: SlotName | "all"): boolean =>
  (suspect === "all" && (belief.at !== "nowhere" || late !== undefined)) ||
  late?.slot === suspect ||
  (belief.at !== "nowhere" && belief.slot === suspect);

const describe = (abilities: Abilities | undefined): string =>
  JSON.stringify(abilities, (_, value: unknown) => (value instanceof Map ? [...value] : value));
