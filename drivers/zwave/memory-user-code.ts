import type { SlotName } from "../../agent/domain/slot.ts";
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
import { type Ask, answered, orSilence, type SlotWork } from "./conversation.ts";
import type { Seen } from "./seen.ts";

type Supervised = { readonly status: number };

/** What we use of the command class User Code. What changes something is sent once, whatever becomes of it. */
export interface UserCodeVerbs {
  get(user: number): Promise<UserCodeAnswer | undefined>;
  enable(user: number, code: string): Promise<Supervised | undefined>;
  clear(user: number): Promise<Supervised | undefined>;
}

export interface UserCodeParts {
  readonly who: string;
  readonly slots: number;
  readonly isSupervised: boolean;
  readonly verbs: UserCodeVerbs;
  readonly seen: Seen<"empty" | "taken">;
  /** How often the lock has told that it has a code already. */
  readonly duplicates: () => number;
  heard(answer: UserCodeAnswer): void;
}

/**
 * The memory of a lock with User Code. zwave-js's `accessControl` is not used: it says "nothing there" for silence, and
 * takes a slot's status from what it remembers.
 */
export function userCodeWork(parts: UserCodeParts): SlotWork {
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
  const work: SlotWork = {
    async write(credential, slot, ask) {
      const user = userIn(slot);
      if (user === undefined) return noSuchSlot(slot);
      // Asked first, so that a lock that is deaf gets nothing that it may carry out later.
      if (seen.get(slot) === undefined) await answered(who, look(user, slot, ask));
      const wasEmpty = seen.get(slot) === "empty";
      seen.forget(slot);
      const duplicates = parts.duplicates();
      const word = wordOf(await ask(() => verbs.enable(user, credential.digits.reveal())), parts.isSupervised);
      const now = word === "no" ? undefined : await orSilence(look(user, slot, ask));
      return writeOutcome({
        slot,
        sent: credential,
        word,
        now: now && contentsOf(now),
        wasEmpty,
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

export const noSuchSlot = (slot: SlotName | undefined): WriteOutcome => ({
  result: "refused",
  reason: "invalid",
  detail: slot === undefined ? "this lock does not choose slots by itself" : `no slot ${slot}`,
});
