import type { Abilities } from "../domain/abilities.ts";
import type { OpenBreaker } from "../domain/breaker.ts";
import type { Credential, CredentialId, Fingerprint } from "../domain/credential.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import type { Placement } from "../domain/placement.ts";

/** What a round needs of the database: every method is on disk when it returns. */
export interface Ledger {
  abilities(device: DeviceId): Abilities | undefined;
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
  /** Changes a placement as it is now; undefined where it is no longer open. Receipt, journal and event go with it. */
  change(id: PlacementId, by: (placement: Placement) => Placement): Placement | undefined;
  /** Whether the lock answered when it was asked. */
  heard(device: DeviceId, answered: boolean): void;
  /** As it was when the process before this one ended; undefined where it is closed. */
  breaker(device: DeviceId): OpenBreaker | undefined;
  /** Keeps it for the next process, and tells when it opens and when it closes. */
  setBreaker(device: DeviceId, breaker: OpenBreaker | undefined): void;
  /** Whether anything is still to be taken away. A look-up. */
  owes(device: DeviceId): boolean;
  credential(id: CredentialId): Credential;
  fingerprint(credential: Credential): Fingerprint;
}
