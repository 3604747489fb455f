import type { Clock, Log } from "../../drivers/driver.ts";
import { packetSize, raiseLimit } from "./packet-limit.ts";
import type { Publisher } from "./publisher.ts";
import type { Topics } from "./topics.ts";

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
  readonly #topics: Topics;
  readonly #publisher: Publisher;
  readonly #pause: () => Promise<void>;
  readonly #wake: () => void;
  readonly #log: Log;
  readonly #inFlight = new Set<number>();
  readonly #complained = new Set<string>();
  readonly #unanswered = new Map<number, number>();
  #acknowledged: number[] = [];

  /**
   * @param wake asks for a later {@link send}.
   * @param signal aborted at the end of the connection.
   */
  constructor(
    { letters, topics, clock, log }: { letters: Letters; topics: Topics; clock: Clock; log: Log },
    { publisher, wake, signal }: { publisher: Publisher; wake: () => void; signal: AbortSignal },
  ) {
    this.#letters = letters;
    this.#topics = topics;
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
      const fitting = this.#publisher.fits(letter) ? letter : this.#instead(letter);
      if (fitting) this.#publish(fitting);
      // It stays in the outbox, and takes room from nobody.
      else this.#wake();
    }
  }

  /** The bytes of what the broker has not answered, by id, in the order of sending. */
  get unanswered(): ReadonlyMap<number, number> {
    return this.#unanswered;
  }

  /** Forgets what was acknowledged since the last time. Throws what the store throws. */
  settle(): void {
    const ids = this.#acknowledged;
    if (ids.length === 0) return;
    this.#acknowledged = [];
    this.#letters.delivered(ids);
    for (const id of ids) this.#inFlight.delete(id);
  }

  #publish(letter: Outgoing): void {
    this.#unanswered.set(letter.id, packetSize(letter));
    this.#publisher.publish({ ...letter, retain: false }, (refusal) => {
      this.#unanswered.delete(letter.id);
      if (refusal) void this.#leaveAlone(letter, refusal);
      else this.#acknowledged.push(letter.id);
    });
  }

  /** Who waits for a reply is told that it is too large; an event has nobody who waits, and is left aside. */
  #instead(letter: Outgoing): Outgoing | undefined {
    const { topic } = letter;
    const bytes = packetSize(letter);
    const reply = { ...letter, payload: replyTooLarge(bytes) };
    const sent = this.#topics.below(topic).startsWith("reply/") && this.#publisher.fits(reply) ? reply : undefined;
    this.#log.warn(
      { topic, bytes, hint: raiseLimit },
      sent
        ? "a reply is larger than the broker takes; its reader is told so instead"
        : "a message is larger than the broker takes; it is kept, and others pass it",
    );
    return sent;
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

const replyTooLarge = (bytes: number): string =>
  JSON.stringify({
    ok: false,
    error: {
      type: "reply_too_large",
      message: `The reply is ${bytes} bytes long, more than the broker takes: ask for less, such as one device_id or user_identity_id, or raise the broker's limit of the packet size`,
    },
  });
