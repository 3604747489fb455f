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
   * When it returns, or what it returns resolves, all of them are on disk: only then are they acknowledged. Where it resolves to
   * false none of them is taken, as the agent closes. Throws, or rejects, when they cannot be. The same message may come again,
   * after a connection was lost between the commit and its PUBACK.
   */
  accept(arrivals: readonly Arrival[]): Promise<void> | Promise<boolean> | undefined;
  /** We subscribed at `since`, and the broker has handed out all that it keeps: on these topics, in full. */
  handedOut(topics: ReadonlySet<string>, since: Instant): void;
}

/** As many are committed together: for some ten milliseconds nothing else happens. */
export const committedAtOnce = 100;

/** No more are read while so many groups wait to be answered: it is long until the disk has them, or others go first. */
const groupsUnderWay = 32;

type Result = "committed" | "not taken";
/** Called once: when the message is on disk, or when it will not be taken. */
type Answer = (result: Result) => void;

/**
 * What arrives, committed in groups: what comes in one turn of the event loop together, as far as that keeps nobody waiting,
 * and only then is each answered, in order of arrival (MQTT 5, 4.6). The next group is read while the disk takes the last.
 */
export class Inbox {
  readonly #intake: Pick<Intake, "accept">;
  readonly #onFailure: (cause: unknown) => void;
  readonly #commitSoon = oncePerTurn(() => this.#commit());
  readonly #collected: { readonly arrival: Arrival; readonly answer: Answer }[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Those before are to be answered first. */
  #answering: Promise<void> | undefined;
  #underWay = 0;
  #open = true;
  #hasFailed = false;

  /** @param onFailure called once, when `intake` failed. Nothing more is taken then: a later command may undo an earlier. */
  constructor(intake: Pick<Intake, "accept">, onFailure: (cause: unknown) => void) {
    this.#intake = intake;
    this.#onFailure = onFailure;
  }

  /** @param more called when there is room for another: at once, or when a group has been committed. */
  collect(arrival: Arrival, answer: Answer, more: () => void = () => undefined): void {
    if (!this.#open) {
      answer("not taken");
      return more();
    }
    this.#collected.push({ arrival, answer });
    this.#commitSoon();
    if (this.#collected.length < committedAtOnce && this.#underWay < groupsUnderWay) more();
    else this.#waiting.push(more);
  }

  /** Commits what was collected, and takes no more. Undefined where all is answered, else it resolves when it is. */
  close(): Promise<void> | undefined {
    while (this.#collected.length > 0) this.#commit();
    this.#open = false;
    return this.#answering;
  }

  #commit(): void {
    const batch = this.#collected.splice(0, committedAtOnce);
    if (batch.length === 0) return;
    if (this.#collected.length > 0) this.#commitSoon();
    const result = this.#accept(batch.map(({ arrival }) => arrival));
    const answers = batch.map(({ answer }) => answer);
    if (this.#answering || result instanceof Promise) this.#answerInOrder(answers, result);
    else for (const answer of answers) answer(result);
    this.#readOn();
  }

  #readOn(): void {
    if (this.#underWay < groupsUnderWay) for (const more of this.#waiting.splice(0)) more();
  }

  #answerInOrder(answers: readonly Answer[], result: Result | Promise<Result>): void {
    const answered = this.#answerAfter(this.#answering, answers, result);
    this.#answering = answered;
    this.#underWay += 1;
    void answered.then(() => {
      this.#underWay -= 1;
      this.#readOn();
      if (this.#answering === answered) this.#answering = undefined;
      return undefined;
    });
  }

  async #answerAfter(
    before: Promise<void> | undefined,
    answers: readonly Answer[],
    result: Result | Promise<Result>,
  ): Promise<void> {
    const found = await result;
    await before;
    for (const answer of answers) answer(this.#hasFailed ? "not taken" : found);
  }

  #accept(arrivals: readonly Arrival[]): Result | Promise<Result> {
    if (!this.#open) return "not taken";
    try {
      const accepted: Promise<unknown> | undefined = this.#intake.accept(arrivals);
      return (
        accepted?.then(
          (isTaken) => (isTaken === false ? this.#notTaken() : "committed"),
          (cause: unknown) => this.#failed(cause),
        ) ?? "committed"
      );
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  #failed(cause: unknown): Result {
    if (!this.#hasFailed) this.#onFailure(cause);
    this.#hasFailed = true;
    return this.#notTaken();
  }

  /** Nor is what comes later: it may undo an earlier. */
  #notTaken(): Result {
    this.#open = false;
    return "not taken";
  }
}
