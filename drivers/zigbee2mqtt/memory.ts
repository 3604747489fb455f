import type { Milliseconds } from "../../agent/domain/instant.ts";
import type { Secret } from "../../agent/domain/secret.ts";
import { type SlotName } from "../../agent/domain/slot.ts";
import { type Clock, type Entry, LinkError, type Memory, type WriteOutcome } from "../driver.ts";
import { contentsOf, type UserAnswer, userOf, verdictOn } from "./codec-lock.ts";

/** A lock that was let in on: the one command in flight. */
export interface Conversation {
  /** Number of slots: users 0 to one less. */
  readonly users: number;
  /** Whether zigbee2mqtt holds it for reachable. */
  readonly reachable: boolean;
  /** Reads one slot on the air: undefined for silence. */
  ask(user: number): Promise<UserAnswer | undefined>;
  /** Sends a PIN, or with `undefined` a clear. Says nothing of what becomes of it. */
  send(user: number, digits: Secret | undefined): Promise<void>;
  /** How many sent PINs and clears zigbee2mqtt has said that it could not deliver, so far. */
  readonly undelivered: number;
}

/** Opens a conversation with the lock, once it is our turn. */
export type Converse = <T>(signal: AbortSignal, talk: (lock: Conversation) => Promise<T>) => Promise<T>;

/** A `get` may overtake the `set` before it; after this time it has not. */
const overtaking: Milliseconds = 1000;

/**
 * A lock's memory through zigbee2mqtt, which never tells what became of a write: only an answer to a `get` is believed
 * (lock-interfaces, 1.3).
 */
export function memoryOf(name: string, converse: Converse, clock: Clock): Memory {
  const silent = (sent: boolean): LinkError =>
    new LinkError(`${name} does not answer`, { sent, hint: "check the lock's batteries and its distance to a router" });
  /** What the slot holds, asked again where it may have been asked too early to know of a change. */
  const settled = async (
    lock: Conversation,
    user: number,
    isDone: (answer: UserAnswer) => boolean,
    signal: AbortSignal,
  ): Promise<UserAnswer | undefined> => {
    try {
      const first = await lock.ask(user);
      if (first === undefined || isDone(first)) return first;
      await clock.sleep(overtaking, signal);
      return await lock.ask(user);
    } catch (error) {
      // The change has left, so what became of it is open, whatever became of the question.
      if (error instanceof LinkError && !signal.aborted) return undefined;
      throw error;
    }
  };
  /** A lock that is held for away is asked first, so that nothing is in doubt, and nothing queued for later, if it is. */
  const change = async (lock: Conversation, user: number, digits: Secret | undefined): Promise<void> => {
    if (!lock.reachable && (await lock.ask(user)) === undefined) throw silent(false);
    await lock.send(user, digits);
  };

  return {
    write: (entry, at, signal) =>
      converse(signal, async (lock) => {
        const place = placeOf(entry, at, lock.users);
        if ("result" in place) return place;
        const { user, slot, credential } = place;
        const before = lock.undelivered;
        await change(lock, user, credential.digits);
        const isDone = (answer: UserAnswer): boolean => ["same", "masked"].includes(verdictOn(answer, credential));
        const answer = await settled(lock, user, isDone, signal);
        if (answer === undefined) return { result: "unconfirmed", slot };
        return outcomeOf(verdictOn(answer, credential), slot, lock.undelivered > before);
      }),

    clear: (slot, signal) =>
      converse(signal, async (lock) => {
        const user = userOf(slot);
        if (user === undefined || user >= lock.users) return noSuchSlot(slot);
        await change(lock, user, undefined);
        const answer = await settled(lock, user, isEmpty, signal);
        return answer && isEmpty(answer)
          ? { result: "stored", slot, proof: "read_back" }
          : { result: "unconfirmed", slot };
      }),

    read: (slot, signal) =>
      converse(signal, async (lock) => {
        const user = userOf(slot);
        if (user === undefined || user >= lock.users) return { state: "unreadable" };
        const answer = await lock.ask(user);
        if (answer === undefined) throw silent(true);
        return contentsOf(answer);
      }),
  };
}

const isEmpty = (answer: UserAnswer): boolean => contentsOf(answer).state === "empty";

type Place = { user: number; slot: SlotName; credential: Entry["credential"] & { readonly kind: "pin" } };

function placeOf({ credential }: Entry, slot: SlotName | undefined, users: number): Place | WriteOutcome {
  if (credential.kind !== "pin") return { result: "refused", reason: "invalid", detail: "this lock takes PINs only" };
  const user = slot === undefined ? undefined : userOf(slot);
  if (slot === undefined || user === undefined || user >= users) return noSuchSlot(slot);
  return { user, slot, credential };
}

const noSuchSlot = (slot: SlotName | undefined): WriteOutcome => ({
  result: "refused",
  reason: "invalid",
  detail: slot === undefined ? "this lock does not choose slots by itself" : `no slot ${slot}`,
});

function outcomeOf(verdict: ReturnType<typeof verdictOn>, slot: SlotName, undelivered: boolean): WriteOutcome {
  switch (verdict) {
    case "same":
      return { result: "stored", slot, proof: "read_back" };
    case "masked":
      return { result: "stored", slot, proof: "read_back_masked" };
    case "unreadable":
    case "disabled":
      // What is there and does not open is neither stored nor refused: reading the slot says which code it is.
      return { result: "unconfirmed", slot };
    case "other":
      return undelivered
        ? { result: "unconfirmed", slot }
        : { result: "refused", reason: "forbidden", detail: "the lock keeps another code there" };
    case "empty":
      return undelivered
        ? { result: "unconfirmed", slot }
        : { result: "refused", reason: "invalid", detail: "the lock did not take it; zigbee2mqtt does not tell why" };
  }
}
