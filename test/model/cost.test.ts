import type { Database, Statement } from "better-sqlite3";
import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { House } from "../support/house.ts";
import { openInMemory } from "../support/world.ts";

const locks = 256;
const codes = 1_000;

/** What was asked of the database since `reset`. */
class Count {
  statements = 0;
  /** Rows that were read, by the lock or device that they name. */
  readonly rows = new Map<string, number>();

  reset(): void {
    this.statements = 0;
    this.rows.clear();
  }

  read(row: unknown): void {
    if (typeof row !== "object" || row === null) return;
    const fields = new Map(Object.entries(row));
    const of = String(fields.get("device_id") ?? fields.get("lock") ?? "no lock");
    this.rows.set(of, (this.rows.get(of) ?? 0) + 1);
  }
}

/** The same database, whose statements are counted. */
function counted(db: Database, count: Count): Database {
  const statement = (real: Statement): Statement =>
    new Proxy(real, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name !== "all" && name !== "get" && name !== "run") return value.bind(target);
        return (...given: unknown[]) => {
          count.statements += 1;
          const result: unknown = Reflect.apply(value, target, given);
          if (name !== "run") for (const row of Array.isArray(result) ? result : [result]) count.read(row);
          return result;
        };
      },
    });
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => statement(target.prepare(sql));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const all = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

/** As many people with a code on every lock, all of them live. */
function fill(db: Database): void {
  const person = db.prepare("INSERT INTO user_identities VALUES (?, 0)");
  const credential = db.prepare(
    `INSERT INTO credentials (credential_id, user_identity_id, kind, origin, sealed, fingerprint, known, reissues, created_at, valid_from)
     VALUES (?, ?, 'pin', 'own', x'', ?, 1, 0, 0, 0)`,
  );
  const grant = db.prepare("INSERT INTO grants (user_identity_id, device_id, valid_from) VALUES (?, ?, 0)");
  const placement = db.prepare(
    `INSERT INTO placements (placement_id, device_id, lock, user_identity_id, credential_id, kind, fingerprint, wanted, rank,
       belief, slot, proof, suspect, attempts, pauses, state, since, valid_from)
     VALUES (?, ?, ?, ?, ?, 'pin', ?, 1, 1, 'held', ?, 'read_back', 0, 1, 0, 'live', 0, 0)`,
  );
  db.transaction(() => {
    const people = all(codes, (at) => `person-${at}`);
    for (const name of people) {
      person.run(name);
      credential.run(`credential of ${name}`, name, `print of ${name}`);
    }
    for (const device of all(locks, (at) => `door-${at}`)) {
      for (const [at, name] of people.entries()) {
        grant.run(name, device);
        const [id, print] = [`credential of ${name}`, `print of ${name}`];
        placement.run(`${device} ${name}`, device, device, name, id, print, String(at + 1));
      }
    }
  })();
}

test(`one grant among ${locks} locks of ${codes} codes touches the rows of its own lock only`, async () => {
  const count = new Count();
  const opened = openInMemory();
  const real = opened.db;
  using house = new House(locks, "unlimited", {
    model: { slots: codes + 10 },
    opened: { ...opened, db: counted(real, count) },
  });
  await house.clock.run(60_000);
  fill(real);
  count.reset();

  const door = deviceId("door-7");
  house.grant("visitor", door);
  await house.clock.run(60_000);
  expect(house.events("access.live")).toMatchObject([{ user_identity_id: "visitor", device_id: door }]);
  const others = [...count.rows.keys()].filter((of) => of !== door && of !== "no lock");
  process.stdout.write(
    `one grant on one of ${locks} locks with ${codes} codes each: ${count.statements} statements, ${count.rows.get(door)} rows of its lock, ${count.rows.get("no lock")} of no lock, ${others.length} of others\n`,
  );
  expect(others).toEqual([]);
  expect(count.statements).toBeLessThan(200);
  // The lock's own rows are read a few times in the round, never once per code.
  expect(count.rows.get(door)).toBeLessThan(15 * codes);
  expect(count.rows.get("no lock") ?? 0).toBeLessThan(200);
}, 60_000);
