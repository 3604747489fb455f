import type { Instant } from "../domain/instant.ts";
import { oncePerTurn } from "./once-per-turn.ts";

/** A message as it came, nothing in it judged yet. `responseTopic` and `correlation` come with MQTT 5 only. */
export interface Arrival {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
  /** Retained, and handed out because we have just subscribed, or handed out again: it may have come before. */
  readonly kept?: true;
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/** Takes commands over from the broker. */
export interface Intake {
  /**
   * When it returns, all of them are on disk: only then are they acknowledged. Throws when they cannot be. The same
   * message may come again, after a connection was lost between the commit and its PUBACK.
   */
  accept(arrivals: readonly Arrival[]): void;
  /** We subscribed at `since`, and the broker has handed out all that it keeps: on these topics, in full. */
  handedOut(topics: ReadonlySet<string>, since: Instant): void;
}

/** As many messages are collected, and as many does the broker send unacknowledged (MQTT 5). */
export const collectAtMost = 1000;
/** As many are committed together: for some ten milliseconds nothing else happens. */
export const committedAtOnce = 100;

/** Called once: when the message is on disk, or when it will not be taken. */
type Answer = (result: "committed" | "not taken") => void;

/**
 * What arrives, committed in groups: what comes in one turn of the event loop together, as far as that keeps nobody waiting,
 * and only then is each answered, in order of arrival.
 */
export class Inbox {
  readonly #intake: Pick<Intake, "accept">;
  readonly #onFailure: (cause: unknown) => void;
  readonly #commitSoon = oncePerTurn(() => this.#commit());
  readonly #collected: { readonly arrival: Arrival; readonly answer: Answer }[] = [];
  #open = true;

  /** @param onFailure called once, when `intake` threw. Nothing more is taken then: a later command may undo an earlier. */
  constructor(intake: Pick<Intake, "accept">, onFailure: (cause: unknown) => void) {
    this.#intake = intake;
    this.#onFailure = onFailure;
  }

  collect(arrival: Arrival, answer: Answer): void {
    if (!this.#open) {
      answer("not taken");
      return;
    }
    this.#collected.push({ arrival, answer });
    if (this.#collected.length >= collectAtMost) this.#commit();
    else this.#commitSoon();
  }

  /** Commits and answers what was collected, and takes no more. */
  close(): void {
    while (this.#collected.length > 0) this.#commit();
    this.#open = false;
  }

  #commit(): void {
    const batch = this.#collected.splice(0, committedAtOnce);
    if (batch.length === 0) return;
    if (this.#collected.length > 0) this.#commitSoon();
    const result = this.#accept(batch.map(({ arrival }) => arrival));
    for (const { answer } of batch) answer(result);
  }

  #accept(arrivals: readonly Arrival[]): "committed" | "not taken" {
    if (!this.#open) return "not taken";
    try {
      this.#intake.accept(arrivals);
      return "committed";
    } catch (cause) {
      this.#open = false;
      this.#onFailure(cause);
      return "not taken";
    }
  }
}
