import { sameCredential } from "../../agent/domain/credential.ts";
import type { Instant } from "../../agent/domain/instant.ts";
import { sameWhen, type When } from "../../agent/domain/lock-window.ts";
import type { SlotContents, SlotName } from "../../agent/domain/slot.ts";
import type { Reply } from "../../simulator/lying-lock.ts";
import type { Entry, WriteOutcome } from "../driver.ts";

/** What a lock has said to a change, and what was found in the slot before and after it. Undefined: silence. */
export interface Heard {
  readonly slot: SlotName;
  readonly reply: Reply | undefined;
  readonly before: SlotContents;
  readonly after: SlotContents | undefined;
}

/**
 * What became of a write. What was read counts, whatever the lock has said: `stored` where it is there, and as it should be.
 * A `no` stands where nothing speaks against it. A lock that says yes, and whose slot says otherwise, has not answered.
 */
export function writeVerdict(entry: Entry, heard: Heard, now: Instant): WriteOutcome {
  const { slot, reply, after } = heard;
  const open: WriteOutcome = { result: "unconfirmed", slot };
  const otherwise = reply?.says === "no" ? refusal(reply) : open;
  if (after === undefined) return open;
  switch (after.state) {
    case "unreadable":
      return open;
    case "empty":
      return otherwise;
    case "known":
      if (!sameCredential(after.credential, entry.credential)) return otherwise;
      return isAsAsked(after, entry, now) ? { result: "stored", slot, proof: "read_back" } : open;
    case "opaque":
      return maskedVerdict(heard, isAsAsked(after, entry, now));
  }
}

/** Something is in the slot: whose, the lock does not say. */
function maskedVerdict({ slot, reply, before }: Heard, isAsItShould: boolean): WriteOutcome {
  const open: WriteOutcome = { result: "unconfirmed", slot };
  const wasEmpty = before.state === "empty";
  if (reply?.says === "no") return wasEmpty ? open : refusal(reply);
  if (!isAsItShould || (!wasEmpty && !reply)) return open;
  return { result: "stored", slot, proof: wasEmpty ? "read_back_masked" : "acknowledged" };
}

/** Whether it opens when it should, as far as the lock tells. */
const isAsAsked = (
  { when, disabled }: { readonly when?: When; readonly disabled?: boolean },
  entry: Entry,
  now: Instant,
  isOn = true,
): boolean => (disabled ?? false) !== isOn && (when === undefined || sameWhen(when, entry.when, now));

/** What became of a clear. */
export function clearVerdict({ slot, reply, after }: Omit<Heard, "before">): WriteOutcome {
  if (after?.state === "empty") return { result: "stored", slot, proof: "read_back" };
  if (reply?.says === "no" && after && after.state !== "unreadable") return refusal(reply);
  return { result: "unconfirmed", slot };
}

/** What became of suspending what is in a slot, or of letting it open again. */
export function enableVerdict(
  entry: Entry,
  on: boolean,
  { slot, reply, after }: Omit<Heard, "before">,
  now: Instant,
): WriteOutcome {
  const open: WriteOutcome = { result: "unconfirmed", slot };
  if (after === undefined || after.state === "unreadable") return open;
  const isOurs =
    after.state === "opaque" || (after.state === "known" && sameCredential(after.credential, entry.credential));
  const isDone = isOurs && isAsAsked(after, entry, now, on);
  if (isDone) return { result: "stored", slot, proof: after.state === "known" ? "read_back" : "read_back_masked" };
  return reply?.says === "no" ? refusal(reply) : open;
}

/** Of a lock that cannot be asked there is nothing but its word. */
export function wordOf(reply: Reply | undefined, slot: SlotName | undefined): WriteOutcome {
  if (reply === undefined) return { result: "unconfirmed", ...(slot === undefined ? {} : { slot }) };
  return reply.says === "no" ? refusal(reply) : { result: "stored", slot: reply.slot, proof: "acknowledged" };
}

const refusal = ({ reason, detail }: Reply & { readonly says: "no" }): WriteOutcome => ({
  result: "refused",
  reason,
  ...(detail === undefined ? {} : { detail }),
});
