import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { userIdentityId } from "../../agent/domain/ids.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { ConfigError, StoreError } from "../../agent/errors.ts";
import { openDatabase } from "../../agent/store/open.ts";
import { doors } from "../support/memory-store.ts";
import { StoreDir } from "../support/store-dir.ts";
import { migrations } from "../support/world.ts";

const [door] = doors;
const ann = userIdentityId("ann");

function errorOf(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

test("openStore() makes files that only their owner can read, and opens them again as they were", () => {
  using at = new StoreDir();
  const store = at.open();
  const { epoch, workspaceId } = store.records;
  store.transaction(() => store.records.grantDirect(ann, door ?? doors[0]!));
  const modes = readdirSync(at.dir).map((file) => [file, statSync(join(at.dir, file)).mode & 0o777] as const);
  expect(Object.fromEntries(modes)).toEqual({
    key: 0o600,
    "latchd.db": 0o600,
    "latchd.db-wal": 0o600,
    "latchd.db-shm": 0o600,
  });
  const again = at.open();
  expect(again.records).toMatchObject({ epoch, workspaceId });
  expect(again.records.grants({})).toHaveLength(1);
});

test("openStore() commits to the disk: what was acknowledged outlives a power cut, and half of it is never there", () => {
  using at = new StoreDir();
  at.open();
  at.close();
  const { db } = openDatabase(at.database, at.keyFile, migrations, at.now);
  // What SQLite promises by them: https://www.sqlite.org/pragma.html#pragma_synchronous
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(db.pragma("synchronous", { simple: true })).toBe(2);
  expect(db.pragma("foreign_keys", { simple: true })).toBe(1);
  db.close();
});

test("events that waited when latchd was updated are numbered and counted", () => {
  const db = new Database(":memory:");
  db.exec(readFileSync(join(migrations, "0001.sql"), "utf8"));
  const put = db.prepare("INSERT INTO outbox (rank, topic, payload, sealed, at) VALUES (?, ?, ?, 0, 1)");
  put.run(1, "event/x", Buffer.from('{"number":41,"event_type":"x"}'));
  put.run(0, "reply/r", Buffer.from("not JSON"));
  put.run(1, "event/x", Buffer.from('{"number":42,"event_type":"x"}'));
  db.exec(readFileSync(join(migrations, "0002.sql"), "utf8"));
  expect(db.prepare("SELECT number FROM outbox ORDER BY id").pluck().all()).toEqual([41, null, 42]);
  expect(db.prepare("SELECT waiting FROM outbox_events").pluck().all()).toEqual([2]);
  db.close();
});

test("openStore() refuses a database of a newer latchd, a key that is another, and one that is lost", () => {
  using at = new StoreDir();
  at.open();
  at.close();
  const key = readFileSync(at.keyFile);

  writeFileSync(at.keyFile, `${"ab".repeat(32)}\n`, { mode: 0o600 });
  const wrong = errorOf(() => at.open());
  expect(wrong).toBeInstanceOf(ConfigError);
  expect(wrong.message).toContain("not the one");
  expect(wrong).toHaveProperty("hint", expect.stringContaining("key_file"));

  writeFileSync(at.keyFile, "not a key\n", { mode: 0o600 });
  expect(errorOf(() => at.open()).message).toContain("64 hexadecimal digits");

  rmSync(at.keyFile);
  expect(errorOf(() => at.open())).toBeInstanceOf(ConfigError);
  expect(readdirSync(at.dir)).not.toContain("key");

  writeFileSync(at.keyFile, key, { mode: 0o600 });
  chmodSync(at.keyFile, 0o644);
  expect(errorOf(() => at.open())).toHaveProperty("hint", expect.stringContaining("chmod 600"));
  chmodSync(at.keyFile, 0o600);
  at.open();
  at.close();

  const db = new Database(at.database);
  db.pragma("user_version = 99");
  db.close();
  const newer = errorOf(() => at.open());
  expect(newer).toBeInstanceOf(ConfigError);
  expect(newer.message).toContain("version 99");
});

test("openStore() says of a damaged database that it is damaged", () => {
  using at = new StoreDir();
  at.open();
  at.close();
  const whole = readFileSync(at.database);

  writeFileSync(at.database, Buffer.concat([Buffer.from("no database at all"), whole.subarray(18)]));
  expect(errorOf(() => at.open())).toBeInstanceOf(StoreError);

  const torn = Buffer.from(whole);
  // Every page but the first few: the tables are there, and lead nowhere.
  torn.fill(0x5a, 4096 * 2);
  writeFileSync(at.database, torn);
  const damaged = errorOf(() => at.open());
  expect(damaged).toBeInstanceOf(StoreError);
  expect(damaged).toHaveProperty("hint", expect.stringContaining("backup"));
});

test("migrations run in order, each once, and one that fails leaves nothing of itself", () => {
  using at = new StoreDir();
  const own = join(at.dir, "migrations");
  mkdirSync(own);
  for (const file of readdirSync(migrations)) copyFileSync(join(migrations, file), join(own, file));
  const count = readdirSync(own).length;
  const named = (number: number): string => join(own, `${String(number).padStart(4, "0")}.sql`);
  at.open({ migrations: own });

  writeFileSync(named(count + 1), "CREATE TABLE later (a TEXT) STRICT; INSERT INTO nowhere VALUES (1);");
  expect(() => at.open({ migrations: own })).toThrow("nowhere");
  writeFileSync(named(count + 1), "CREATE TABLE later (a TEXT) STRICT;");
  at.open({ migrations: own });
  at.open({ migrations: own });
  at.close();
  const db = new Database(at.database);
  expect(db.pragma("user_version", { simple: true })).toBe(count + 1);
  db.close();
});

test("no secret is in the files in clear, nor readily told from them", () => {
  using at = new StoreDir();
  const store = at.open();
  const digits = "493017562";
  store.transaction(() => {
    store.records.setOwn(ann, { kind: "pin", digits: new Secret(digits) });
    store.driverStates.of("wire").set("key", new Secret(digits));
    store.replies.remember("r-1", "credentials/get", digits, { status: 200, body: `{"code":"${digits}"}` }, true);
    store.outbox.put(
      { rank: "reply", topic: "reply/r-1", payload: digits, sealed: true, correlation: undefined },
      at.now,
    );
  });
  const inFiles = readdirSync(at.dir, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(at.dir, entry.name)).toString("latin1"))
    .join("\n");
  const bytes = Buffer.from(digits);
  const forms = [digits, bytes.toString("hex"), bytes.toString("base64").slice(0, 10), bytes.toReversed().toString()];
  expect(forms.filter((form) => inFiles.includes(form))).toEqual([]);

  expect(store.driverStates.of("wire").get("key")?.reveal()).toBe(digits);
  expect(store.replies.find("r-1", "credentials/get", digits)).toEqual({ status: 200, body: `{"code":"${digits}"}` });
  expect(store.replies.find("r-1", "credentials/get", "other")).toBe("conflict");
  expect(store.outbox.next(new Set(), 1)).toMatchObject([{ payload: digits }]);
});
