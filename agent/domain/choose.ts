import type { CredentialId, CredentialKind } from "./credential.ts";
import type { Misfit } from "./pin.ts";
import type { Refusal } from "./placement.ts";

/** A current credential of a person, seen from one device. */
export interface Candidate {
  readonly credential: CredentialId;
  readonly kind: CredentialKind;
  readonly origin: "own" | "issued";
  /** A person may know it: it was live once, or was revealed. Never changed by us. */
  readonly known: boolean;
  /** How many issued PINs it came after because a lock refused them. */
  readonly reissues: number;
  /** What keeps the device from taking it, by the device's limits. */
  readonly misfit: Misfit | undefined;
  /** Another person has the same on this device. */
  readonly taken: boolean;
  /** It has a placement here already. */
  readonly placed: boolean;
  /** What the lock said to it. */
  readonly refusal: Refusal | undefined;
}

/** Which credentials of a person belong on a device. */
export interface Choice {
  readonly wanted: readonly CredentialId[];
  /** Own credentials that cannot be there, and why: the receipt says so. */
  readonly unfit: ReadonlyMap<CredentialId, { readonly reason: Refusal; readonly detail: string | undefined }>;
  /** A PIN is to be issued, in place of one that nobody can know yet where there is such a one. */
  readonly issue: { readonly instead: CredentialId | undefined; readonly reissues: number } | undefined;
}

/** How often a PIN that a lock refused is replaced by another. */
const mostReissues = 5;

/**
 * Own credentials come first; a PIN is issued only where the person has none of their own that the device could take.
 *
 * @param candidates oldest first.
 * @param takes the kinds that the device takes.
 * @param mayIssue whether latchd issues PINs at all (`pins.issue`).
 * @param together the device wants one of each kind: as long as one is missing, none of them is there.
 */
export function choose(
  candidates: readonly Candidate[],
  takes: ReadonlySet<CredentialKind>,
  mayIssue: boolean,
  together = false,
): Choice {
  const own = candidates.filter(({ origin }) => origin === "own");
  const unfit = new Map(
    own.flatMap((candidate) => {
      const reason = unfitness(candidate);
      return reason ? [[candidate.credential, { reason, detail: candidate.misfit }] as const] : [];
    }),
  );
  const wanted = own.map(({ credential }) => credential).filter((credential) => !unfit.has(credential));
  const need = needOf(own, new Set(unfit.keys()), takes, together);
  if (need === "more") return { wanted: [], unfit, issue: undefined };
  if (need === "nothing" || !takes.has("pin")) return { wanted, unfit, issue: undefined };
  // A PIN that is to go with a card, and may not be issued, is missing.
  if (!mayIssue) return { wanted: together ? [] : wanted, unfit, issue: undefined };
  return withPin(wanted, unfit, candidates);
}

/** What a person needs beside their own: `more` than latchd can give them, a PIN, or nothing. */
function needOf(
  own: readonly Candidate[],
  unfit: ReadonlySet<CredentialId>,
  takes: ReadonlySet<CredentialKind>,
  together: boolean,
): "nothing" | "pin" | "more" {
  const has = (kind: CredentialKind): boolean => own.some((candidate) => candidate.kind === kind);
  if (!together) return [...takes].some(has) ? "nothing" : "pin";
  const fits = (kind: CredentialKind): boolean =>
    own.some(({ credential, kind: of }) => of === kind && !unfit.has(credential));
  if ([...takes].some((kind) => !fits(kind) && (kind !== "pin" || has(kind)))) return "more";
  return has("pin") ? "nothing" : "pin";
}

/** With the PIN that was issued, or one that is to be. */
function withPin(wanted: readonly CredentialId[], unfit: Choice["unfit"], candidates: readonly Candidate[]): Choice {
  const issued = candidates.filter(({ origin }) => origin === "issued");
  const good = issued.filter((candidate) => !isRejected(candidate) && unfitness(candidate) === undefined);
  const chosen = good.find(({ placed }) => placed) ?? good[0];
  if (chosen) return { wanted: [...wanted, chosen.credential], unfit, issue: undefined };

  const last = issued.findLast(({ placed }) => placed) ?? issued.at(-1);
  const reissues = last && isRejected(last) ? last.reissues + 1 : 0;
  if (last && reissues > mostReissues) return { wanted: [...wanted, last.credential], unfit, issue: undefined };
  return { wanted, unfit, issue: { instead: last && !last.known ? last.credential : undefined, reissues } };
}

/** The lock has said no to this very code; `full` and the like are not about the code. */
const isRejected = ({ refusal }: Candidate): boolean => refusal === "duplicate" || refusal === "invalid";

function unfitness({ misfit, taken, placed, refusal }: Candidate): Refusal | undefined {
  if (misfit) return misfit === "kind_not_supported" ? misfit : "invalid";
  // Who was there first keeps the code.
  return taken && !(placed && refusal === undefined) ? "duplicate" : undefined;
}
