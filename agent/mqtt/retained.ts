import type { Log } from "../../drivers/driver.ts";
import { raiseLimit } from "./packet-limit.ts";
import type { Publisher } from "./publisher.ts";
import type { Topics } from "./topics.ts";

/** What stands on the broker for everyone who comes later. */
export interface Standing {
  /** The agent's status: a JSON object, whose `state` is `online`. */
  status(): string;
  /** Each device's object, as JSON, by `device_id`; empty text for one that is configured no longer. */
  devices(): ReadonlyMap<string, string>;
}

/** The same status, said when the agent is gone: by its last will, or by itself as it leaves. */
export function offline(status: string): string {
  const said: unknown = JSON.parse(status);
  return JSON.stringify({ ...(typeof said === "object" ? said : {}), state: "offline" });
}

/** Keeps the retained messages on the broker true over one connection: all at its start, then what has changed. */
export class Retained {
  readonly #standing: Standing;
  readonly #topics: Topics;
  readonly #publisher: Publisher;
  readonly #log: Log;
  readonly #said = new Map<string, string>();
  readonly #waiting = new Map<string, string>();
  #changed = true;

  constructor(
    { standing, topics, log }: { standing: Standing; topics: Topics; log: Log },
    { publisher }: { publisher: Publisher },
  ) {
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
    if (this.#changed) this.#compare();
    for (const [topic, payload] of this.#waiting) {
      if (this.#publisher.room <= 0) return;
      this.#waiting.delete(topic);
      this.#say(topic, payload, () => {});
    }
  }

  /** Says that the agent is gone. `done` comes with the broker's answer. */
  leave(done: () => void): void {
    this.#waiting.clear();
    this.#say(this.#topics.status, offline(this.#standing.status()), done);
  }

  #compare(): void {
    this.#changed = false;
    const wanted = new Map([[this.#topics.status, this.#standing.status()]]);
    for (const [id, device] of this.#standing.devices()) wanted.set(this.#topics.device(id), device);
    for (const topic of this.#said.keys()) if (!wanted.has(topic)) wanted.set(topic, "");
    for (const [topic, payload] of wanted) {
      if (this.#said.get(topic) === payload) this.#waiting.delete(topic);
      else this.#waiting.set(topic, payload);
    }
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
