import type { SlotContents, SlotName } from "../../agent/domain/slot.ts";
import { LinkError, type WriteOutcome } from "../driver.ts";
import { slotOf, userOf, writeOutcome } from "./codec-user-code.ts";
import {
  type CredentialReport,
  credentialContents,
  credentialWord,
  exists,
  modifier,
  type UserReport,
  userWord,
} from "./codec-user-credential.ts";
import { type Ask, answered, orSilence, type Pin, type PinEntry, Refusal, type SlotWork } from "./conversation.ts";
import { keepsNoWindow, noSuchSlot, notToEnable } from "./memory-user-code.ts";
import type { Seen } from "./seen.ts";
import type { Users } from "./users.ts";

/** What we use of zwave-js's API of the command class User Credential. */
export interface UserCredentialVerbs {
  getUser(user: number): Promise<UserReport | undefined>;
  addUser(user: number): Promise<UserReport | undefined>;
  /** Whether a user's codes open. */
  setActive(user: number, active: boolean): Promise<UserReport | undefined>;
  deleteUser(user: number): Promise<UserReport | undefined>;
  getPin(slot: number): Promise<CredentialReport | undefined>;
  setPin(how: "add" | "modify", user: number, slot: number, digits: string): Promise<CredentialReport | undefined>;
  deletePin(user: number, slot: number): Promise<CredentialReport | undefined>;
}

/** A slot with its user. */
export interface Place {
  readonly contents: SlotContents;
  /** Whose the PIN is, or the user where there is none. `radio`: it may have come over the air, and not from us. */
  readonly of: "nobody" | "us" | "radio" | "owner";
  /** Whose the user is. */
  readonly user: Place["of"];
}

export interface UserCredentialParts {
  readonly who: string;
  readonly slots: number;
  /** Lengths of PINs. A lock that gets one of another length need not say a word. */
  readonly shortest: number;
  readonly longest: number;
  readonly verbs: UserCredentialVerbs;
  readonly users: Users;
  readonly seen: Seen<Place>;
}

/**
 * The memory of a lock with User Credential: the PIN in slot n is the one credential of user n, who comes and goes with
 * it. zwave-js's `accessControl` is not used: it says "nothing there" for silence, and chooses by what it remembers
 * whether to add or to replace, so that it would write over an owner's.
 */
export class UserCredentialMemory implements SlotWork {
  readonly #parts: UserCredentialParts;

  constructor(parts: UserCredentialParts) {
    this.#parts = parts;
  }

  async write({ credential, when }: PinEntry, slot: SlotName, ask: Ask): Promise<WriteOutcome> {
    const number = this.#number(slot);
    if (number === undefined) return noSuchSlot(slot);
    // Such locks keep windows by the command class Active Schedule, which zwave-js does not have.
    if (when !== "always") return keepsNoWindow;
    const { seen, users, shortest, longest } = this.#parts;
    const { length } = credential.digits.reveal();
    if (length < shortest || length > longest) return { result: "refused", reason: "invalid", detail: "its length" };
    const before = seen.get(slot) ?? (await this.#mustLook(number, slot, ask));
    if (before.of === "owner" || before.of === "radio") return ownersSlot;
    seen.forget(slot);
    users.begin(number);
    const ended = before.user !== "nobody" ? undefined : await this.#addUser(number, slot, ask);
    if (ended) return ended;
    const isNew = before.contents.state === "empty";
    const isOff = "disabled" in before.contents && (before.contents.disabled ?? false);
    const outcome = await this.#setPin(credential, number, { isNew, isOff }, ask);
    if (outcome.result === "refused" && isNew) await orSilence(this.#remove(number, slot, "us", ask));
    else if (outcome.result !== "unconfirmed") users.complete(number);
    return outcome;
  }

  async #setPin(
    credential: Pin,
    number: number,
    { isNew, isOff }: { isNew: boolean; isOff: boolean },
    ask: Ask,
  ): Promise<WriteOutcome> {
    const { verbs } = this.#parts;
    const slot = slotOf(number);
    const how = isNew ? "add" : "modify";
    try {
      const word = credentialWord(await ask(() => verbs.setPin(how, number, number, credential.digits.reveal())));
      if (typeof word === "object") return word;
      // Only now, so that the PIN that was suspended does not open any more.
      if (isOff && word === "yes") await ask(() => verbs.setActive(number, true));
      const now = (await orSilence(this.#look(number, slot, ask)))?.contents;
      return writeOutcome({ slot, sent: credential, word, now, wasEmpty: isNew, isDuplicate: false });
    } catch (error) {
      if (error instanceof Refusal) return error.outcome;
      throw error;
    }
  }

  async clear(slot: SlotName, ask: Ask): Promise<WriteOutcome> {
    const number = this.#number(slot);
    if (number === undefined) return noSuchSlot(slot);
    const before = this.#parts.seen.get(slot) ?? (await this.#mustLook(number, slot, ask));
    if (before.of === "owner") return ownersSlot;
    const now = before.of === "nobody" ? before : await this.#remove(number, slot, before.user, ask);
    return now?.contents.state === "empty"
      ? { result: "stored", slot, proof: "read_back" }
      : { result: "unconfirmed", slot };
  }

  async enable(slot: SlotName, { credential }: PinEntry, on: boolean, ask: Ask): Promise<WriteOutcome> {
    const number = this.#number(slot);
    if (number === undefined) return noSuchSlot(slot);
    const { verbs, seen } = this.#parts;
    const before = await this.#mustLook(number, slot, ask);
    if (before.of === "owner" || before.user === "owner" || before.of === "radio") return ownersSlot;
    const refused = notToEnable(before.contents, credential);
    if (refused) return refused;
    seen.forget(slot);
    const word = userWord(await ask(() => verbs.setActive(number, on)));
    if (typeof word === "object") return word;
    const now = (await orSilence(this.#look(number, slot, ask)))?.contents;
    // That there is the code was read before: what the lock says now is of its user.
    return writeOutcome({ slot, sent: credential, word, now, wasEmpty: true, isSuspended: !on, isDuplicate: false });
  }

  async read(slot: SlotName, ask: Ask): Promise<SlotContents> {
    const number = this.#number(slot);
    if (number === undefined) return { state: "unreadable" };
    const { contents, of } = await this.#mustLook(number, slot, ask);
    // A user of the owner's without a PIN leaves no room for one of ours.
    return contents.state === "empty" && (of === "owner" || of === "radio") ? { state: "opaque" } : contents;
  }

  async *list(ask: Ask): AsyncGenerator<{ readonly slot: SlotName; readonly contents: SlotContents }> {
    await this.tidy(ask);
    for (let number = 1; number <= this.#parts.slots; number++) {
      const slot = slotOf(number);
      const contents = await this.read(slot, ask);
      if (contents.state !== "empty") yield { slot, contents };
    }
  }

  /** Takes away users of ours that never got their code. Those that cannot be are left for the next time. */
  async tidy(ask: Ask): Promise<void> {
    for (const number of this.#parts.users.begun) {
      const slot = slotOf(number);
      const place = await orSilence(this.#look(number, slot, ask));
      if (!place) return;
      if (place.of === "nobody") this.#parts.users.end(number);
      else if (place.contents.state !== "empty") this.#parts.users.complete(number);
      else if (place.of === "us") await orSilence(this.#remove(number, slot, "us", ask));
    }
  }

  /** An outcome where the write ends here. */
  async #addUser(user: number, slot: SlotName, ask: Ask): Promise<WriteOutcome | undefined> {
    const { verbs, users } = this.#parts;
    let word: ReturnType<typeof userWord>;
    try {
      word = userWord(await ask(() => verbs.addUser(user)));
    } catch (error) {
      if (error instanceof LinkError && !error.sent) users.end(user);
      if (!(error instanceof Refusal)) throw error;
      word = error.outcome;
    }
    if (typeof word === "object") {
      users.end(user);
      return word;
    }
    if (word === "yes") return undefined;
    const there = await orSilence(ask(() => verbs.getUser(user)));
    // Where that is not answered either, the code may come: without its user the lock refuses it.
    return !there || exists(there) ? undefined : { result: "unconfirmed", slot };
  }

  /**
   * The PIN, with its user and all that this one has, unless the owner has made the user another one: a changed name is
   * enough for that, and must not keep a code of ours on the lock.
   *
   * @returns what is there then: undefined where that was not answered.
   */
  async #remove(user: number, slot: SlotName, of: Place["user"], ask: Ask): Promise<Place | undefined> {
    const { verbs, users, seen } = this.#parts;
    seen.forget(slot);
    if (of === "owner") await ask(() => verbs.deletePin(user, user));
    else await ask(() => verbs.deleteUser(user));
    const now = await orSilence(this.#look(user, slot, ask));
    if (now?.of === "nobody") users.end(user);
    return now;
  }

  #mustLook(number: number, slot: SlotName, ask: Ask): Promise<Place> {
    return answered(this.#parts.who, this.#look(number, slot, ask));
  }

  async #look(number: number, slot: SlotName, ask: Ask): Promise<Place | undefined> {
    const { verbs, users, seen } = this.#parts;
    const pin = await ask(() => verbs.getPin(number));
    const user = pin && (await ask(() => verbs.getUser(number)));
    if (!pin || !user) return undefined;
    const contents = credentialContents(pin, user);
    const isOurs = users.isOurs(number);
    const holder = whose(user, isOurs);
    const of = !exists(pin) ? holder : pin.userId === number ? whose(pin, isOurs) : "owner";
    const place: Place = { contents, of, user: holder };
    seen.note(slot, place);
    return place;
  }

  #number(slot: SlotName): number | undefined {
    const number = userOf(slot);
    return number !== undefined && number <= this.#parts.slots ? number : undefined;
  }
}

const ownersSlot = { result: "refused", reason: "forbidden", detail: "the slot is the owner's" } as const;

function whose(report: { readonly modifierType: number }, isOurs: boolean): Place["of"] {
  if (!exists(report)) return "nobody";
  // Not every lock says by which way a change came to it.
  const byOwner = report.modifierType !== modifier.zwave && report.modifierType !== modifier.unknown;
  return byOwner ? "owner" : isOurs ? "us" : "radio";
}
