import { decidedHere, isHere } from "../domain/decided-here.ts";
import { displaced } from "../domain/displaced.ts";
import type { DeviceId, LockId, UserIdentityId } from "../domain/ids.ts";
import { earliest, type Instant, toIso } from "../domain/instant.ts";
import { sameWhen, type When } from "../domain/lock-window.ts";
import { doubted, isClean, isShut, type Placement, type Refusal, slotOf, type Wish } from "../domain/placement.ts";
import { type ReceiptState, type Standing, standing } from "../domain/receipt.ts";
import type { AccessCodes } from "./access-codes.ts";
import type { Choices } from "./choices.ts";
import type { CodeEvents } from "./code-events.ts";
import type { Credentials } from "./credentials.ts";
import type { Devices } from "./devices.ts";
import type { Grants } from "./grants.ts";
import type { Journal } from "./journal.ts";
import type { Kept } from "./placement-row.ts";
import type { Placements } from "./placements.ts";

/** The one way in which a placement changes: row, journal and event belong to one transaction, the caller's. */
export class PlacementLedger {
  readonly #codes: AccessCodes;
  readonly #codeEvents: CodeEvents;
  readonly #grants: Grants;
  readonly #credentials: Credentials;
  readonly #placements: Placements;
  readonly #choices: Choices;
  readonly #journal: Journal;
  readonly #devices: Devices;
  readonly #changed: Set<DeviceId>;

  constructor(of: {
    codes: AccessCodes;
    codeEvents: CodeEvents;
    grants: Grants;
    credentials: Credentials;
    placements: Placements;
    choices: Choices;
    journal: Journal;
    devices: Devices;
    /** Devices of which something changed: added to. */
    changed: Set<DeviceId>;
  }) {
    this.#changed = of.changed;
    this.#codes = of.codes;
    this.#codeEvents = of.codeEvents;
    this.#grants = of.grants;
    this.#credentials = of.credentials;
    this.#placements = of.placements;
    this.#choices = of.choices;
    this.#journal = of.journal;
    this.#devices = of.devices;
  }

  /** @param rank of a new placement: that of the grant that it is for. */
  keep(wish: Placement, now: Instant, rank = 0): void {
    const placement = isHere(wish.lock) ? decidedHere(wish) : wish;
    const { before, after } = this.#placements.keep(placement, rank, now);
    this.#changed.add(placement.device);
    if (after.state === "live") this.#credentials.know(placement.credential, now);
    // What is on the lock is another credential from now on, and with that another access code.
    if (before && before.placement.credential !== placement.credential) this.#codeEvents.left(before.placement, now);
    this.#tell(before, after, now);
    if (isRejectedNow(before, after)) this.#choices.due(placement.device, placement.identity);
    this.#makeRoom(before, after, now);
    if (before && before.placement.device !== placement.device) this.#takenFrom(before.placement, now);
  }

  /** What a lock brought along to another device is wanted there: for the one that it came from it is no longer there. */
  #takenFrom(placement: Placement, now: Instant): void {
    const { identity, device, kind } = placement;
    this.#codeEvents.left(placement, now);
    this.#changed.add(device);
    this.#tellGone({ identity, device, kind, evidence: "acknowledged" }, now);
  }

  /** What leaves, or is refused, may have stood in the way of others. */
  #makeRoom(before: Kept | undefined, after: Kept, now: Instant): void {
    const { placement } = after;
    if (before && leavesRoom(before, after)) this.letNextIn(placement.lock, now);
    if (after.state === "gone") this.#retryTwin(placement, now);
    if (!isInTheWay(after) && (!before || isInTheWay(before))) this.#reconsiderTwins(placement);
  }

  /**
   * This lock is at this device: what was for the device on other locks, and for other devices on this lock, is wanted
   * there no longer.
   */
  displace(device: DeviceId, lock: LockId | undefined, now: Instant): void {
    const onIt = lock === undefined ? [] : this.#placements.onLock(lock);
    for (const { placement, state } of [...this.#placements.of({ device }), ...onIt]) {
      if (!placement.wanted || (placement.device === device && placement.lock === lock)) continue;
      this.keep(displaced(placement), now);
      if (state !== "live") continue;
      const { identity, device: of, kind } = placement;
      const fields = { user_identity_id: identity, device_id: of, credential_kind: kind, evidence: null };
      this.#journal.event("access.unconfirmed", { ...fields, reason: "lock_replaced" }, now);
    }
  }

  /**
   * The wish has changed: nothing of a person is wanted on a device now.
   *
   * @param proof that nothing is there, where that was told before: between two windows.
   */
  release(identity: UserIdentityId, device: DeviceId, now: Instant, proof = "never_sent"): void {
    const open = this.#placements.of({ identity, device });
    // A revoke goes to the lock at once, however long it was silent, and to where a late write may have arrived by now.
    for (const { placement } of open) {
      const suspect = placement.suspect || placement.late !== undefined;
      this.keep({ ...placement, wanted: false, next: undefined, suspect }, now);
    }
    if (open.length === 0) this.#tellGone({ identity, device, kind: null, evidence: proof }, now);
  }

  /**
   * A window has opened or closed, or is another, for a person who may keep the code on the lock. What is there with another
   * window than it is to have now would open at other times: it leaves, and comes anew.
   */
  rest(identity: UserIdentityId, device: DeviceId, { when, dormant }: Wish, now: Instant): void {
    for (const { placement } of this.#placements.of({ identity, device })) {
      if (!placement.wanted) continue;
      const suspect = placement.suspect || (dormant && placement.late !== undefined);
      const isAnother = !sameWhen(placement.when, when, now);
      if (isAnother && !isClean(placement)) {
        this.keep({ ...placement, wanted: false, next: undefined, suspect }, now);
        this.#choices.due(device, identity);
      } else if (isAnother || isOnlyNowAlways(placement, when) || placement.dormant !== dormant) {
        this.keep({ ...restated(placement, { when, dormant }, suspect), next: undefined, suspect }, now);
      }
    }
  }

  /**
   * There may be room: the oldest grant that found none may ask the lock again (Law 8), and when it is in, the next. Of
   * numbered slots we know ourselves which are free, and ask nobody.
   */
  letNextIn(lock: LockId, now: Instant): void {
    const next = this.#placements.oldestWithoutRoom(lock)?.placement;
    if (!next) return;
    const slots = this.#devices.limits(next.device)?.kinds.get(next.kind)?.slots;
    if (!Array.isArray(slots)) this.keep({ ...next, refusal: undefined }, now);
    else if (next.next !== undefined) this.keep({ ...next, next: undefined }, now);
  }

  #tell(before: Kept | undefined, after: Kept, now: Instant): void {
    const { placement, state } = after;
    const { evidence, reason } = standing(placement);
    const fields = {
      user_identity_id: placement.identity,
      device_id: placement.device,
      credential_kind: placement.kind,
      evidence,
      reason,
    };
    this.#journal.note(
      `placement.${state}`,
      { ...fields, belief: placement.belief.at, slot: slotOf(placement) ?? null },
      now,
    );
    if (state === "gone") {
      this.#codeEvents.left(placement, now);
      this.#tellGone({ ...placement, evidence }, now);
      return;
    }
    const isNew = state !== before?.state || reason !== reasonOf(before);
    if (reason !== "outside_window") {
      const type = eventOf(state, before?.state, isNew);
      if (type) this.#journal.event(type, fields, now);
    } else if (isNew && before) this.#tellPaused(placement, evidence, now);
    this.#codeEvents.changed(before, after, now);
  }

  /**
   * Once for a pair, when it has no grant in force and nothing on the lock: gone where it has no grant at all, else paused
   * until one of its windows opens.
   */
  #tellGone(
    of: {
      identity: UserIdentityId;
      device: DeviceId;
      kind: string | null;
      evidence: Standing["evidence"];
    },
    now: Instant,
  ): void {
    const { identity, device, kind, evidence } = of;
    if (this.#grants.rank(identity, device) !== undefined) return;
    if (this.#placements.of({ identity, device }).length > 0) return;
    const fields = { user_identity_id: identity, device_id: device, credential_kind: kind, evidence, reason: null };
    const next = earliest(this.#grants.of({ identity, device }).map(({ opensAt }) => opensAt));
    if (!this.#grants.stands(identity, device)) {
      this.#journal.event("access.gone", fields, now);
      if (this.#grants.of({ identity }).length === 0) this.#codes.ended(identity, device, now);
      return;
    }
    this.#grants.pause(identity, device, evidence ?? "acknowledged");
    this.#journal.event("access.paused", { ...fields, next: next === undefined ? null : toIso(next) }, now);
  }

  /** Once for a pair, when none of what it has on the lock may open any more: it stays there until a window opens. */
  #tellPaused({ identity, device, kind }: Placement, evidence: Standing["evidence"], now: Instant): void {
    const grants = this.#grants.of({ identity, device });
    if (grants.some(({ inForce, dormant }) => inForce && !dormant)) return;
    if (!this.#placements.of({ identity, device }).every(({ placement }) => isShut(placement))) return;
    const next = earliest(grants.map(({ opensAt }) => opensAt));
    const fields = { user_identity_id: identity, device_id: device, credential_kind: kind, evidence, reason: null };
    this.#journal.event("access.paused", { ...fields, next: next === undefined ? null : toIso(next) }, now);
  }

  /** What was refused because somebody else had the same code there may fit now. */
  #reconsiderTwins(of: Placement): void {
    for (const { device, identity } of this.#refusedTwins(of)) this.#choices.due(device, identity);
  }

  /**
   * The lock has lost the code that it refused to others as a duplicate: the oldest of them may try again (Law 8), where
   * nobody else has it there.
   */
  #retryTwin(of: Placement, now: Instant): void {
    const twin = this.#refusedTwins(of).find(({ attempts }) => attempts > 0);
    if (!twin || this.#credentials.isInUse(twin.fingerprint, twin.lock, twin.identity)) return;
    this.keep({ ...twin, refusal: undefined }, now);
  }

  #refusedTwins({ id, lock, fingerprint }: Placement): readonly Placement[] {
    return this.#placements
      .withFingerprint(fingerprint)
      .map(({ placement }) => placement)
      .filter((twin) => twin.id !== id && twin.lock === lock && twin.refusal?.reason === "duplicate");
  }
}

/** With the window that it is to have now, open or shut. */
function restated(
  placement: Placement,
  { when, dormant }: Pick<Wish, "when" | "dormant">,
  suspect: boolean,
): Placement {
  // What something has happened to is not called live before the lock has said that it is still there; nor shut, where it is
  // the lock that shuts it.
  const sure = suspect && (!dormant || when !== "always") ? doubted(placement) : placement;
  // While it was not to open it was not asked for, though there may have been room.
  const refusal = placement.dormant && placement.refusal?.reason === "full" ? undefined : placement.refusal;
  return { ...sure, when, dormant, refusal };
}

/** Its window has opened and does not close: from now on the lock does not shut it by itself. */
const isOnlyNowAlways = (placement: Placement, when: When): boolean => placement.when !== "always" && when === "always";

/** What is told of a change that is no end. */
function eventOf(is: ReceiptState, was: ReceiptState | undefined, isNew: boolean): string | undefined {
  if (is === "live") return was === "live" ? undefined : "access.live";
  // It was on the lock, and is not any more.
  if (is === "waiting") return was === "live" ? "access.unconfirmed" : undefined;
  return isNew && (is === "unconfirmed" || is === "refused") ? `access.${is}` : undefined;
}

/** The lock has just said no to this very code: another may be issued in its place. */
function isRejectedNow(before: Kept | undefined, { placement: { wanted, refusal } }: Kept): boolean {
  const isNew = refusal?.reason !== before?.placement.refusal?.reason;
  return wanted && isNew && (refusal?.reason === "duplicate" || refusal?.reason === "invalid");
}

/** Whether another may find room by it. */
function leavesRoom(before: Kept, after: Kept): boolean {
  const isFreed = slotOf(before.placement) !== undefined && slotOf(after.placement) === undefined;
  if (isFreed && after.placement.refusal?.reason !== "full") return true;
  // Where one found room there may be more of it; who was let in, and is turned away at the door, leaves the place to the next.
  const isIn = after.placement.belief.at === "held" && before.placement.belief.at !== "held";
  return isIn || (before.placement.refusal === undefined && isOut(after));
}

/** It will not be on the lock, and not because that is full. */
const isOut = ({ placement: { belief, refusal }, state }: Kept): boolean =>
  state === "gone" || (belief.at === "nowhere" && refusal !== undefined && refusal.reason !== "full");

/** Nobody else may have the same code on the device meanwhile. */
const isInTheWay = ({ placement: { wanted, belief, refusal, late }, state }: Kept): boolean =>
  state !== "gone" && !(wanted && belief.at === "nowhere" && late === undefined && isOfCode(refusal?.reason));

/** Of the code itself, not of the moment: `full` and `not_kept` are tried again, and then the code is there. */
const isOfCode = (reason: Refusal | undefined): boolean =>
  reason !== undefined && reason !== "full" && reason !== "not_kept";

const reasonOf = (kept: Kept | undefined): string | null => (kept ? standing(kept.placement).reason : null);
