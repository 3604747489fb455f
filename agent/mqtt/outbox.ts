import type { Clock, Log } from "../../drivers/driver.ts";
import type { Publisher } from "./publisher.ts";

/** A reply or an event on its way. Never holds a secret that its reader may not see: it is sent as it is. */
export interface Outgoing {
  readonly id: number;
  /** The full name. */
  readonly topic: string;
  readonly payload: string;
  /** Echoed to an MQTT 5 publisher that sent it. */
  readonly correlation?: Uint8Array;
}

/** The rows that wait to be told. */
export interface Letters {
  /** The first `limit` that are not among `inFlight`: replies, then events in their order. */
  next(inFlight: ReadonlySet<number>, limit: number): readonly Outgoing[];
  /** The broker has these: forgets them, in one transaction. */
  delivered(ids: readonly number[]): void;
}

/** How long a letter that the broker refused is left alone. */
const refusedFor = 30_000;

/**
 * Brings letters to the broker over one connection. A letter is forgotten only after its PUBACK; what a lost connection
 * left unanswered is simply still there for the outbox of the next, and is published again in its old order.
 */
export class Outbox {
  readonly #letters: Letters;
  readonly #publisher: Publisher;
  readonly #pause: () => Promise<void>;
  readonly #wake: () => void;
  readonly #log: Log;
  readonly #inFlight = new Set<number>();
  readonly #complained = new Set<string>();
  #acknowledged: number[] = [];

  /**
   * @param wake asks for a later {@link send}.
   * @param signal aborted at the end of the connection.
   */
  constructor(
    { letters, clock, log }: { letters: Letters; clock: Clock; log: Log },
    { publisher, wake, signal }: { publisher: Publisher; wake: () => void; signal: AbortSignal },
  ) {
    this.#letters = letters;
    this.#publisher = publisher;
    this.#wake = wake;
    this.#log = log;
    this.#pause = () => clock.sleep(refusedFor, signal);
  }

  /** Publishes as many as there is room for. Throws what the store throws. */
  send(): void {
    this.settle();
    const { room } = this.#publisher;
    if (room <= 0) return;
    for (const letter of this.#letters.next(this.#inFlight, room)) {
      this.#inFlight.add(letter.id);
      this.#publisher.publish({ ...letter, retain: false }, (refusal) => {
        if (refusal) void this.#leaveAlone(letter, refusal);
        else this.#acknowledged.push(letter.id);
      });
    }
  }

  /** Forgets what was acknowledged since the last time. Throws what the store throws. */
  settle(): void {
    const ids = this.#acknowledged;
    if (ids.length === 0) return;
    this.#acknowledged = [];
    this.#letters.delivered(ids);
    for (const id of ids) this.#inFlight.delete(id);
  }

  async #leaveAlone({ id, topic }: Outgoing, refusal: Error): Promise<void> {
    if (!this.#complained.has(refusal.message)) {
      this.#complained.add(refusal.message);
      this.#log.warn(
        { topic, reason: refusal.message, hint: "let the agent publish there (the broker's ACL and quotas)" },
        "the broker refuses messages of ours; they are kept and tried again",
      );
    }
    try {
      await this.#pause();
    } catch {
      return; // The connection is over: the outbox of the next one tries it again.
    }
    this.#inFlight.delete(id);
    this.#wake();
  }
}
