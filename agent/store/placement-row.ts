import type { PlacementRecord } from "../commands/records.ts";
import { branded } from "../domain/brand.ts";
import type { CredentialId, CredentialKind, Fingerprint } from "../domain/credential.ts";
import { deviceId, lockId, placementId, userIdentityId } from "../domain/ids.ts";
import { instant } from "../domain/instant.ts";
import type { Late } from "../domain/late.ts";
import type { TimedWindow, When } from "../domain/lock-window.ts";
import { type Belief, isAtRest, type Refusal } from "../domain/placement.ts";
import type { ReceiptState } from "../domain/receipt.ts";
import { type Proof, type SlotName, slotName } from "../domain/slot.ts";

/** As the table has it. */
export type Row = {
  placement_id: string;
  device_id: string;
  lock: string;
  user_identity_id: string;
  credential_id: string;
  kind: CredentialKind;
  fingerprint: string;
  wanted: number;
  rank: number;
  belief: Belief["at"];
  slot: string | null;
  proof: Proof | "never_sent" | null;
  was_empty: number | null;
  in_flight: number | null;
  late_slot: string | null;
  late_writes: number | null;
  late_since: number | null;
  late_until: number | null;
  late_check: number | null;
  refusal: Refusal | null;
  refusal_detail: string | null;
  suspect: number;
  attempts: number;
  pauses: number;
  next_at: number | null;
  state: ReceiptState;
  since: number;
  window: string | null;
  dormant: number;
  external: number;
  in_place: number;
  disabled: "by_us" | "by_hand" | null;
  other_window: number | null;
  switch_on: number | null;
  at_rest: number;
};
export const columns = [
  "placement_id",
  "device_id",
  "lock",
  "user_identity_id",
  "credential_id",
  "kind",
  "fingerprint",
  "wanted",
  "rank",
  "belief",
  "slot",
  "proof",
  "was_empty",
  "in_flight",
  "late_slot",
  "late_writes",
  "late_since",
  "late_until",
  "late_check",
  "refusal",
  "refusal_detail",
  "suspect",
  "attempts",
  "pauses",
  "next_at",
  "state",
  "since",
  "window",
  "dormant",
  "external",
  "in_place",
  "disabled",
  "other_window",
  "switch_on",
  "at_rest",
] as const satisfies readonly (keyof Row)[];

/** A placement, and what its receipt says since when. */
export interface Kept extends PlacementRecord {
  readonly state: ReceiptState;
  /** When the grant that it is for was given: the order in which a full lock is filled. */
  readonly rank: number;
}

export const toRow = ({ placement, state, since, rank }: Kept): Row => ({
  placement_id: placement.id,
  device_id: placement.device,
  lock: placement.lock,
  user_identity_id: placement.identity,
  credential_id: placement.credential,
  kind: placement.kind,
  fingerprint: placement.fingerprint,
  wanted: Number(placement.wanted),
  rank,
  ...beliefColumns(placement.belief),
  ...lateColumns(placement.late),
  refusal: placement.refusal?.reason ?? null,
  refusal_detail: placement.refusal?.detail ?? null,
  suspect: Number(placement.suspect),
  attempts: placement.attempts,
  pauses: placement.pauses,
  next_at: placement.next ?? null,
  state,
  since,
  window: placement.when === "always" ? null : JSON.stringify(placement.when),
  dormant: Number(placement.dormant),
  external: Number(placement.external),
  in_place: Number(placement.inPlace),
  at_rest: Number(isAtRest(placement)),
});

type BeliefColumns = Pick<
  Row,
  "belief" | "slot" | "proof" | "was_empty" | "in_flight" | "disabled" | "other_window" | "switch_on"
>;
const none = {
  slot: null,
  proof: null,
  was_empty: null,
  in_flight: null,
  disabled: null,
  other_window: null,
  switch_on: null,
};

function beliefColumns(belief: Belief): BeliefColumns {
  switch (belief.at) {
    case "nowhere":
      return { ...none, belief: belief.at, proof: belief.proof };
    case "held": {
      const { slot, proof, disabled = null, otherWindow } = belief;
      return { ...none, belief: belief.at, slot, proof, disabled, other_window: otherWindow ? 1 : null };
    }
    case "write": {
      const { slot = null, wasEmpty, inFlight } = belief;
      return { ...none, belief: belief.at, slot, was_empty: Number(wasEmpty), in_flight: Number(inFlight) };
    }
    case "clear":
      return { ...none, belief: belief.at, slot: belief.slot, in_flight: Number(belief.inFlight) };
    case "switch": {
      const { slot, on, inFlight } = belief;
      return { ...none, belief: belief.at, slot, switch_on: Number(on), in_flight: Number(inFlight) };
    }
  }
}

const lateColumns = (
  late: Late | undefined,
): Pick<Row, "late_slot" | "late_writes" | "late_since" | "late_until" | "late_check"> => ({
  late_slot: late?.slot ?? null,
  late_writes: late?.writes ?? null,
  late_since: late?.since ?? null,
  late_until: late?.until ?? null,
  late_check: late?.check ?? null,
});

export function fromRow(row: Row): Kept {
  return {
    placement: {
      id: placementId(row.placement_id),
      device: deviceId(row.device_id),
      lock: lockId(row.lock),
      identity: userIdentityId(row.user_identity_id),
      credential: branded<CredentialId>(row.credential_id),
      kind: row.kind,
      fingerprint: branded<Fingerprint>(row.fingerprint),
      wanted: row.wanted === 1,
      when: whenOf(row),
      dormant: row.dormant === 1,
      external: row.external === 1,
      belief: beliefOf(row),
      late: lateOf(row),
      refusal: row.refusal === null ? undefined : { reason: row.refusal, detail: row.refusal_detail ?? undefined },
      suspect: row.suspect === 1,
      inPlace: row.in_place === 1,
      attempts: row.attempts,
      pauses: row.pauses,
      next: row.next_at === null ? undefined : instant(row.next_at),
    },
    state: row.state,
    since: instant(row.since),
    rank: row.rank,
  };
}

function beliefOf(row: Row): Belief {
  const slot: SlotName | undefined = row.slot === null ? undefined : slotName(row.slot);
  const inFlight = row.in_flight === 1;
  if (row.belief === "write") return { at: "write", slot, wasEmpty: row.was_empty === 1, inFlight };
  if (row.belief === "nowhere" || slot === undefined) return { at: "nowhere", proof: row.proof ?? "never_sent" };
  if (row.belief === "clear") return { at: "clear", slot, inFlight };
  if (row.belief === "switch") return { at: "switch", slot, on: row.switch_on === 1, inFlight };
  return {
    at: "held",
    slot,
    proof: row.proof === null || row.proof === "never_sent" ? "acknowledged" : row.proof,
    ...(row.disabled === null ? {} : { disabled: row.disabled }),
    ...(row.other_window === 1 ? { otherWindow: true } : {}),
  };
}

function whenOf({ window }: Row): When {
  if (window === null) return "always";
  const { startsAt, endsAt, weekly, zone }: TimedWindow = JSON.parse(window);
  return { startsAt, endsAt, weekly, zone };
}

function lateOf(row: Row): Late | undefined {
  const { late_slot: slot, late_writes: writes, late_since: since, late_until: until, late_check: check } = row;
  if (slot === null || writes === null || since === null || until === null || check === null) return undefined;
  return { slot: slotName(slot), writes, since: instant(since), until: instant(until), check: instant(check) };
}
