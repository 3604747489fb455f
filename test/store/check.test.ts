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

/** What was told of a file that was looked through by a thread. */
async function looked(file: string, large?: boolean) {
  const failures: unknown[] = [];
  const reasons: string[] = [];
  const told = { failed: (error: unknown) => failures.push(error), unknown: (reason: string) => reasons.push(reason) };
  await checkMeanwhile(file, told, large).ended;
  return { failures, reasons };
}

test.each([
  ["in its middle", 16_384],
  ["from its first byte", 0],
])(
  "a large database that is damaged %s is found to be so by a thread that looks through it meanwhile",
  async (_, from) => {
    const file = databaseFile();
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole.subarray(0, from), Buffer.alloc(whole.length - from, 0x5a)]));
    const { failures, reasons } = await looked(file, true);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toBeInstanceOf(StoreError);
    expect(failures[0]).toMatchObject({ message: expect.stringContaining("is damaged") });
    expect(reasons).toEqual([]);
  },
);

test("one that could not be looked through is not called damaged, and it is told why", async () => {
  const { failures, reasons } = await looked(`${databaseFile()}-elsewhere`, true);
  expect(failures).toEqual([]);
  expect(reasons).toEqual([expect.stringContaining("unable to open database file")]);
});

test("one that is whole is nothing to tell of, and one that is small was looked through before", async () => {
  const file = databaseFile();
  expect(await looked(file, true)).toEqual({ failures: [], reasons: [] });
  expect(await looked(file)).toEqual({ failures: [], reasons: [] });
});
