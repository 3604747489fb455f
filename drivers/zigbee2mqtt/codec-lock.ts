import { z } from "zod";
import type { Credential } from "../../agent/domain/credential.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { type SlotContents, type SlotName, slotName } from "../../agent/domain/slot.ts";
import { decode } from "../shared/decode.ts";
import type { Place } from "../shared/settled-bolt.ts";

/*
 * What goes to and comes from one lock through zigbee2mqtt (reference: lock-interfaces, 1.1 to 1.4). Pure.
 */

/** The property under which a lock's own word about its memory is published, when asked for by the `read` escape. */
export const capsProperty = "latchd_pin_memory";
/** Attributes of the cluster closuresDoorLock: 0x12, 0x17, 0x18. */
const capsAttributes = ["numOfPinUsersSupported", "maxPinLen", "minPinLen"] as const;

/** The same, of its bolt: what else zigbee2mqtt says of that may be what it remembers, or believes. */
export const boltProperty = "latchd_bolt";

export const slotOf = (user: number): SlotName => slotName(String(user));
/** The lock's number of a slot: undefined where it is no such number. */
export const userOf = (slot: SlotName): number | undefined =>
  /^(0|[1-9]\d{0,4})$/.test(slot) ? Number(slot) : undefined;

/**
 * Payload of `<lock>/set` that writes a PIN, or clears with `undefined`. The PIN goes as a JSON string: as a number it
 * would lose its leading zeros. Opens the secret (Law 9).
 */
export const encodePin = (user: number, digits: Secret | undefined): string =>
  JSON.stringify({ pin_code: digits ? { user, pin_code: digits.reveal() } : { user, pin_code: null } });

/** Payload of `<lock>/get` that asks for one slot. Without a user it would be a loop over all of them, on the air. */
export const encodeGet = (user: number): string => JSON.stringify({ pin_code: { user } });

/** Payload of `<lock>/set` that asks the lock itself what its memory takes. */
export const encodeReadCaps = (): string =>
  JSON.stringify({
    read: { cluster: "closuresDoorLock", attributes: capsAttributes, state_property: capsProperty },
  });

/** Payload of `<lock>/set` that asks the lock itself where its bolt is. */
export const encodeReadBolt = (): string =>
  JSON.stringify({ read: { cluster: "closuresDoorLock", attributes: ["lockState"], state_property: boltProperty } });

/** Payload of `<lock>/set` that moves the bolt. */
export const encodeBolt = (to: Place): string => JSON.stringify({ state: to === "locked" ? "LOCK" : "UNLOCK" });

const user = z.object({ status: z.string(), pin_code: z.string().optional() });
export type UserAnswer = z.infer<typeof user>;

/** What a lock says of its memory: numbers as they came, to be doubted. */
const caps = z.object({
  numOfPinUsersSupported: z.number().optional(),
  maxPinLen: z.number().optional(),
  minPinLen: z.number().optional(),
});
export type Caps = z.infer<typeof caps>;

const state = z.object({
  users: z.record(z.string(), user).optional().catch(undefined),
  [capsProperty]: caps.optional().catch(undefined),
  [boltProperty]: z.object({ lockState: z.number().optional() }).optional().catch(undefined),
  action: z.string().optional().catch(undefined),
  action_user: z.number().optional().catch(undefined),
  action_source_name: z.string().optional().catch(undefined),
  battery: z.number().min(0).max(100).optional().catch(undefined),
  lock_state: z.string().optional().catch(undefined),
  door_state: z.string().optional().catch(undefined),
});
/** What we take from a message on a lock's own topic. */
export type LockState = z.infer<typeof state>;

/** Reads a message on a lock's topic: undefined where it is not one. */
export const decodeState = (text: string): LockState | undefined => decode(text, state);

/** By the ZCL attribute LockState: 0 is a bolt that is out in part, and with that neither. */
export const placeIn = ({ lockState }: { readonly lockState?: number | undefined }): Place | "between" =>
  lockState === 1 ? "locked" : lockState === 2 ? "unlocked" : "between";

const availability = z.object({ state: z.enum(["online", "offline"]) });

/** Reads a message on a lock's availability topic: JSON, or the bare word of older versions. */
export const decodeAvailability = (text: string): "online" | "offline" | undefined => {
  if (text === "online" || text === "offline") return text;
  return decode(text, availability)?.state;
};

/** What the lock says is in a slot. Stars and anything else that are not digits: some code, it will not say which. */
export function contentsOf({ status, pin_code: pin = "" }: UserAnswer): SlotContents {
  const off = status === "disabled" ? { disabled: true } : {};
  if (/^\d+$/.test(pin)) return { state: "known", credential: { kind: "pin", digits: new Secret(pin) }, ...off };
  if (pin !== "") return { state: "opaque", ...off };
  if (status === "available") return { state: "empty" };
  return status.startsWith("not_supported") ? { state: "unreadable" } : { state: "opaque", ...off };
}

/** How an answer compares with a PIN that was sent. */
export type Verdict = "same" | "masked" | "other" | "empty" | "disabled" | "unreadable";

export function verdictOn(answer: UserAnswer, sent: Credential & { readonly kind: "pin" }): Verdict {
  const contents = contentsOf(answer);
  switch (contents.state) {
    case "empty":
      return "empty";
    case "unreadable":
      return "unreadable";
    case "opaque":
      return answer.status === "disabled" ? "disabled" : "masked";
    case "known": {
      const { credential } = contents;
      if (credential.kind !== "pin" || !credential.digits.equals(sent.digits)) return "other";
      return answer.status === "disabled" ? "disabled" : "same";
    }
  }
}
