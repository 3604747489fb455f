import { LinkError, type LockDevice, type Memory } from "../../drivers/driver.ts";
import type { DeviceId, PlacementId } from "../domain/ids.ts";
import { earliest, type Instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import { type LockState, plan, type Step } from "../domain/plan.ts";
import type { SlotName } from "../domain/slot.ts";
import type { Acquaintance } from "./acquaintance.ts";
import type { Ledger } from "./ledger.ts";
import { meet } from "./meet.ts";
import { Steps } from "./steps.ts";
import type { Surroundings } from "./surroundings.ts";

/** An owner may have freed a slot: it is looked at again after this time, when it is needed. */
const occupiedFor: Milliseconds = 3600_000;
const heldBackFor: Milliseconds = 60_000;
/** So much on a lock is looked through in a millisecond. */
const longFrom = 100;
/** No lock has this much to do; a round that finds no end is our fault, and must not become the lock's. */
const mostPasses = 1_000;

/** How a round ended in which the lock was not silent. */
export interface RoundEnd {
  /** When to come back, if nothing else happens first. */
  readonly next: Instant | undefined;
  /** All that the lock was asked for is in doubt. */
  readonly unconfirmed: boolean;
}

/**
 * One round: brings the memory of one lock to what the grants say now. Safe to run at any time, any number of times.
 *
 * @throws LinkError where the lock was silent: what was under way is in doubt, and the rest waits for the next round.
 */
export async function reconcile(
  device: DeviceId,
  lock: LockDevice,
  known: Acquaintance,
  around: Surroundings,
  signal: AbortSignal,
): Promise<RoundEnd> {
  const { ledger, clock } = around;
  // Who had its turn for that goes on in it: what is chosen is on disk before anything is sent that changes a lock.
  let size = (await choose(device, around, signal)) ? 0 : Number.POSITIVE_INFINITY;
  forget(known.occupied, clock.now());
  let steps: Steps | undefined;
  for (let pass = 0; pass < mostPasses; ) {
    await ownTurn(device, size, around, signal);
    if (isStranger(device, known, ledger)) {
      await meet(device, lock, known, around, signal);
      steps = undefined;
      size = Number.POSITIVE_INFINITY;
      pass += 1;
      continue;
    }
    const { memory } = lock;
    const limits = ledger.abilities(device)?.memory;
    if (!memory || !limits) return nothingToKeep;
    const can = canOf(memory);
    steps ??= new Steps(device, memory, limits, known, around, signal);
    known.outdated = false;
    await choose(device, around, signal);
    const placements = ledger.atWork(device);
    size = placements.length;
    const now = clock.now();
    const atRest = atRestOf(device, placements, ledger);
    const unread = unreadOf(device, known, { placements, atRest, limits, can, now }, ledger);
    const occupied = new Set(known.occupied.keys());
    const isTimeUnknown = !ledger.isTimeKnown();
    const state = { placements, atRest, limits, can, survey: dueOf(unread, now), occupied, now, isTimeUnknown };
    const { steps: planned, full } = plan(state);
    await refuseRoom(
      placements.flatMap(({ id, refusal }) => (full.has(id) && refusal?.reason !== "full" ? [id] : [])),
      around,
      signal,
    );
    const carried = await carryOut(planned, steps, known, around.isAwaited);
    // Who waits for the same wire is let in: the rest is for the next round, behind them.
    if (carried === "gave way") return { next: clock.now(), unconfirmed: steps.progress.isUnconfirmed };
    if (known.outdated) continue;
    pass += 1;
    if (!known.asked) continue;
    if (carried === "something") continue;
    if (unread?.length === 0) ledger.read(device);
    // Last of all, and not while another lock on the wire has something to do.
    const audit = known.auditor.look(state, ledger, around.isAwaited("usual"));
    if (audit.step) await steps.perform(audit.step);
    else {
      const looks = [nextSurvey(unread), nextLook(ledger.atWork(device), known.occupied, now), audit.next];
      const next = earliest([...looks, nextOfHeldBack(state)]);
      return { next, unconfirmed: steps.progress.isUnconfirmed };
    }
  }
  around.log.error({ device, passes: mostPasses }, "a round found no end");
  throw new LinkError(`a round found no end in ${mostPasses} passes`);
}

/** Only where it is read as a whole, or a slot is looked for. */
const atRestOf = (device: DeviceId, placements: readonly Placement[], ledger: Ledger): ReadonlySet<SlotName> =>
  ledger.isUnread(device) || placements.some(({ belief }) => belief.at === "nowhere")
    ? ledger.slotsAtRest(device)
    : new Set();

const nothingToKeep: RoundEnd = { next: undefined, unconfirmed: false };

/** It is to be asked who it is before anything is done to it. */
const isStranger = (device: DeviceId, known: Acquaintance, ledger: Ledger): boolean =>
  !known.asked || ledger.lockAt(device) === undefined;

/** What was suspended is proven by reading, or not at all. */
const canOf = (memory: Memory): LockState["can"] => ({
  read: memory.read !== undefined,
  list: memory.list !== undefined,
  enable: memory.read !== undefined && memory.enable !== undefined,
});

/** What is not written while the time is not known is looked after often: nothing is asked of the lock for it. */
const nextOfHeldBack = ({ placements, now, isTimeUnknown }: LockState): Instant | undefined =>
  isTimeUnknown && placements.some(({ wanted, when, belief }) => wanted && when !== "always" && belief.at === "nowhere")
    ? later(now, heldBackFor)
    : undefined;

type Unread = ReturnType<Acquaintance["survey"]["left"]>;
/** What is still to be read of a lock that took another's place; undefined where it did not. */
const unreadOf = (
  device: DeviceId,
  { survey }: Acquaintance,
  { limits, can, now, ...on }: Omit<LockState, "survey" | "occupied">,
  ledger: Ledger,
): Unread | undefined => (ledger.isUnread(device) ? survey.left(limits, can, on, now) : undefined);
const nextSurvey = (unread: Unread = []): Instant | undefined => earliest(unread.map(({ from }) => from));
const dueOf = (unread: Unread = [], now: Instant): LockState["survey"] =>
  unread.flatMap(({ slot, from = now }) => (from <= now ? [{ do: "survey", slot }] : []));

/** What is to be taken away does not wait behind what is to be given (Law 5). */
async function ownTurn(
  device: DeviceId,
  size: number,
  { ledger, turn }: Pick<Surroundings, "ledger" | "turn">,
  signal: AbortSignal,
): Promise<void> {
  if (size <= longFrom) return;
  await turn(() => ledger.owes(device));
  signal.throwIfAborted();
}

/** Chooses what the people of a device open it with: all that can be done for it without its lock. Whether there was any. */
export async function choose(
  device: DeviceId,
  around: Pick<Surroundings, "ledger" | "due" | "turn">,
  signal: AbortSignal,
): Promise<boolean> {
  const isToChoose = around.ledger.isToChoose(device);
  for (let more = isToChoose; more; ) {
    await ownTurn(device, Number.POSITIVE_INFINITY, around, signal);
    const chosen = around.ledger.choose(device);
    for (const other of chosen.due) if (other !== device) around.due(other);
    ({ more } = chosen);
  }
  return isToChoose;
}

/** Ends early where the plan is outdated, and where others on the wire are not to wait for what is left of it. */
async function carryOut(
  planned: readonly Step[],
  steps: Steps,
  known: Acquaintance,
  isAwaited: Surroundings["isAwaited"],
): Promise<"something" | "nothing" | "gave way"> {
  let carried: "something" | "nothing" = "nothing";
  for (const step of planned) {
    // Another lock may stand there now: what was planned for this one is not for that one.
    if (!known.asked) return carried;
    if (isGift(step) && isAwaited("revokes")) return "gave way";
    if (await steps.perform(step)) carried = "something";
    // One that is deaf to one step is not asked for the rest of them while others wait for their turn (Law 7).
    if (steps.progress.hasDoubt && isAwaited("usual")) return "gave way";
    // A revoke that comes while a thousand codes are written does not wait for the rest of them (Law 5). A look goes with
    // the write that it is for: else nothing would ever be written while commands keep coming.
    if (known.outdated && step.do !== "look") break;
  }
  return carried;
}

/** Begins to give something to a lock, or is there for its sake. A write into a numbered slot belongs to the look before it. */
const isGift = (step: Step): boolean =>
  step.do === "look" || step.do === "survey" || (step.do === "write" && step.slot === undefined);

/** A few at a time: thousands of them may find no room, and commands and other locks are not to wait for that. */
async function refuseRoom(
  ids: readonly PlacementId[],
  around: Pick<Surroundings, "ledger" | "turn">,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < ids.length; at += atOnce) {
    if (at > 0) await around.turn(() => true);
    signal.throwIfAborted();
    around.ledger.refuseRoom(ids.slice(at, at + atOnce));
  }
}
const atOnce = 100;

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
