import type { DeviceId, LockId, PlacementId } from "../domain/ids.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import type { SlotName } from "../domain/slot.ts";
import { Auditor } from "./auditor.ts";
import { Survey } from "./survey.ts";

/** That a lock was changed for another is heard of within this time. */
const heardWithin: Milliseconds = 5 * 60_000;

interface Sent {
  /** As it was when it was sent. */
  readonly placement: Placement;
  readonly at: Instant;
}

/** What is kept of the lock at a device between its rounds, as long as the process lives. */
export class Acquaintance {
  /** It is being asked, or has said, who it is; and nothing has happened since after which another may stand there. */
  asked = false;
  /** Who it is, by its own word. */
  lock: LockId | undefined;
  /** Slots in which something was seen that is not ours, and when. */
  readonly occupied = new Map<SlotName, Instant>();
  /** Slots that an owner has written to, while it was not known whether this is the lock that we take it for. */
  readonly foreign = new Set<SlotName>();
  survey = new Survey();
  readonly auditor: Auditor;
  /** Writes that were sent since it last said who it is: another lock may have got them. */
  readonly #sent = new Map<PlacementId, Sent>();
  /** The wish has changed since its plan was made. */
  outdated = false;

  constructor(device: DeviceId) {
    this.auditor = new Auditor(device);
  }

  noteSent(placement: Placement, at: Instant): void {
    this.#forgetSent(at);
    this.#sent.set(placement.id, { placement, at });
  }

  /** It says who it is: what was written so shortly before that another lock may have got it. */
  takeSent(now: Instant): readonly Placement[] {
    this.#forgetSent(now);
    const sent = [...this.#sent.values()].map(({ placement }) => placement);
    this.#sent.clear();
    return sent;
  }

  #forgetSent(now: Instant): void {
    const longAgo = later(now, -heardWithin);
    for (const [id, before] of this.#sent) if (before.at <= longAgo) this.#sent.delete(id);
  }

  /** Another lock stands there. */
  forget(): void {
    this.occupied.clear();
    this.foreign.clear();
    this.survey = new Survey();
  }
}
