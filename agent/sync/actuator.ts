import { setMaxListeners } from "node:events";
import {
  type ActOutcome,
  type Bolt,
  type Clock,
  LinkError,
  type LinkEvent,
  type LockDevice,
  type Log,
} from "../../drivers/driver.ts";
import {
  type ActionAttempt,
  type ActionAttemptId,
  type AttemptEnd,
  type BoltAct,
  failedFor,
} from "../domain/action-attempt.ts";
import type { Presenter } from "../domain/door-decision.ts";
import type { DeviceId } from "../domain/ids.ts";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";

export interface ActuatorParts {
  /** What came of it, committed when it returns. `isTold`: the lock has told of it by itself. */
  readonly end: (attempt: ActionAttempt, end: AttemptEnd, isTold: boolean) => void;
  /** The lock that has the bolt of a device; undefined while its link is not open. */
  readonly lockOf: (device: DeviceId) => LockDevice | undefined;
  readonly clock: Clock;
  /** Counts evenly, whatever the clock is set to. */
  readonly monotonic: () => Milliseconds;
  readonly log: Log;
  /** After every commit of ours. */
  readonly committed: () => void;
  /** The store cannot be relied on any more. */
  readonly failed: (error: unknown) => void;
}

/** What was last sent to the bolt of a device. */
interface Sent {
  readonly attempt: ActionAttempt;
  readonly at: Instant;
  isTold: boolean;
}

/** Of what a lock tells of its bolt: which attempt it came of, and whether it was told already. */
export interface Cause {
  readonly attempt: ActionAttemptId;
  readonly isTold: boolean;
  /** Who was let in. */
  readonly presenter: Presenter | undefined;
}

/** A lock tells of a movement that we asked for within this time, or it is of somebody else's. */
const toldWithin: Milliseconds = 15_000;

/**
 * Moves bolts: each attempt once, by its deadline or not at all (Law 10), and those of one device in the order in which they
 * were wanted. What a lock does not answer is not known, and is said so.
 */
export class Actuator {
  readonly #parts: ActuatorParts;
  readonly #running = new Map<DeviceId, Promise<void>>();
  readonly #sent = new Map<DeviceId, Sent>();
  readonly #end = new AbortController();

  constructor(parts: ActuatorParts) {
    this.#parts = parts;
    // As many doors as there are may move at once.
    setMaxListeners(0, this.#end.signal);
  }

  /** Each of them is on disk. */
  begin(...attempts: readonly ActionAttempt[]): void {
    const { clock, monotonic } = this.#parts;
    for (const attempt of attempts) {
      // Where the clock is set back while it waits, it is not good for longer.
      const until = monotonic() + (attempt.deadline - clock.now());
      const left = (): Milliseconds => Math.min(attempt.deadline - clock.now(), until - monotonic());
      const before = this.#running.get(attempt.device) ?? Promise.resolve();
      this.#running.set(
        attempt.device,
        before.then(() => this.#carryOut(attempt, left)),
      );
    }
  }

  /** What made a bolt move: undefined where it was nothing of ours. */
  causeOf(device: DeviceId, event: LinkEvent): Cause | undefined {
    if (event.event !== "locked" && event.event !== "unlocked") return undefined;
    const sent = this.#sent.get(device);
    if (!sent || `${sent.attempt.act}ed` !== event.event) return undefined;
    if (event.method !== "remote" && event.method !== "unknown") return undefined;
    const now = this.#parts.clock.now();
    // Where the clock was set back, nobody knows how long ago it was: what is told then is told once too often, and not lost.
    if (now < sent.at || now >= later(sent.at, toldWithin)) return undefined;
    const { isTold } = sent;
    sent.isTold = true;
    return { attempt: sent.attempt.id, isTold, presenter: sent.attempt.presenter };
  }

  /** Waits for nothing that a lock has not answered yet: what comes of that nobody will know. */
  async close(): Promise<void> {
    this.#end.abort(new LinkError("latchd ends"));
    await Promise.all(this.#running.values());
  }

  async #carryOut(attempt: ActionAttempt, left: () => Milliseconds): Promise<void> {
    const { end, committed, failed } = this.#parts;
    const ended = await this.#move(attempt, left);
    const sent = this.#sent.get(attempt.device);
    const isOurs = sent?.attempt === attempt;
    try {
      end(attempt, ended, isOurs && sent.isTold);
      if (isOurs && ended.result === "done" && (ended.confirmed || attempt.presenter)) sent.isTold = true;
      committed();
    } catch (error) {
      failed(error);
    }
  }

  async #move(attempt: ActionAttempt, left: () => Milliseconds): Promise<AttemptEnd> {
    const { clock, lockOf, log } = this.#parts;
    if (this.#end.signal.aborted) return failedFor("interrupted");
    if (left() <= 0) return failedFor("command_too_late", "others were before it until its time was over");
    const over = new AbortController();
    // Not AbortSignal.any(), which the agent's end would remember for as long as it runs.
    const interrupt = (): void => over.abort(this.#end.signal.reason);
    this.#end.signal.addEventListener("abort", interrupt, { once: true });
    clock.sleep(left(), over.signal).then(
      () => over.abort(new LinkError("its time is over")),
      () => undefined,
    );
    const isOver = (): boolean => left() <= 0;
    try {
      const lock = lockOf(attempt.device);
      if (!lock) return failedFor("device_offline", "the link of this device is not open");
      const move = moveOf(lock.bolt, attempt.act);
      if (!move) return failedFor("not_supported", `this lock cannot be ${attempt.act}ed from afar`);
      this.#sent.set(attempt.device, { attempt, at: clock.now(), isTold: false });
      return endOf(await move(over.signal, isOver));
    } catch (error) {
      if (this.#end.signal.aborted) return failedFor("interrupted");
      if (error instanceof LinkError && !error.sent) {
        return failedFor(over.signal.aborted || isOver() ? "command_too_late" : "device_offline", error.message);
      }
      if (!(error instanceof LinkError)) log.error({ device: attempt.device, error }, "the driver failed at a bolt");
      return failedFor("outcome_unknown", error instanceof LinkError ? error.message : undefined);
    } finally {
      this.#end.signal.removeEventListener("abort", interrupt);
      over.abort();
    }
  }
}

type Move = (signal: AbortSignal, isOver: () => boolean) => Promise<ActOutcome>;

function moveOf(bolt: Bolt | undefined, act: BoltAct): Move | undefined {
  if (act === "unlock") return bolt && ((...given) => bolt.unlock(...given));
  return bolt?.lock && ((...given) => bolt.lock?.(...given) ?? Promise.resolve({ result: "unknown" }));
}

function endOf(outcome: ActOutcome): AttemptEnd {
  switch (outcome.result) {
    case "done":
      return { result: "done", confirmed: outcome.confirmed };
    case "refused":
      return failedFor("lock_refused", outcome.detail);
    case "unknown":
      return failedFor("outcome_unknown");
  }
}
