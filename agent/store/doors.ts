import type { EventFields } from "../commands/records.ts";
import type { Access } from "../domain/access.ts";
import type { ActionAttempt } from "../domain/action-attempt.ts";
import type { Credential, CredentialKind, Fingerprint } from "../domain/credential.ts";
import {
  type DenyReason,
  type DoorDecision,
  type Presenter,
  presenterFields,
  presenterOf,
  together,
} from "../domain/door-decision.ts";
import type { DeviceId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import type { ActionAttempts } from "./action-attempts.ts";
import type { Credentials } from "./credentials.ts";
import type { DecisionsHere } from "./decisions-here.ts";
import type { Journal } from "./journal.ts";
import type { Placements } from "./placements.ts";
import type { Vault } from "./vault.ts";
import type { Windows } from "./windows.ts";

/** People of one door with one code that are looked at: all but one of them were refused it there. */
const mostHolders = 16;

interface Parts {
  readonly credentials: Credentials;
  readonly placements: Placements;
  readonly windows: Pick<Windows, "accessOf" | "changed">;
  readonly here: Pick<DecisionsHere, "settle">;
  readonly journal: Journal;
  readonly attempts: Pick<ActionAttempts, "begin">;
  readonly vault: Vault;
  readonly transaction: <T>(act: () => T) => T;
}

/** The doors at which it is decided here who may pass. */
export interface DoorBook {
  /** Whether these, presented together, open a door. Opens no secret: they are looked for by their fingerprints (Law 9). */
  decide(device: DeviceId, credentials: readonly Credential[], now: Instant): DoorDecision;
  /** Somebody is let in: the attempt to move the bolt is on disk when it returns. */
  admit(attempt: ActionAttempt): void;
  /** Somebody is not let in, and why. On disk when it returns. */
  deny(device: DeviceId, denial: Denial, now: Instant): void;
}
interface Denial {
  readonly reason: DenyReason;
  readonly presenter: Presenter | undefined;
  /** In Seam's words: `keycode` or `card`. */
  readonly method: string;
  /** When it was presented. */
  readonly at: Instant;
}

export function doorBookOf(parts: Parts): DoorBook {
  const { windows, journal, attempts, transaction } = parts;
  return {
    decide(device, credentials, now) {
      const [first] = credentials;
      if (first && credentials.length === 1) return decide(device, first, now);
      return together(credentials.map((credential) => decide(device, credential, now)));
    },
    admit: (attempt) => transaction(() => attempts.begin(attempt, "doorman")),
    deny: (device, { reason, presenter, method, at }, now) =>
      transaction(() => {
        const fields: EventFields = { device_id: device, ...presenterFields(presenter), method, reason_code: reason };
        journal.event("lock.access_denied", fields, now, at);
      }),
  };

  function decide(device: DeviceId, credential: Credential, now: Instant): DoorDecision {
    const { credentials, vault, here } = parts;
    const fingerprint = vault.fingerprint(credential);
    const placed = ofHolder(fingerprint, credential.kind, device, now);
    if (placed) return placed;
    const others = credentials
      .grantedHolders(fingerprint, device, mostHolders)
      .map((identity) => ({ identity, access: windows.accessOf(identity, device, now) }));
    const admitted = others.filter(({ access }) => access.decision === "admit");
    if (admitted.length > 0) {
      // A window that has just opened, and was not looked at yet as so many open at once.
      transaction(() => {
        for (const { identity } of admitted) windows.changed(identity, device, now);
        here.settle(now);
      });
      const found = ofHolder(fingerprint, credential.kind, device, now);
      if (found) return found;
    }
    const [first] = [...admitted, ...others];
    if (!first) return { decision: "deny", reason: "unknown_code", presenter: undefined };
    const presenter = { identity: first.identity, kind: credential.kind, code: undefined };
    if (first.access.decision === "admit") return { decision: "deny", reason: "duplicate_code", presenter };
    return decisionOf(first.access, presenter);
  }

  /**
   * Of whom it lets in, if anybody. The direct grant admits at any time, known or not: for it nothing more is looked up. The kind
   * is part of the fingerprint.
   */
  function ofHolder(
    fingerprint: Fingerprint,
    kind: CredentialKind,
    device: DeviceId,
    now: Instant,
  ): DoorDecision | undefined {
    const placed = parts.placements.atDoor(fingerprint, device);
    if (!placed) return undefined;
    const { identity, credential } = placed;
    const presenter = presenterOf({ identity, credential, device, kind });
    if (placed.isForAlways) return { decision: "admit", presenter };
    return decisionOf(windows.accessOf(identity, device, now), presenter);
  }
}

function decisionOf({ decision, reason }: Access, presenter: Presenter): DoorDecision {
  if (decision === "admit") return { decision, presenter };
  return { decision, reason: denials[reason], presenter };
}

/** In Seam's words where it has one (reference: seam-api, section 4), in those of `access/explain` else. */
const denials: Readonly<Record<Access["reason"], DenyReason>> = {
  always: "unknown_code",
  in_window: "unknown_code",
  no_grant: "unknown_code",
  not_begun: "not_begun",
  outside_schedule: "outside_schedule",
  ended: "expired_code",
};
