import type { CredentialKind } from "./credential.ts";
import { isHere } from "./decided-here.ts";
import { type Instant, instant, toIso } from "./instant.ts";
import { isClean, isShut, isToBeShut, isUnknowable, opensAtOtherTimes, type Placement } from "./placement.ts";

export type ReceiptState = "waiting" | "writing" | "live" | "unconfirmed" | "refused" | "removing" | "gone";

/**
 * Whether a lock can be asked: it answered when it was last asked, or did not; it was moved in the configuration, and has
 * not said there who it is; another lock is in its place; its device is not configured.
 */
export type Reach = "here" | "away" | "moved" | "lock_replaced" | "not_configured";

/** What is true now of one credential on one device (WIRE, "Receipts and events"). */
export interface Standing {
  readonly state: ReceiptState;
  readonly evidence: string | null;
  readonly reason: string | null;
}

/** The truth about a placement, in the words of a receipt. */
export function standing(placement: Placement): Standing {
  if (!placement.wanted) return leaving(placement);
  if (opensAtOtherTimes(placement)) return { state: "removing", evidence: null, reason: "window_differs" };
  return resting(placement) ?? staying(placement);
}

/** While no window is open: shut, or on its way to it. */
function resting(placement: Placement): Standing | undefined {
  const { dormant, belief, refusal } = placement;
  if (!dormant) return undefined;
  if (isShut(placement)) return belief.at === "nowhere" && refusal ? undefined : shut(placement);
  return isToBeShut(placement) ? leaving(placement) : undefined;
}

function staying(placement: Placement): Standing {
  const { belief } = placement;
  switch (belief.at) {
    case "nowhere":
      return { state: placement.refusal ? "refused" : "waiting", evidence: null, reason: whyNowhere(placement) };
    case "held":
      return opening(placement, belief);
    case "write":
    case "switch":
      if (belief.inFlight) return { state: "writing", evidence: null, reason: null };
      return { state: "unconfirmed", evidence: null, reason: isUnknowable(placement) ? "masked" : "no_answer" };
    case "clear":
      if (belief.inFlight) return { state: "removing", evidence: null, reason: null };
      return { state: "unconfirmed", evidence: null, reason: "no_answer" };
  }
}

function opening({ refusal, inPlace }: Placement, belief: Extract<Placement["belief"], { at: "held" }>): Standing {
  if (refusal) return { state: "refused", evidence: null, reason: refusal.reason };
  if (belief.disabled !== undefined) return { state: "waiting", evidence: null, reason: "suspended" };
  return { state: "live", evidence: belief.proof, reason: inPlace ? "changed_in_place" : null };
}

/** Between windows: it is there, and proven not to open; or not there at all. */
const shut = ({ belief }: Placement): Standing => ({
  state: "waiting",
  evidence: belief.at === "held" || belief.at === "nowhere" ? belief.proof : null,
  reason: "outside_window",
});

function leaving(placement: Placement): Standing {
  if (isClean(placement)) {
    return { state: "gone", evidence: placement.belief.at === "nowhere" ? placement.belief.proof : null, reason: null };
  }
  const isEmptied = placement.belief.at === "nowhere";
  const reason = isEmptied ? "earlier_write_in_doubt" : isUnknowable(placement) ? "masked" : null;
  return { state: "removing", evidence: null, reason };
}

function whyNowhere({ refusal, belief }: Placement): string {
  if (refusal) return refusal.reason;
  return belief.at === "nowhere" && belief.proof === "never_sent" ? "queued" : "missing_on_lock";
}

/** What an operator can do about a reason; null where there is nothing to do but wait. */
const hints: Readonly<Record<string, string>> = {
  full: "the lock has no free slot; it is placed by itself when one is free",
  duplicate: "the same code is on this lock already; set another one",
  invalid: "this lock does not take such a code; set another one",
  forbidden: "the lock does not let us write; see its own settings",
  not_kept: "the lock answers but does not keep the code; it is tried again every half hour",
  changed_on_lock: "somebody took it out at the lock, and the grant lets that stand; set another code, or grant anew",
  kind_not_supported: "this lock has no reader for such a credential",
  lock_away: "the lock does not answer; it is tried again by itself",
  moved: "the device was moved in the configuration; nothing is done before the lock there has said who it is",
  lock_replaced:
    "another lock is at this device now; put the one that has the code to any configured address, or clear it by hand",
  not_configured: 'the device is not in the configuration: put it back, or name it under "was" of its successor',
  no_answer: "the lock did not answer; it is asked again by itself",
  masked:
    "the lock was elsewhere and does not say whose code is in that slot: where it is not the owner's, clear it there",
  missing_on_lock: "the code was on the lock and is not any more; it is written again",
  abilities_unknown: "the lock has not answered yet what it can hold",
  credential_needed: "no credential of this person fits this lock, and no PIN may be issued for it",
  outside_window: "no window of its grants is open now; it opens by itself when one is",
  window_differs: "the lock would open for it at other times than granted; it is taken away, and written anew",
  suspended: "a window has opened, and the code on the lock is about to be let open",
  changed_in_place: "there was no spare slot: the code before it was taken away before this one was there",
  earlier_write_in_doubt: "an earlier write may still be carried out by the lock; the slot is watched",
};
const hintFor = (reason: string | null): string | null => (reason === null ? null : (hints[reason] ?? null));

const hintOf = (reason: string | null, detail: string | undefined): string | null =>
  detail === undefined ? hintFor(reason) : `${hintFor(reason)} (${detail})`;

const heldUpBy = (reach: Reach): string | undefined => {
  if (reach === "here") return undefined;
  return reach === "away" ? "lock_away" : reach;
};

/** What an operator can do about placements that nobody can look after. */
export const orphanHint = (reason: Exclude<Reach, "here" | "away">): string => hintFor(reason) ?? reason;

/** One line of a receipt, as it goes on the wire. */
export interface CredentialReceipt {
  readonly kind: CredentialKind | null;
  readonly state: ReceiptState;
  readonly evidence: string | null;
  readonly since: string | null;
  readonly reason: string | null;
  readonly hint: string | null;
  readonly enforced_by: "lock" | "agent" | null;
  readonly attempts: number;
  readonly next: string | null;
  readonly until?: string;
}

/**
 * @param notBefore where the lock is left alone: until when.
 * @param enforcedBy who sees to it that the credential opens only when it may, where its lock does not keep the window.
 * @param opensAt while no window is open: when one is.
 */
export function credentialReceipt(
  placement: Placement,
  since: Instant,
  {
    reach,
    notBefore,
    enforcedBy = "lock",
    opensAt,
  }: {
    readonly reach: Reach;
    readonly notBefore?: Instant | undefined;
    readonly enforcedBy?: "lock" | "agent";
    readonly opensAt?: Instant | undefined;
  },
): CredentialReceipt {
  const { state, evidence, reason: why } = standing(placement);
  const isResting = why === "outside_window";
  const isOpen = !isResting && unsettled.has(state);
  const reason = (isOpen && heldUpBy(reach)) || (reach === "not_configured" ? reach : why);
  const next = isOpen ? nextTry(placement, notBefore) : isResting ? opensAt : placement.next;
  return {
    kind: placement.kind,
    state,
    evidence,
    since: toIso(since),
    reason,
    hint: hintOf(reason, state === "refused" ? placement.refusal?.detail : undefined),
    enforced_by: state === "live" || isResting ? byWhom(placement, enforcedBy) : null,
    attempts: placement.attempts,
    next: maybeIso(next),
    ...(state === "removing" && placement.late ? { until: toIso(placement.late.until) } : {}),
  };
}

const maybeIso = (at: Instant | undefined): string | null => (at === undefined ? null : toIso(at));

/** What the lock is still to be asked or told something about. */
const unsettled: ReadonlySet<ReceiptState> = new Set(["waiting", "removing", "unconfirmed"]);

function byWhom({ when, lock }: Placement, otherwise: "lock" | "agent"): "lock" | "agent" {
  if (isHere(lock)) return "agent";
  return when === "always" ? otherwise : "lock";
}

/** When what is not where it should be is tried, or looked at, again. */
function nextTry({ next, late }: Placement, notBefore: Instant | undefined): Instant | undefined {
  const due = next ?? late?.check;
  return notBefore === undefined ? due : instant(Math.max(due ?? notBefore, notBefore));
}

/** Of a pair that has no credential yet. */
export const emptyReceipt = (
  reason: "abilities_unknown" | "credential_needed" | "queued" | "outside_window",
  next?: Instant,
): CredentialReceipt => ({
  kind: null,
  state: "waiting",
  evidence: null,
  since: null,
  reason,
  hint: hintFor(reason),
  enforced_by: null,
  attempts: 0,
  next: maybeIso(next),
});

/** From most to least advanced: a pair is as far as its least advanced credential, unless one opens or still may. */
const leastAdvanced: readonly ReceiptState[] = ["waiting", "refused", "writing", "unconfirmed", "live", "gone"];

/** The state of a pair: first whether anything may open that should not, then whether anything opens that should. */
export function pairState(
  credentials: readonly { readonly state: ReceiptState; readonly wanted: boolean }[],
): ReceiptState {
  if (credentials.some(({ state }) => state === "removing")) return "removing";
  const wanted = new Set(credentials.filter((credential) => credential.wanted).map(({ state }) => state));
  if (wanted.has("live")) return "live";
  return leastAdvanced.find((state) => wanted.has(state)) ?? "gone";
}
