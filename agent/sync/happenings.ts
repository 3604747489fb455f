import type { Asked, LinkEvent, UnlockMethod } from "../../drivers/driver.ts";
import { codeOf } from "../domain/access-code.ts";
import { methodOf, presenterFields } from "../domain/door-decision.ts";
import type { Instant } from "../domain/instant.ts";
import type { Placement } from "../domain/placement.ts";
import type { SlotName } from "../domain/slot.ts";
import type { Cause } from "./actuator.ts";

/** What an event of a lock means to the store: its news, its events, and where it makes us doubt what we believe. */
export interface Happening {
  readonly news?: {
    readonly online?: boolean;
    readonly locked?: boolean;
    readonly doorOpen?: boolean;
    readonly battery?: number;
  };
  readonly suspect?: SlotName | "all";
  /** What is in that slot now is the owner's. */
  readonly foreign?: boolean;
  /** Silence is over: what waits for its next try need not. */
  readonly awake?: boolean;
  readonly events: readonly {
    readonly type: string;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly at: Instant;
  }[];
}

/** What a lock has done or noticed by itself, and asks nobody about. */
export type Told = Exclude<LinkEvent, Asked>;

/** Seam's names for what turned the bolt (reference: seam-api, section 4). */
const methods: Readonly<Record<UnlockMethod, string>> = {
  keypad: "keycode",
  manual: "manual",
  automatic: "automatic",
  remote: "remote",
  card: "card",
  unknown: "unknown",
};

/**
 * @param placements the open placements of the device: a slot tells whose code was used.
 * @param cause the command of ours that moved the bolt, if any.
 */
export function happeningOf(event: Told, placements: readonly Placement[], cause?: Cause): Happening {
  const told = (type: string, fields: Readonly<Record<string, unknown>> = {}): Happening => ({
    events: [{ type, fields, at: event.at }],
  });
  switch (event.event) {
    case "online":
    case "offline":
      return { news: { online: event.event === "online" }, awake: event.event === "online", events: [] };
    case "changed":
      return { suspect: event.slot, foreign: event.by === "owner", awake: true, events: [] };
    case "all_deleted":
    case "reset":
      return { ...told(`lock.${event.event}`), suspect: "all", awake: true };
    case "jammed":
      return told("lock.jammed");
    case "tamper":
      return told("device.tampered", { connected_account_id: null });
    case "alarm":
      return told("device.alarm", { connected_account_id: null, problem: event.problem });
    case "locked":
    case "unlocked":
      return moved(event, placements, cause);
    case "used":
      return told("lock.code_used", userOf(event.slot, placements));
    case "denied":
      return told("lock.access_denied", { ...userOf(event.slot, placements), ...reasonOf(event) });
    case "battery":
      return { news: { battery: event.level }, events: [] };
    case "door":
      return { news: { doorOpen: event.open }, events: [] };
  }
}

const reasonOf = ({ reason = "unknown" }: { readonly reason?: string }) => ({ reason_code: reason });

function moved(
  { at, event, method, slot }: LinkEvent & { readonly event: "locked" | "unlocked" },
  placements: readonly Placement[],
  cause: Cause | undefined,
): Happening {
  const who = cause?.presenter ? presenterFields(cause.presenter) : userOf(slot, placements);
  const how = cause
    ? { method: methodOf(cause.presenter), action_attempt_id: cause.attempt }
    : { method: methods[method] };
  const told = { type: `lock.${event}`, fields: { ...who, ...how }, at };
  return { news: { locked: event === "locked" }, events: cause?.isTold ? [] : [told] };
}

/** Who it was, and with which code, where a slot tells. An access code that was made by itself is nobody's. */
function userOf(slot: SlotName | undefined, placements: readonly Placement[]): Readonly<Record<string, unknown>> {
  const holder = placements.find(({ belief }) => slot !== undefined && belief.at !== "nowhere" && belief.slot === slot);
  const code = holder && codeOf(holder);
  return {
    connected_account_id: null,
    user_identity_id: holder?.identity ?? null,
    credential_kind: holder?.kind ?? null,
    slot: slot ?? null,
    ...(code === undefined ? {} : { access_code_id: code, access_code_is_managed: true }),
  };
}
