import { close, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import type { Database } from "better-sqlite3";
import { StoreError } from "../errors.ts";

const synchronise = promisify(fdatasync);

/** What waits for the disk, too. */
interface Follower {
  /** What is written from now on may not be on it when {@link synced} is called. */
  syncing(): void;
  synced(): void;
}

/**
 * The file to which SQLite commits, to wait for the disk while the event loop goes on: with `synchronous = NORMAL` a commit is in
 * the file when it returns, and on disk when that is synchronised (https://www.sqlite.org/wal.html, 4). However many wait, the
 * disk is asked once for all that was committed by then.
 */
export class WriteAheadLog {
  readonly #file: number;
  readonly #follower: Follower;
  #isBehind = false;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor({ name }: Pick<Database, "name">, follower: Follower) {
    this.#file = openSync(`${name}-wal`, "r");
    this.#follower = follower;
  }

  /** Something was committed that may not be on disk. */
  wrote(): void {
    this.#isBehind = true;
  }

  /** A commit has waited for the disk, and so did all before it. */
  caughtUp(): void {
    this.#isBehind = false;
    this.#follower.syncing();
    this.#follower.synced();
  }

  /**
   * Resolves when all that is committed by now is on disk, and after what others were told who asked before; undefined where
   * nobody has to wait.
   *
   * @throws StoreError where it cannot be brought there.
   */
  synced(): Promise<void> | undefined {
    if (this.#isBehind && !this.#next) this.#next = this.#after(this.#running);
    return this.#next ?? this.#running;
  }

  close(): void {
    const closed = (): void => close(this.#file, () => undefined);
    Promise.allSettled([this.#running, this.#next]).then(closed, closed);
  }

  async #after(running: Promise<void> | undefined): Promise<void> {
    await running;
    const own = this.#next;
    this.#running = own;
    this.#next = undefined;
    this.#isBehind = false;
    this.#follower.syncing();
    await this.#synchronise();
    if (this.#running === own) this.#running = undefined;
    this.#follower.synced();
  }

  async #synchronise(): Promise<void> {
    try {
      await synchronise(this.#file);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : "unknown";
      throw new StoreError(`What is committed does not get to the disk: ${reason}`, {
        hint: "see the disk and its mount",
        cause,
      });
    }
  }
}
