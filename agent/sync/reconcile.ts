import { LinkError, type LockDevice } from "../../drivers/driver.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import { earliest, type Instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import { plan, type Step } from "../domain/plan.ts";
import type { SlotName } from "../domain/slot.ts";
import { within } from "./deadline.ts";
import type { Ledger } from "./ledger.ts";
import { Steps } from "./steps.ts";
import { type Surroundings, stepTimeout } from "./surroundings.ts";

/** What is kept of a lock between its rounds, as long as the process lives. */
export interface Acquaintance {
  /** It has said in this process what it is and can do, and was not silent since: then it is asked again first. */
  asked: boolean;
  /** Slots in which something was seen that is not ours, and when. */
  readonly occupied: Map<SlotName, Instant>;
  /** Rounds in a row that ended in silence. */
  silent: number;
  /** The wish has changed since its plan was made. */
  outdated: boolean;
}
export const stranger = (): Acquaintance => ({ asked: false, occupied: new Map(), silent: 0, outdated: false });

/** An owner may have freed a slot: it is looked at again after this time, when it is needed. */
const occupiedFor: Milliseconds = 3600_000;
/** No lock has this much to do; a round that finds no end is our fault, and must not become the lock's. */
const mostPasses = 1_000;

/**
 * One round: brings the memory of one lock to what the grants say now. Safe to run at any time, any number of times.
 *
 * @returns when to come back, if nothing else happens first.
 * @throws LinkError where the lock was silent: what was under way is in doubt, and the rest waits for the next round.
 */
export async function reconcile(
  device: DeviceId,
  lock: LockDevice,
  known: Acquaintance,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Instant | undefined> {
  const { ledger, clock } = around;
  const choose = async (): Promise<void> => {
    for (let more = true; more; ) {
      const chosen = ledger.choose(device);
      for (const other of chosen.due) if (other !== device) around.due(other);
      ({ more } = chosen);
      if (more) await othersTurn(signal);
    }
  };
  await choose();
  if (!known.asked) {
    ledger.learn(device, await within(stepTimeout, clock, signal, (both) => lock.abilities(both)));
    known.asked = true;
    ledger.heard(device, true);
  }

  const { memory } = lock;
  const limits = ledger.abilities(device)?.memory;
  if (!memory || !limits) return undefined;
  forget(known.occupied, clock.now());
  const steps = new Steps(device, memory, limits, known.occupied, around, signal);
  for (let pass = 0; pass < mostPasses; ) {
    known.outdated = false;
    await choose();
    const placements = ledger.placements(device);
    const now = clock.now();
    const { steps: planned, full } = plan({
      placements,
      limits,
      can: { read: memory.read !== undefined, list: memory.list !== undefined },
      occupied: new Set(known.occupied.keys()),
      now,
    });
    await refuseRoom(
      placements.flatMap(({ id, refusal }) => (full.has(id) && refusal?.reason !== "full" ? [id] : [])),
      ledger,
      signal,
    );
    const isDone = await carryOut(planned, steps, known);
    if (known.outdated) continue;
    pass += 1;
    if (isDone) return nextLook(ledger.placements(device), known.occupied, now);
  }
  around.log.error({ device, passes: mostPasses }, "a round found no end");
  throw new LinkError(`a round found no end in ${mostPasses} passes`);
}

/** Whether there was nothing to do. Ends early where the plan is outdated. */
async function carryOut(planned: readonly Step[], steps: Steps, known: Acquaintance): Promise<boolean> {
  let isDone = true;
  for (const step of planned) {
    if (await steps.perform(step)) isDone = false;
    // A revoke that comes while a thousand codes are written does not wait for the rest of them (Law 5). A look goes with
    // the write that it is for: else nothing would ever be written while commands keep coming.
    if (known.outdated && step.do !== "look") break;
  }
  return isDone;
}

/** A few at a time: thousands of them may find no room, and commands and other locks are not to wait for that. */
async function refuseRoom(ids: readonly PlacementId[], ledger: Ledger, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < ids.length; at += atOnce) {
    if (at > 0) await othersTurn(signal);
    ledger.refuseRoom(ids.slice(at, at + atOnce));
  }
}
const atOnce = 100;
async function othersTurn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
  signal.throwIfAborted();
}

function forget(occupied: Map<SlotName, Instant>, now: Instant): void {
  const before = later(now, -occupiedFor);
  for (const [slot, seen] of occupied) if (seen <= before || seen > now) occupied.delete(slot);
}

/**
 * When something that waits is due; where the lock is full, when the owner's slots are worth another look. What was due
 * when the last plan was made wakes nobody: that plan found nothing to do about it.
 */
function nextLook(
  placements: readonly Placement[],
  occupied: ReadonlyMap<SlotName, Instant>,
  planned: Instant,
): Instant | undefined {
  const ahead = (at: Instant | undefined): Instant | undefined => (at !== undefined && at > planned ? at : undefined);
  const isFull = placements.some(({ wanted, refusal }) => wanted && refusal?.reason === "full");
  const oldest = isFull ? earliest(occupied.values()) : undefined;
  return earliest([
    ...placements.map(({ next, late }) => ahead(next) ?? ahead(late?.check)),
    oldest === undefined ? undefined : later(oldest, occupiedFor),
  ]);
}
