/** Why a topic is left alone: nobody is subscribed to it (MQTT 5), or the broker will not have it from us. */
export type Trouble = "unheard" | "refused";

/** What a topic's next letter may do. `wait`: one is under way that tells; `pass`: the topic is held, others go on. */
export type Way = "send" | "wait" | "pass";

interface Line {
  inFlight: number;
  /** A letter was taken just now: more may follow at once. Else one goes alone, so that none overtakes it. */
  open: boolean;
  /** Its letters wait on the side. Undefined: they go in the order of all. */
  hold: Hold | undefined;
}
interface Hold {
  trouble: Trouble;
  /** Ticks from one try to the next. */
  pause: number;
  /** Ticks to the next try; 0: it is due. */
  left: number;
}

/** Milliseconds from one {@link Lines.tick} to the next. */
export const tickMs = 5_000;
const longestPause = 12;
/** However many topics are held: on average, 20 a second are tried. */
const triesPerTick = 100;
/** When somebody listens again on one topic, so many others are tried at once: one subscription often takes them all. */
const triedTogether = 200;

/**
 * The topics on one connection, and which of them are held because their letters are not taken. A topic is forgotten when
 * nothing of it is under way or held, so that this is as large as what goes on.
 */
export class Lines {
  readonly #lines = new Map<string, Line>();
  /** Oldest failure first. */
  readonly #held = new Map<string, Hold>();
  readonly #due = new Set<string>();
  /** Open, and nothing under way. */
  readonly #idle = new Set<string>();

  way(topic: string): Way {
    const line = this.#lines.get(topic);
    if (line?.hold) return "pass";
    return !line || line.open ? "send" : "wait";
  }

  get isAnyHeld(): boolean {
    return this.#held.size > 0;
  }

  /** Topics held because nobody is subscribed to them. */
  get unheard(): readonly string[] {
    return [...this.#held].flatMap(([topic, { trouble }]) => (trouble === "unheard" ? [topic] : []));
  }

  /** Held topics whose letters are to be tried now: `one` alone, or as `many` as there is room for. */
  *due(): Iterable<{ readonly topic: string; readonly send: "one" | "many" }> {
    for (const topic of this.#due) {
      const { open = false, inFlight = 0 } = this.#lines.get(topic) ?? {};
      if (open) yield { topic, send: "many" };
      else if (inFlight === 0) yield { topic, send: "one" };
    }
  }

  sent(topic: string): void {
    const line = this.#lines.get(topic);
    if (line) line.inFlight += 1;
    else this.#lines.set(topic, { inFlight: 1, open: false, hold: undefined });
  }

  taken(topic: string): void {
    const line = this.#lines.get(topic);
    if (!line) return;
    const isNews = !line.open;
    line.inFlight -= 1;
    line.open = true;
    if (line.hold) {
      line.hold.pause = 0;
      this.try(topic);
      if (isNews) this.#try(triedTogether, () => true);
    }
    if (line.inFlight === 0) this.#idle.add(topic);
  }

  /** All was sent that may be sent now: what nothing is under way of is not known to be listened to any longer. */
  rest(): void {
    for (const topic of this.#idle) {
      const line = this.#lines.get(topic);
      if (!line || line.inFlight > 0) continue;
      line.open = false;
      if (!line.hold) this.#lines.delete(topic);
    }
    this.#idle.clear();
  }

  /** The topic is left alone for some ticks. True where this is the first that is heard of it. */
  notTaken(topic: string, trouble: Trouble): boolean {
    const line = this.#lines.get(topic);
    if (!line) return false;
    line.inFlight -= 1;
    line.open = false;
    const { hold } = line;
    // Several were under way when the first was not taken.
    if (hold && hold.left > 0) return false;
    const pause = Math.min(Math.max(2 * (hold?.pause ?? 0), 1), longestPause);
    line.hold = { trouble, pause, left: pause };
    this.#due.delete(topic);
    this.#held.delete(topic);
    this.#held.set(topic, line.hold);
    return hold === undefined;
  }

  /** Time has passed: some topics are due again. */
  tick(): void {
    this.#try(triesPerTick, (hold) => hold.left === 1);
    for (const hold of this.#held.values()) if (hold.left > 1) hold.left -= 1;
  }

  /** The topic is due at once, if it is held. */
  try(topic: string): void {
    const hold = this.#held.get(topic);
    if (!hold) return;
    hold.left = 0;
    this.#due.add(topic);
  }

  /** Nothing of a held topic waits on the side any more. */
  release(topic: string): void {
    this.#held.delete(topic);
    this.#due.delete(topic);
    const line = this.#lines.get(topic);
    if (!line) return;
    line.hold = undefined;
    if (line.inFlight === 0) this.#idle.add(topic);
  }

  #try(atMost: number, which: (hold: Hold) => boolean): void {
    let room = atMost;
    for (const [topic, hold] of this.#held) {
      if (room === 0) return;
      if (hold.left === 0 || !which(hold)) continue;
      this.try(topic);
      room -= 1;
    }
  }
}
