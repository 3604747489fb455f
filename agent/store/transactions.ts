import Database, { type Statement } from "better-sqlite3";
import { StoreError } from "../errors.ts";
import type { Journal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

interface Parts {
  readonly outbox: Pick<Outbox, "holding" | "isHolding" | "syncing" | "synced">;
  readonly journal: Pick<Journal, "mark" | "rollBack">;
  /** What keeps rows in memory: after something is undone, they may be others. */
  readonly caches: readonly { reread(): void }[];
  /** Done at the end of each transaction, in it. */
  readonly atEnd: () => void;
}

/** Whatever changes together changes in one of these. One within another is on disk when that is. */
export class Transactions {
  readonly #db: Database.Database;
  readonly #parts: Parts;
  /** Nested, better-sqlite3 makes a savepoint of it. */
  readonly #undoing: Database.Transaction<(act: () => void) => void>;
  readonly #changes: Statement<[], { total: number }>;
  readonly #log: WriteAheadLog | undefined;

  constructor(db: Database.Database, parts: Parts) {
    this.#db = db;
    this.#parts = parts;
    this.#undoing = db.transaction((act) => act());
    this.#changes = db.prepare("SELECT total_changes() AS total");
    // Nothing that is in memory is ever on disk.
    this.#log = db.memory ? undefined : new WriteAheadLog(db, parts.outbox);
  }

  /** What it writes is on disk when this returns. */
  transaction<T>(act: () => T): T {
    return this.#run(act, (log) => log.caughtUp());
  }

  /**
   * As `transaction`, but on disk only when {@link synced} resolves: who loses power before may find it undone, so that nobody is
   * to be told of it. What it puts into the outbox stays there until then.
   */
  transactionUnsynced<T>(act: () => T): T {
    if (!this.#log || this.#db.inTransaction) return this.transaction(act);
    const { outbox } = this.#parts;
    this.#db.pragma("synchronous = NORMAL");
    try {
      return outbox.holding(() => this.#run(act, (log) => log.wrote()));
    } finally {
      this.#db.pragma("synchronous = FULL");
      // Who waits for a letter need not know of it.
      if (outbox.isHolding) this.#log.synced()?.catch(() => undefined);
    }
  }

  /** Resolves when all that is committed by now is on disk; undefined where it is. Rejects with a StoreError where it cannot be. */
  synced(): Promise<void> | undefined {
    return this.#log?.synced();
  }

  /** What `act` did, and nothing before it, is undone when that throws. Within a transaction, it is a part of that. */
  attempt<T>(act: () => T): T {
    const { journal, caches } = this.#parts;
    const { mark } = journal;
    let done: { readonly result: T } | undefined;
    try {
      this.#undoing.immediate(() => {
        done = { result: act() };
      });
    } catch (error) {
      journal.rollBack(mark);
      for (const cache of caches) cache.reread();
      throw asStoreError(error);
    }
    if (!done) throw new StoreError("A transaction did not run");
    return done.result;
  }

  close(): void {
    this.#log?.close();
  }

  /** @param wrote told where rows were changed: what is looked up only is written to no disk. */
  #run<T>(act: () => T, wrote: (to: WriteAheadLog) => void): T {
    const log = this.#db.inTransaction ? undefined : this.#log;
    const before = log && this.#changes.get()?.total;
    const done = this.attempt(() => {
      const result = act();
      this.#parts.atEnd();
      return result;
    });
    if (log && this.#changes.get()?.total !== before) wrote(log);
    return done;
  }
}

/** A database that does not do as it is told is not to be relied on any further. */
function asStoreError(cause: unknown): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  return new StoreError(`The database does not work: ${cause.message} (${cause.code})`, {
    hint:
      cause.code === "SQLITE_FULL"
        ? "the disk is full: make room, then start latchd again"
        : "see the disk and its mount",
    cause,
  });
}
