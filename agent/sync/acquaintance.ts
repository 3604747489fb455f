import type { LockId } from "../domain/ids.ts";
import type { Instant } from "../domain/instant.ts";
import type { SlotName } from "../domain/slot.ts";
import { Survey } from "./survey.ts";

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
  /** The wish has changed since its plan was made. */
  outdated = false;

  /** Another lock stands there. */
  forget(): void {
    this.occupied.clear();
    this.foreign.clear();
    this.survey = new Survey();
  }
}
