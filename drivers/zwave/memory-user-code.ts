import { sameCredential } from "../../agent/domain/credential.ts";
import type { SlotContents, SlotName } from "../../agent/domain/slot.ts";
import type { WriteOutcome } from "../driver.ts";
import {
  clearOutcome,
  contentsOf,
  slotOf,
  type UserCodeAnswer,
  userOf,
  userStatus,
  wordOf,
  writeOutcome,
} from "./codec-user-code.ts";
import { type Ask, answered, invalid, orSilence, type Pin, type SlotWork } from "./conversation.ts";
import type { Seen } from "./seen.ts";

type Supervised = { readonly status: number };

/** What we use of the command class User Code. What changes something is sent once, whatever becomes of it. */
export interface UserCodeVerbs {
  get(user: number): Promise<UserCodeAnswer | undefined>;
  set(user: number, as: "enabled" | "disabled", code: string): Promise<Supervised | undefined>;
  clear(user: number): Promise<Supervised | undefined>;
}

export interface UserCodeParts {
  readonly who: string;
  readonly slots: number;
  readonly isSupervised: boolean;
  /** A code can be there and not open. */
  readonly suspends: boolean;
  readonly verbs: UserCodeVerbs;
  readonly seen: Seen<"empty" | "taken">;
  /** How often the lock has told that it has a code already. */
  readonly duplicates: () => number;
  heard(answer: UserCodeAnswer): void;
}

/** How a code is put into a slot. */
interface Putting {
  readonly as: "enabled" | "disabled";
  /** The slot was read empty before all that is being done. Absent: it is asked. */
  readonly wasEmpty?: boolean;
}

/** Work on codes alone, of which work on codes and windows together is made. */
export interface CodeWork extends SlotWork {
  /** The lock's number of a slot: undefined where it has no such slot. */
  userIn(slot: SlotName): number | undefined;
  /** @throws LinkError: nothing that changes anything has been sent. */
  isEmpty(slot: SlotName, ask: Ask): Promise<boolean>;
  put(credential: Pin, slot: SlotName, how: Putting, ask: Ask): Promise<WriteOutcome>;
}

/**
 * The memory of a lock with User Code. zwave-js's `accessControl` is not used: it says "nothing there" for silence, and
 * takes a slot's status from what it remembers.
 */
export function userCodeWork(parts: UserCodeParts): CodeWork {
  const { who, verbs, seen } = parts;
  const look = async (user: number, slot: SlotName, ask: Ask): Promise<UserCodeAnswer | undefined> => {
    const answer = await ask(() => verbs.get(user));
    if (!answer) return undefined;
    parts.heard(answer);
    if (answer.userIdStatus !== userStatus.notAvailable) {
      seen.note(slot, answer.userIdStatus === userStatus.available ? "empty" : "taken");
    }
    return answer;
  };
  const userIn = (slot: SlotName): number | undefined => {
    const user = userOf(slot);
    return user !== undefined && user <= parts.slots ? user : undefined;
  };
  const work: CodeWork = {
    userIn,

    write: ({ credential, when }, slot, ask) =>
      when === "always" ? work.put(credential, slot, { as: "enabled" }, ask) : Promise.resolve(keepsNoWindow),

    async isEmpty(slot, ask) {
      const user = userIn(slot);
      if (user === undefined) return false;
      if (seen.get(slot) === undefined) await answered(who, look(user, slot, ask));
      return seen.get(slot) === "empty";
    },

    async put(credential, slot, { as, wasEmpty: was }, ask) {
      const user = userIn(slot);
      if (user === undefined) return noSuchSlot(slot);
      // Asked first, so that a lock that is deaf gets nothing that it may carry out later.
      const wasEmpty = was ?? (await work.isEmpty(slot, ask));
      seen.forget(slot);
      const duplicates = parts.duplicates();
      const word = wordOf(await ask(() => verbs.set(user, as, credential.digits.reveal())), parts.isSupervised);
      const now = word === "no" ? undefined : await orSilence(look(user, slot, ask));
      return writeOutcome({
        slot,
        sent: credential,
        word,
        now: now && contentsOf(now),
        wasEmpty,
        isSuspended: as === "disabled",
        isDuplicate: parts.duplicates() > duplicates,
      });
    },

    async clear(slot, ask) {
      const user = userIn(slot);
      if (user === undefined) return noSuchSlot(slot);
      seen.forget(slot);
      await ask(() => verbs.clear(user));
      const now = await orSilence(look(user, slot, ask));
      return clearOutcome(slot, now && contentsOf(now));
    },

    ...(parts.suspends
      ? {
          async enable(slot, { credential }, on, ask) {
            const before = await work.read(slot, ask);
            const refused = notToEnable(before, credential);
            if (refused) return refused;
            // The status is told also where the code is not: what the lock says is not of the code that was there before.
            return work.put(credential, slot, { as: on ? "enabled" : "disabled", wasEmpty: true }, ask);
          },
        }
      : {}),

    async read(slot, ask) {
      const user = userIn(slot);
      if (user === undefined) return { state: "unreadable" };
      return contentsOf(await answered(who, look(user, slot, ask)));
    },

    async *list(ask) {
      for (let user = 1; user <= parts.slots; user++) {
        const slot = slotOf(user);
        const contents = await work.read(slot, ask);
        if (contents.state !== "empty") yield { slot, contents };
      }
    },
  };
  return work;
}

export const keepsNoWindow = invalid("this lock cannot keep such a window");

/** Why a code in a slot is not ours to suspend, nor to let open again. */
export function notToEnable(is: SlotContents, credential: Pin): WriteOutcome | undefined {
  switch (is.state) {
    case "empty":
      return invalid("nothing is in that slot");
    case "unreadable":
      return invalid("no such slot");
    case "known":
      if (sameCredential(is.credential, credential)) return undefined;
      return { result: "refused", reason: "forbidden", detail: "the lock keeps another code there" };
    case "opaque":
      return undefined;
  }
}

export const noSuchSlot = (slot: SlotName | undefined): WriteOutcome =>
  invalid(slot === undefined ? "this lock does not choose slots by itself" : `no slot ${slot}`);
