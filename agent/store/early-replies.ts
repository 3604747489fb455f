interface Numbered {
  readonly id: number;
  readonly topic: string;
}

/** Replies that are kept with their commands, and are no rows: by number, in the order of sending. */
export class EarlyReplies<Reply extends Numbered> {
  readonly #replies = new Map<number, Reply>();

  /** Its number is higher than all before. */
  put(reply: Reply): void {
    this.#replies.set(reply.id, reply);
  }

  /** Forgets one; undefined where it is not here. */
  take(id: number): Reply | undefined {
    const found = this.#replies.get(id);
    if (found) this.#replies.delete(id);
    return found;
  }

  clear(): void {
    this.#replies.clear();
  }

  get size(): number {
    return this.#replies.size;
  }

  /** The first of those that came after one. */
  after(id: number, limit: number): readonly Reply[] {
    return this.#first(limit, (reply) => reply.id > id);
  }

  /** The first of a topic. */
  on(topic: string, limit: number): readonly Reply[] {
    return this.#first(limit, (reply) => reply.topic === topic);
  }

  countOn(topics: ReadonlySet<string>): number {
    let count = 0;
    if (topics.size > 0) for (const { topic } of this.#replies.values()) if (topics.has(topic)) count += 1;
    return count;
  }

  #first(limit: number, isOf: (reply: Reply) => boolean): readonly Reply[] {
    const found: Reply[] = [];
    for (const reply of this.#replies.values()) {
      if (found.length >= limit) break;
      if (isOf(reply)) found.push(reply);
    }
    return found;
  }
}
