import type { Clock, Log } from "../../drivers/driver.ts";
import type { Milliseconds } from "../domain/instant.ts";
import { raiseLimit } from "./packet-limit.ts";
import type { Publisher } from "./publisher.ts";
import type { Topics } from "./topics.ts";

/** What stands on the broker for everyone who comes later. */
export interface Standing {
  /** The agent's status: a JSON object, whose `state` is `online`. */
  status(): string;
  /** Each device's object, as JSON, by `device_id`; empty text for one that is configured no longer. */
  devices(): ReadonlyMap<string, string>;
  /** Some of them are not made yet: the next {@link devices} has more. */
  readonly isGrowing?: boolean;
}

/** The same status, said when the agent is gone: by its last will, or by itself as it leaves. */
export function offline(status: string): string {
  const said: unknown = JSON.parse(status);
  return JSON.stringify({ ...(typeof said === "object" ? said : {}), state: "offline" });
}

/** All that stands is looked through for what has changed: for that nobody waits who waits for a reply, or for a lock. */
const comparedEvery: Milliseconds = 100;

/** Keeps the retained messages on the broker true over one connection: all at its start, then what has changed. */
export class Retained {
  readonly #standing: Standing;
  readonly #topics: Topics;
  readonly #publisher: Publisher;
  readonly #log: Log;
  readonly #said = new Map<string, string>();
  readonly #waiting = new Map<string, string>();
  readonly #rest: () => Promise<void>;
  readonly #wake: () => void;
  #changed = true;
  #isResting = false;

  /**
   * @param wake asks for a later {@link send}.
   * @param signal aborted at the end of the connection.
   */
  constructor(
    { standing, topics, log, clock }: { standing: Standing; topics: Topics; log: Log; clock: Pick<Clock, "sleep"> },
    { publisher, wake, signal }: { publisher: Publisher; wake: () => void; signal: AbortSignal },
  ) {
    this.#rest = () => clock.sleep(comparedEvery, signal);
    this.#wake = wake;
    this.#standing = standing;
    this.#topics = topics;
    this.#publisher = publisher;
    this.#log = log;
  }

  /** Something may have changed: the next {@link send} looks. */
  changed(): void {
    this.#changed = true;
  }

  /** Publishes what differs from what was said last, as far as there is room. Throws what `standing` throws. */
  send(): void {
    if (this.#changed && !this.#isResting) this.#compare();
    for (const [topic, payload] of this.#waiting) {
      if (this.#publisher.room <= 0) return;
      this.#waiting.delete(topic);
      this.#say(topic, payload, () => {});
    }
  }

  /** Says that the agent is gone. `done` comes with the broker's answer. */
  leave(done: () => void): void {
    while (this.#changed) this.#compare();
    this.#waiting.delete(this.#topics.status);
    this.send();
    this.#waiting.clear();
    this.#say(this.#topics.status, offline(this.#standing.status()), done);
  }

  #compare(): void {
    const wanted = new Map([[this.#topics.status, this.#standing.status()]]);
    for (const [id, device] of this.#standing.devices()) wanted.set(this.#topics.device(id), device);
    this.#changed = this.#standing.isGrowing === true;
    if (this.#changed) this.#wake();
    else void this.#pause();
    for (const topic of this.#said.keys()) if (!wanted.has(topic)) wanted.set(topic, "");
    for (const [topic, payload] of wanted) {
      if (this.#said.get(topic) === payload) this.#waiting.delete(topic);
      else this.#waiting.set(topic, payload);
    }
  }

  async #pause(): Promise<void> {
    this.#isResting = true;
    try {
      await this.#rest();
    } catch {
      return; // The connection is over.
    }
    this.#isResting = false;
    if (this.#changed) this.#wake();
  }

  #say(topic: string, payload: string, done: () => void): void {
    this.#said.set(topic, payload);
    if (!this.#publisher.fits({ topic, payload })) {
      this.#log.warn({ topic, hint: raiseLimit }, "a retained message is larger than the broker takes; it is left out");
      done();
      return;
    }
    this.#publisher.publish({ topic, payload, retain: true }, (answer) => {
      if (answer.result === "refused") {
        this.#log.warn(
          { topic, reason: answer.reason, hint: "let the agent publish retained messages there (the broker's ACL)" },
          "the broker refuses a retained message",
        );
      }
      done();
    });
  }
}
