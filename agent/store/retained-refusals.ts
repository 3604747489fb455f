import type { Database, Statement } from "better-sqlite3";
import type { Instant } from "../domain/instant.ts";
import type { Vault } from "./vault.ts";

const keptAtMost = 10_000;

/**
 * What was refused of the commands that a broker keeps and hands out again at each new subscription, so that each is
 * refused once. Its content is known by a keyed hash, since it may hold a PIN.
 */
export class RetainedRefusals {
  readonly #vault: Vault;
  readonly #find: Statement<[string, string]>;
  readonly #remember: Statement<[string, string, number]>;
  readonly #forget: Statement<[string]>;
  readonly #before: Statement<[number], { topic: string }>;
  readonly #prune: Statement<[number, number]>;

  constructor(db: Database, vault: Vault) {
    this.#vault = vault;
    this.#find = db.prepare("SELECT 1 FROM retained_refusals WHERE topic = ? AND mark = ?");
    this.#remember = db.prepare("INSERT OR REPLACE INTO retained_refusals (topic, mark, at) VALUES (?, ?, ?)");
    this.#forget = db.prepare("DELETE FROM retained_refusals WHERE topic = ?");
    this.#before = db.prepare("SELECT topic FROM retained_refusals WHERE at < ?");
    this.#prune = db.prepare(
      "DELETE FROM retained_refusals WHERE topic IN (SELECT topic FROM retained_refusals ORDER BY at DESC LIMIT ? OFFSET ?)",
    );
  }

  has(topic: string, payload: Uint8Array): boolean {
    return this.#find.get(topic, this.#markOf(payload)) !== undefined;
  }

  /** Takes the place of what was refused on that topic before. */
  remember(topic: string, payload: Uint8Array, now: Instant): void {
    this.#remember.run(topic, this.#markOf(payload), now);
  }

  /** It is not on the broker any more. False where nothing was known of it. */
  forget(topic: string): boolean {
    return this.#forget.run(topic).changes > 0;
  }

  /** Of what was refused before `since`, the broker keeps only these any longer. */
  keepOnly(topics: ReadonlySet<string>, since: Instant): void {
    for (const { topic } of this.#before.all(since)) if (!topics.has(topic)) this.#forget.run(topic);
  }

  /** Says how many it removed: no more than `atOnce`. */
  prune(_now: Instant, atOnce: number): number {
    return this.#prune.run(atOnce, keptAtMost).changes;
  }

  #markOf(payload: Uint8Array): string {
    return this.#vault.mark(["retained", Buffer.from(payload).toString("base64")]);
  }
}
