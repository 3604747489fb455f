import type { Clock, Log } from "../../drivers/driver.ts";
import { Lines, tickMs } from "./lines.ts";
import { packetSize, raiseLimit } from "./packet-limit.ts";
import type { Answer, Publisher } from "./publisher.ts";
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

type Rank = "reply" | "event";

/** The rows that wait to be told. */
export interface Letters {
  /**
   * The first `limit` that are not among `inFlight`, oldest first: of a rank, those that came after the letter `after`; or
   * of a topic.
   */
  next(
    inFlight: ReadonlySet<number>,
    limit: number,
    of: { readonly rank: Rank; readonly after: number } | { readonly topic: string },
  ): readonly Outgoing[];
  /** The broker has these: forgets them, in one transaction. */
  delivered(ids: readonly number[]): void;
}

/** What a lost connection repeats is hardly more for it. */
const settledAtOnce = 200;

interface OutboxParts {
  readonly letters: Letters;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Log;
  /** More replies wait than the broker takes at once: whatever blocks the event loop, they wait for it many times. */
  readonly crowded?: (() => void) | undefined;
}

/**
 * Brings letters to the broker over one connection. A letter is forgotten only after its PUBACK; what a lost connection
 * left unanswered is simply still there for the outbox of the next, and is published again in its old order.
 *
 * Replies go first, then events, in one order for all topics. Where nobody listens on a topic (MQTT 5 tells), or the broker
 * refuses it, its letters wait on the side, in their order, and are tried again one by one, while others pass.
 */
export class Outbox {
  readonly #letters: Letters;
  readonly #topics: Topics;
  readonly #publisher: Publisher;
  readonly #tick: () => Promise<void>;
  readonly #wake: () => void;
  readonly #log: Log;
  readonly #crowded: () => void;
  readonly #lines = new Lines();
  readonly #inFlight = new Set<number>();
  /** The last letter of each rank that was sent, or passed over. */
  readonly #reached = { reply: 0, event: 0 };
  readonly #complained = new Set<string>();
  readonly #unanswered = new Map<number, number>();
  #acknowledged: number[] = [];
  #isTrying = false;

  /**
   * @param wake asks for a later {@link send}.
   * @param signal aborted at the end of the connection.
   */
  constructor(
    { letters, topics, clock, log, crowded = () => undefined }: OutboxParts,
    { publisher, wake, signal }: { publisher: Publisher; wake: () => void; signal: AbortSignal },
  ) {
    this.#letters = letters;
    this.#topics = topics;
    this.#publisher = publisher;
    this.#wake = wake;
    this.#log = log;
    this.#crowded = crowded;
    this.#tick = () => clock.sleep(tickMs, signal);
  }

  /** Publishes as many as there is room for. Throws what the store throws. */
  send(): void {
    const before = this.#inFlight.size;
    this.#sendOf("reply");
    this.#sendHeld();
    this.#sendOf("event");
    // That others are forgotten is a transaction: it waits until nobody waits for something to be sent, or it is worth one.
    if (this.#inFlight.size === before || this.#acknowledged.length >= settledAtOnce) this.settle();
    if (this.#publisher.room > 0) this.#lines.rest();
  }

  /** Topics, in full, whose letters wait because nobody is subscribed. */
  get unheard(): readonly string[] {
    return this.#lines.unheard;
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

  #sendOf(rank: Rank): void {
    const { room } = this.#publisher;
    if (room <= 0) return;
    const letters = this.#letters.next(this.#inFlight, room, { rank, after: this.#reached[rank] });
    for (const letter of letters) {
      const way = this.#lines.way(letter.topic);
      if (way === "wait") return;
      this.#reached[rank] = letter.id;
      if (way === "send") this.#send(letter);
      // Who has asked just now is likely to listen.
      else if (rank === "reply") this.#lines.try(letter.topic);
    }
    if (letters.length < room) return;
    // There may be more behind those that were passed over.
    this.#wake();
    if (rank === "reply") this.#crowded();
  }

  #sendHeld(): void {
    for (const { topic, send } of this.#lines.due()) {
      const { room } = this.#publisher;
      if (room <= 0) return;
      // Half of the room is for what happens now.
      const limit = send === "one" ? 1 : Math.ceil(room / 2);
      const letters = this.#letters.next(this.#inFlight, limit, { topic });
      for (const letter of letters) this.#send(letter);
      if (letters.length < limit) this.#lines.release(topic);
    }
  }

  #send(letter: Outgoing): void {
    this.#inFlight.add(letter.id);
    const fitting = this.#publisher.fits(letter) ? letter : this.#instead(letter);
    if (fitting) this.#publish(fitting);
    // It stays in the outbox, and takes room from nobody.
    else this.#wake();
  }

  #publish(letter: Outgoing): void {
    const { id, topic } = letter;
    this.#unanswered.set(id, packetSize(letter));
    this.#lines.sent(topic);
    this.#publisher.publish({ ...letter, retain: false }, (answer) => {
      this.#unanswered.delete(id);
      if (answer.result === "taken") {
        this.#acknowledged.push(id);
        this.#lines.taken(topic);
      } else {
        this.#inFlight.delete(id);
        this.#leaveAlone(topic, answer);
      }
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

  #leaveAlone(topic: string, answer: Answer): void {
    const isNew = this.#lines.notTaken(topic, answer.result === "refused" ? "refused" : "unheard");
    if (isNew) this.#complain(topic, answer);
    if (!this.#isTrying) void this.#keepTrying();
  }

  async #keepTrying(): Promise<void> {
    this.#isTrying = true;
    while (this.#lines.isAnyHeld) {
      try {
        await this.#tick();
      } catch {
        return; // The connection is over: the outbox of the next one tries all again.
      }
      this.#lines.tick();
      this.#wake();
    }
    this.#isTrying = false;
  }

  #complain(topic: string, answer: Answer): void {
    const reason = answer.result === "refused" ? answer.reason : "nobody is subscribed";
    if (this.#complained.has(reason)) return;
    this.#complained.add(reason);
    if (answer.result === "refused") {
      const hint = "let the agent publish there (the broker's ACL and quotas)";
      this.#log.warn({ topic, reason, hint }, "the broker refuses messages of ours; they are kept and tried again");
    } else {
      this.#log.info({ topic, reason }, "messages of ours have no reader; they are kept and tried again");
    }
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
