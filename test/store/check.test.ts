import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { StoreError } from "../../agent/errors.ts";
import { checkMeanwhile } from "../../agent/store/check.ts";

function databaseFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchd-check-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "latchd.db");
  const db = new Database(file);
  db.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t (b)");
  const insert = db.prepare("INSERT INTO t (b) VALUES (?)");
  db.transaction(() => {
    for (let number = 0; number < 2_000; number += 1) insert.run(`${number} is a number`);
  })();
  db.close();
  return file;
}

test("a large database that is damaged is found to be so by a thread that looks through it meanwhile", async () => {
  const file = databaseFile();
  const whole = readFileSync(file);
  writeFileSync(file, Buffer.concat([whole.subarray(0, 16_384), Buffer.alloc(whole.length - 16_384, 0x5a)]));
  const failures: unknown[] = [];
  await checkMeanwhile(file, (error) => failures.push(error), true).ended;
  expect(failures).toHaveLength(1);
  expect(failures[0]).toBeInstanceOf(StoreError);
  expect(failures[0]).toMatchObject({ message: expect.stringContaining("is damaged") });
});

test("one that is whole is nothing to tell of, and one that is small was looked through before", async () => {
  const file = databaseFile();
  const failures: unknown[] = [];
  await checkMeanwhile(file, (error) => failures.push(error), true).ended;
  await checkMeanwhile(file, (error) => failures.push(error)).ended;
  expect(failures).toEqual([]);
});
