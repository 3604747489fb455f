import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WriteAheadLog } from "../../agent/store/write-ahead-log.ts";

let folder: string;
let db: Database.Database;
let happened: string[];
let log: WriteAheadLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchd-log-"));
  db = new Database(join(folder, "a.db"));
  db.pragma("journal_mode = WAL");
  db.exec("CREATE TABLE a (b)");
  happened = [];
  log = new WriteAheadLog(db, {
    syncing: () => void happened.push("begins"),
    synced: () => void happened.push("is on disk"),
  });
});
afterEach(() => {
  log.close();
  db.close();
  rmSync(folder, { recursive: true });
});

test("nothing is waited for where nothing was committed", () => {
  expect(log.synced()).toBeUndefined();
});

test("whoever waits for what was committed together waits once; what is committed meanwhile is waited for after that", async () => {
  log.wrote();
  const first = log.synced();
  log.wrote();
  // The disk was not asked yet: it takes both.
  expect(log.synced()).toBe(first);
  await Promise.resolve();
  expect(happened).toEqual(["begins"]);
  log.wrote();
  const second = log.synced();
  expect(second).not.toBe(first);
  await first;
  expect(happened).toEqual(["begins", "is on disk", "begins"]);
  await second;
  expect(happened.slice(2)).toEqual(["begins", "is on disk"]);
  expect(log.synced()).toBeUndefined();
});

test("who asks while the disk works, and has committed nothing since, waits for that", async () => {
  log.wrote();
  const first = log.synced();
  await Promise.resolve();
  const same = log.synced();
  expect(happened).toEqual(["begins"]);
  await same;
  await first;
  expect(happened).toEqual(["begins", "is on disk"]);
});
