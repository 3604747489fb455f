import { randomUUID } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import type { Instant } from "../domain/instant.ts";
import { ConfigError } from "../errors.ts";
import { check, damaged, isDamage } from "./check.ts";
import { readKey } from "./key-file.ts";
import { Vault } from "./vault.ts";

/** A database that is whole, of our version, and opens with its key. */
export interface Opened {
  readonly db: Database.Database;
  readonly vault: Vault;
  /** Changes when the database is another: event numbers count within it. */
  readonly epoch: string;
  readonly workspaceId: string;
}

/**
 * Opens, checks and migrates the database.
 *
 * @throws ConfigError where the key is lost or wrong, the directory cannot be used, or the database is of a newer latchd.
 * @throws StoreError where the database is damaged.
 */
export function openDatabase(file: string, keyFile: string, migrations: string, now: Instant): Opened {
  const db = openFile(file);
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("foreign_keys = ON");
    db.pragma("busy_timeout = 2000");
    // What one command of many has changed is remembered, to undo it: else in a file of its own, for each of them.
    db.pragma("temp_store = MEMORY");
    // Keys are random, so that a burst of grants touches pages everywhere: they are to be written to the file once, not often.
    db.pragma("wal_autocheckpoint = 4000");
    check(db, file);
    migrate(db, migrations, file);
    return { db, ...identify(db, keyFile, now) };
  } catch (error) {
    db.close();
    throw explain(error, file);
  }
}

function openFile(file: string): Database.Database {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Made before SQLite opens it, so that it, its -wal and its -shm are never readable by others.
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
    return new Database(file);
  } catch (cause) {
    throw new ConfigError(
      `The database ${file} cannot be opened: ${cause instanceof Error ? cause.message : "unknown"}`,
      {
        hint: "the setting data_dir must name a directory that this user may write to",
        cause,
      },
    );
  }
}

const explain = (error: unknown, file: string): unknown =>
  error instanceof Database.SqliteError && isDamage(error.code) ? damaged(file, error.message) : error;

/** Runs the numbered migrations that the database has not seen, each in a transaction of its own. */
export function migrate(db: Database.Database, directory: string, file: string): void {
  const known = readdirSync(directory)
    .filter((name) => /^\d{4}\.sql$/.test(name))
    .toSorted();
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > known.length) {
    throw new ConfigError(`The database ${file} is of version ${version}; this latchd knows up to ${known.length}`, {
      hint: "run the newer latchd that made it, or restore the backup from before the update",
    });
  }
  for (const name of known.slice(version)) {
    db.transaction(() => {
      db.exec(readFileSync(join(directory, name), "utf8"));
      db.pragma(`user_version = ${Number(name.slice(0, 4))}`);
    }).immediate();
  }
}

/** The database's own names, made once, and proof that the key is the one that sealed it. */
function identify(db: Database.Database, keyFile: string, now: Instant): Omit<Opened, "db"> {
  const read = db.prepare<[string], { value: string }>("SELECT value FROM meta WHERE key = ?");
  const epoch = read.get("epoch")?.value;
  const vault = new Vault(readKey(keyFile, epoch === undefined));
  const workspaceId = read.get("workspace_id")?.value;
  if (epoch === undefined || workspaceId === undefined) {
    const made = { epoch: randomUUID(), workspaceId: randomUUID() };
    const write = db.prepare("INSERT INTO meta (key, value) VALUES (?, ?)");
    db.transaction(() => {
      write.run("epoch", made.epoch);
      write.run("workspace_id", made.workspaceId);
      write.run("created_at", String(now));
      write.run("key_check", vault.mark(["key_check", made.epoch]));
    }).immediate();
    return { vault, ...made };
  }
  if (read.get("key_check")?.value !== vault.mark(["key_check", epoch])) {
    throw new ConfigError(`The key in ${keyFile} is not the one that this database was sealed with`, {
      hint: "restore the key file that belongs to the database, or name it in the setting key_file",
    });
  }
  return { vault, epoch, workspaceId };
}
