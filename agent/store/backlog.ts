import type { Database, Statement } from "better-sqlite3";
import type { Instant } from "../domain/instant.ts";
import type { Outbox } from "./outbox.ts";

/** A command that was answered before it is carried out: it holds no secret. */
export interface AnsweredCommand {
  /** `group/verb`. */
  readonly name: string;
  /** A JSON object. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestId?: string | undefined;
  readonly body: string;
  /** Where the reply goes, below `{prefix}/{agent_id}/`; left out where nobody waits for one. */
  readonly topic?: string | undefined;
  readonly correlation?: Uint8Array | undefined;
}

/** Commands that are carried out together, in their order. */
export interface AnsweredGroup {
  readonly firstLetter: number;
  readonly commands: readonly AnsweredCommand[];
}

/** So many are carried out in one go, some ten milliseconds: whoever comes meanwhile waits for no more. */
const mostInGroup = 25;

type Letters = Pick<Outbox, "reserve" | "putEarly" | "settleEarly" | "silence">;
type Row = { first_letter: number; commands: string };

/**
 * Commands that are on disk and answered, and still to be carried out, in the order in which they came. Their replies are kept
 * with them, and have rows of their own only when the commands are gone from here.
 */
export class Backlog {
  readonly #outbox: Letters;
  readonly #insert: Statement<[number, string]>;
  readonly #first: Statement<[], Row>;
  readonly #delete: Statement<[number]>;
  readonly #ids = new Set<string>();
  #size = 0;
  #undone: { readonly by: unknown } | undefined;

  constructor(db: Database, outbox: Letters) {
    this.#outbox = outbox;
    this.#insert = db.prepare("INSERT INTO backlog (first_letter, commands) VALUES (?, ?)");
    this.#first = db.prepare("SELECT first_letter, commands FROM backlog ORDER BY first_letter LIMIT 1");
    this.#delete = db.prepare("DELETE FROM backlog WHERE first_letter = ?");
    const left = db.prepare<[], Row>("SELECT first_letter, commands FROM backlog ORDER BY first_letter");
    for (const row of left.iterate()) this.#remember(groupOf(row));
  }

  /** How many commands there are. */
  get size(): number {
    return this.#size;
  }

  /** Whether a command with that `request_id` is here. */
  has(requestId: string): boolean {
    return this.#ids.has(requestId);
  }

  /** Puts commands behind those that are here. The caller's transaction; where it is undone, only {@link silence} is left to do. */
  add(commands: readonly AnsweredCommand[]): void {
    for (let at = 0; at < commands.length; at += mostInGroup) this.#addGroup(commands.slice(at, at + mostInGroup));
  }

  #addGroup(commands: readonly AnsweredCommand[]): void {
    const firstLetter = this.#outbox.reserve(commands.length);
    this.#insert.run(firstLetter, toText(commands));
    this.#remember({ firstLetter, commands });
  }

  /**
   * Something of it was undone, for this reason: what is not on disk is told to nobody, and what is, when the store is opened
   * again. It is carried out only then, too: the replies go with the commands.
   */
  silence(reason: unknown): void {
    this.#undone = { by: reason };
    this.#outbox.silence();
  }

  /** Throws why something was undone, where it was. */
  first(): AnsweredGroup | undefined {
    if (this.#undone) throw this.#undone.by;
    const row = this.#first.get();
    return row && groupOf(row);
  }

  /** They are carried out: what of their replies the broker has not yet stays in rows of the outbox. The caller's transaction. */
  remove({ firstLetter, commands }: AnsweredGroup, now: Instant): void {
    for (const [index, { requestId }] of commands.entries()) {
      if (requestId !== undefined) this.#ids.delete(requestId);
      this.#outbox.settleEarly(firstLetter + index, now);
    }
    this.#size -= commands.length;
    this.#delete.run(firstLetter);
  }

  #remember({ firstLetter, commands }: AnsweredGroup): void {
    this.#size += commands.length;
    for (const [index, { requestId, topic, body, correlation }] of commands.entries()) {
      if (requestId !== undefined) this.#ids.add(requestId);
      if (topic !== undefined) this.#outbox.putEarly(firstLetter + index, { topic, payload: body, correlation });
    }
  }
}

/** As it is written: Correlation Data is any bytes. */
type Written = Omit<AnsweredCommand, "correlation"> & { readonly correlation?: string };

const toText = (commands: readonly AnsweredCommand[]): string =>
  JSON.stringify(
    commands.map(
      ({ correlation, ...command }): Written =>
        correlation === undefined ? command : { ...command, correlation: Buffer.from(correlation).toString("base64") },
    ),
  );

function groupOf({ first_letter: firstLetter, commands }: Row): AnsweredGroup {
  const written: readonly Written[] = JSON.parse(commands);
  return {
    firstLetter,
    commands: written.map(({ correlation, ...command }) =>
      correlation === undefined ? command : { ...command, correlation: Buffer.from(correlation, "base64") },
    ),
  };
}
