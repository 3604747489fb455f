import { randomUUID } from "node:crypto";
import { type Asked, type Clock, LinkError, type Log, type Reader, type ReaderAnswer } from "../../drivers/driver.ts";
import { type ActionAttempt, actionAttemptId, deadlineOf } from "../domain/action-attempt.ts";
import type { Credential } from "../domain/credential.ts";
import type { DenyReason, DoorDecision, Presenter } from "../domain/door-decision.ts";
import { type DoorSettings, type Half, presented } from "../domain/door-rule.ts";
import type { DeviceId } from "../domain/ids.ts";
import { type Instant, instant, type Milliseconds } from "../domain/instant.ts";
import { type Entry, gather, type Typed } from "../domain/keypad.ts";
import { isLockedOut, type LockOut, wrongCode } from "../domain/lock-out.ts";
import { within } from "./deadline.ts";

/** What the doorman needs of the store: every method is on disk when it returns. */
interface DoorBook {
  decide(device: DeviceId, credentials: readonly Credential[], now: Instant): DoorDecision;
  admit(attempt: ActionAttempt): void;
  deny(
    device: DeviceId,
    denial: { reason: DenyReason; presenter: Presenter | undefined; method: string; at: Instant },
    now: Instant,
  ): void;
}

export interface DoormanParts {
  readonly doors: ReadonlyMap<DeviceId, DoorSettings>;
  readonly book: DoorBook;
  readonly clock: Clock;
  readonly log: Log;
  /** The reader of a device; undefined while its link is not open. */
  readonly readerOf: (device: DeviceId) => Reader | undefined;
  /** Moves the bolt of the device, wherever that is. */
  readonly begin: (attempt: ActionAttempt) => void;
  /** When what comes in now may have been presented at the earliest. */
  readonly saidAt: () => Instant;
  /** How long after it was presented somebody may still be let in. */
  readonly goodFor: Milliseconds;
  /** After every commit of ours. */
  readonly committed: () => void;
  /** The store cannot be relied on any more. */
  readonly failed: (error: unknown) => void;
}

/** What is kept of one reader, until latchd ends. */
interface Desk {
  typed: Typed | undefined;
  half: Half | undefined;
  lockOut: LockOut | undefined;
}

/** An answer that a reader has not taken by then is of no use to anybody. */
const answerWithin: Milliseconds = 3_000;

/**
 * Decides who may pass a door whose reader asks, from what is in the database: the cloud is not needed for it. The decision is
 * on disk before the bolt is told to move.
 */
export class Doorman {
  readonly #parts: DoormanParts;
  readonly #desks = new Map<string, Desk>();
  /** Devices of which it was said that their reader asks in vain. */
  readonly #unkept = new Set<DeviceId>();
  readonly #answers = new Set<Promise<void>>();
  readonly #end = new AbortController();

  constructor(parts: DoormanParts) {
    this.#parts = parts;
  }

  asked(device: DeviceId, event: Asked): void {
    const door = this.#parts.doors.get(device);
    if (!door) return this.#warn(device);
    if (this.#end.signal.aborted) return;
    try {
      if (event.event === "presented") this.#credential(device, door, event, event.credential);
      else this.#keys(device, door, event);
    } catch (error) {
      this.#parts.failed(error);
      throw error;
    }
  }

  /** Somebody stands there, and would wait for ever. */
  #warn(device: DeviceId): void {
    if (this.#unkept.has(device)) return;
    this.#unkept.add(device);
    const hint = 'set "doorman": {} for the device, so that latchd decides who may pass';
    this.#parts.log.warn(
      { device, hint },
      "a reader asks who may pass, and nobody is to answer: nothing opens this door",
    );
  }

  /** Waits for nothing that a reader has not answered yet. */
  async close(): Promise<void> {
    this.#end.abort(new LinkError("latchd ends"));
    await Promise.all(this.#answers);
  }

  #keys(device: DeviceId, door: DoorSettings, event: Asked & { readonly event: "keys" }): void {
    if (event.stale) return this.#refuse(device, event, "stale", "keycode");
    const desk = this.#desk(device, event);
    const { typed, entries } = gather(desk.typed, event.digits, event.at, door.pinLength);
    desk.typed = typed;
    for (const entry of entries) this.#entry(device, door, event, entry);
  }

  #entry(device: DeviceId, door: DoorSettings, event: Asked, entry: Entry): void {
    const desk = this.#desk(device, event);
    switch (entry.entry) {
      case "cleared":
        desk.half = undefined;
        return this.#answer(device, event, "ignored");
      case "too_long":
        if (this.#isLockedOut(desk)) return this.#refuse(device, event, "too_many_attempts", "keycode");
        this.#wrong(device, door, event);
        return this.#refuse(device, event, "unknown_code", "keycode");
      case "code":
        return this.#credential(device, door, event, { kind: "pin", digits: entry.digits });
    }
  }

  #credential(device: DeviceId, door: DoorSettings, event: Asked, credential: Credential): void {
    const { clock, book } = this.#parts;
    const desk = this.#desk(device, event);
    const method = credential.kind === "pin" ? "keycode" : "card";
    if (event.stale) return this.#refuse(device, event, "stale", method);
    const next = presented(credential, desk.half, door.rule, event.at);
    desk.half = next.step === "wait" ? next.half : undefined;
    if (next.step === "wait") return;
    if (next.step === "refuse") return this.#refuse(device, event, "kind_not_accepted", method);
    const isTyped = next.credentials.some(({ kind }) => kind === "pin");
    if (isTyped && this.#isLockedOut(desk)) return this.#refuse(device, event, "too_many_attempts", method);
    const deadline = this.#deadline(event);
    if (deadline === undefined) return this.#refuse(device, event, "too_late", method);
    const decision = book.decide(device, next.credentials, clock.now());
    if (decision.decision === "admit") {
      // Not by a card: with one of his own somebody could try as many codes of others as he likes.
      if (isTyped) desk.lockOut = undefined;
      return this.#admit(device, event, decision.presenter, deadline);
    }
    if (isTyped && isWrong(decision.reason)) this.#wrong(device, door, event);
    this.#refuse(device, event, decision.reason, method, decision.presenter);
  }

  #admit(device: DeviceId, event: Asked, presenter: Presenter, deadline: Instant): void {
    const { clock, book, begin, committed } = this.#parts;
    const id = actionAttemptId(randomUUID());
    const attempt = { id, device, act: "unlock", createdAt: clock.now(), deadline, presenter } as const;
    book.admit(attempt);
    begin(attempt);
    this.#answer(device, event, "admit");
    committed();
  }

  #refuse(device: DeviceId, event: Asked, reason: DenyReason, method: string, presenter?: Presenter): void {
    const { clock, book, committed } = this.#parts;
    book.deny(device, { reason, presenter, method, at: event.at }, clock.now());
    // Who stood there before the reader was connected has gone.
    if (!event.stale) this.#answer(device, event, "deny");
    committed();
  }

  #wrong(device: DeviceId, door: DoorSettings, event: Asked): void {
    const { clock, log } = this.#parts;
    const desk = this.#desk(device, event);
    desk.lockOut = wrongCode(desk.lockOut, clock.now(), door.lockOut);
    const { until } = desk.lockOut;
    if (until !== undefined)
      log.warn({ device, until }, "too many wrong codes: none is taken at this reader for a while");
  }

  #isLockedOut({ lockOut }: Desk): boolean {
    return isLockedOut(lockOut, this.#parts.clock.now());
  }

  /** Until when somebody may be let in for what was presented (Law 10); undefined: not any more. */
  #deadline({ at }: Asked): Instant | undefined {
    const { clock, saidAt, goodFor } = this.#parts;
    const issuedAt = instant(Math.min(at, saidAt()));
    return deadlineOf({ issuedAt, expiresAt: undefined }, goodFor, clock.now());
  }

  #answer(device: DeviceId, event: Asked, decision: ReaderAnswer): void {
    const { readerOf, clock, log } = this.#parts;
    const reader = readerOf(device);
    if (!reader) return;
    const said = within(answerWithin, clock, this.#end.signal, (signal) =>
      reader.answer(event, decision, signal),
    ).catch((error: unknown) => {
      if (!(error instanceof LinkError)) log.error({ device, error }, "the driver failed at a reader");
      else if (!this.#end.signal.aborted) log.debug({ device, problem: error.message }, "a reader took no answer");
    });
    this.#answers.add(said);
    void said.finally(() => this.#answers.delete(said));
  }

  #desk(device: DeviceId, { reader = "" }: Asked): Desk {
    const key = `${device}\t${reader}`;
    const known = this.#desks.get(key);
    if (known) return known;
    const desk = { typed: undefined, half: undefined, lockOut: undefined };
    this.#desks.set(key, desk);
    return desk;
  }
}

/** Whether somebody may be trying codes. */
const isWrong = (reason: DenyReason): boolean => reason === "unknown_code" || reason === "wrong_pair";
