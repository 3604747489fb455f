import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database, Statement } from "better-sqlite3";
import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import { type Store, storeOn } from "../../agent/store/store.ts";
import { House } from "../support/house.ts";
import { configured } from "../support/memory-store.ts";
import { performOn } from "../support/perform-on.ts";
import { openInMemory } from "../support/world.ts";

const locks = 256;
const codes = 1_000;

/** What was asked of the database since `reset`. */
class Count {
  statements = 0;
  /** Rows that were read, by the lock or device that they name. */
  readonly rows = new Map<string, number>();
  /** Rows that were added, changed or removed. */
  written = 0;
  /** What was asked, each once. */
  readonly sql = new Set<string>();

  reset(): void {
    this.statements = 0;
    this.rows.clear();
    this.written = 0;
    this.sql.clear();
  }

  get all(): string {
    const read = [...this.rows.values()].reduce((sum, rows) => sum + rows, 0);
    return `${this.statements} statements, ${read} rows read, ${this.written} written`;
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
        if (name === "raw") return () => statement(target.raw());
        if (name !== "all" && name !== "get" && name !== "run") return value.bind(target);
        return (...given: unknown[]) => {
          count.statements += 1;
          count.sql.add(target.source);
          const result: unknown = Reflect.apply(value, target, given);
          if (name === "run") count.written += changesIn(result);
          else for (const row of Array.isArray(result) ? result : [result]) count.read(row);
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

const changesIn = (result: unknown): number =>
  typeof result === "object" && result !== null && "changes" in result ? Number(result.changes) : 0;

/** An index whose rows are few, or of which the first is taken: what is due, is leaving, or is under way. */
const ofFew =
  /USING (?:COVERING )?INDEX (?:grants_changing|placements_(?:removing|owed|in_flight)|outbox_in_order|outbox_by_number)$/;
/** Tables that stay small, however many codes there are. */
const ofConstantSize = /^SCAN (?:clock|outbox_events|meta|devices|overdue|CONSTANT ROW)$/;

/** Where SQLite looks at more of a table than it is asked about, by its own plan. */
function scansIn(db: Database, { sql }: Count): string[] {
  return [...sql].flatMap((each) => {
    const names = [...each.matchAll(/@(\w+)/g)].map(([, name]) => [name, null]);
    const values = [...each.matchAll(/\?/g)].map(() => null);
    const explain = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${each}`);
    const plan = names.length > 0 ? explain.all(Object.fromEntries(names)) : explain.all(...values);
    const scans = plan.filter(
      ({ detail }) => detail.startsWith("SCAN") && !ofFew.test(detail) && !ofConstantSize.test(detail),
    );
    return scans.map(({ detail }) => `${detail}: ${each}`);
  });
}

const all = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

/** As many people with a code on every lock, all of them live. */
function fill(db: Database): void {
  const person = db.prepare("INSERT INTO user_identities (user_identity_id, created_at) VALUES (?, 0)");
  const credential = db.prepare(
    `INSERT INTO credentials (credential_id, user_identity_id, kind, origin, sealed, fingerprint, known, reissues, created_at, valid_from)
     VALUES (?, ?, 'pin', 'own', x'', ?, 1, 0, 0, 0)`,
  );
  const grant = db.prepare("INSERT INTO grants (user_identity_id, device_id, valid_from) VALUES (?, ?, 0)");
  const placement = db.prepare(
    `INSERT INTO placements (placement_id, device_id, lock, user_identity_id, credential_id, kind, fingerprint, wanted, rank,
       belief, slot, proof, suspect, attempts, pauses, at_rest, state, since, valid_from)
     VALUES (?, ?, ?, ?, ?, 'pin', ?, 1, 1, 'held', ?, 'read_back', 0, 1, 0, 1, 'live', 0, 0)`,
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
  const placed = real.prepare<[], { device_id: string }>("SELECT device_id FROM placements WHERE valid_from > 0").all();
  process.stdout.write(
    `one grant on one of ${locks} locks with ${codes} codes each: ${count.statements} statements, ${count.rows.get(door)} rows of its lock, ${count.rows.get("no lock")} of no lock, ${others.length} of others, ${count.written} written\n`,
  );
  expect(others).toEqual([]);
  expect(scansIn(real, count)).toEqual([]);
  expect(new Set(placed.map(({ device_id: id }) => id))).toEqual(new Set([door]));
  expect(count.written).toBeLessThan(100);
  expect(count.statements).toBeLessThan(200);
  // Of the codes of its own lock, which are at rest, the slots are read, once.
  expect(count.rows.get(door)).toBeLessThan(100);
  expect(count.rows.get("no lock") ?? 0).toBeLessThan(codes + 100);
}, 60_000);

const begin = instant(1_750_000_000_000);
const minute = 60_000;
const minutes = (count: number): Instant => later(begin, count * minute);
const doors = all(locks, (at) => deviceId(`door-${at}`));

/** As many grants for a time, each of which begins a minute after the one before it. */
function schedule(db: Database, grants: number): void {
  const person = db.prepare("INSERT INTO user_identities (user_identity_id, created_at) VALUES (?, 0)");
  const access = db.prepare(
    `INSERT INTO access_grants (access_grant_id, user_identity_id, starts_at, external, modes, created_at, valid_from)
     VALUES (?, ?, ?, 0, '["code"]', 0, 0)`,
  );
  const grant = db.prepare(
    `INSERT INTO grants (user_identity_id, device_id, access_grant_id, in_force, changes_at, opens_at, zone, valid_from)
     VALUES (?, ?, ?, 0, ?, ?, 'UTC', 0)`,
  );
  db.transaction(() => {
    for (let at = 0; at < grants; at++) {
      const [name, starts] = [`person-${at}`, minutes(at + 1)];
      person.run(name);
      access.run(`grant-${at}`, name, starts);
      grant.run(name, doors[at % locks], `grant-${at}`, starts, starts);
    }
  })();
}

/** A store with so many grants for a time, and what it takes to open the next of them, in milliseconds of this machine. */
class Agenda implements Disposable {
  readonly count = new Count();
  readonly real: Database;
  readonly store: Store;
  now = begin;
  readonly took: number[] = [];

  constructor(grants: number) {
    const opened = openInMemory();
    this.real = opened.db;
    schedule(this.real, grants);
    const on = { ...opened, db: counted(this.real, this.count) };
    this.store = storeOn(on, {
      dataDir: join(tmpdir(), "latchd-agenda"),
      devices: doors.map((device) => configured(device)),
      pins: { issue: true, length: 6 },
      events: { rows: 100_000, days: 30 },
      now: () => this.now,
    });
    this.count.reset();
  }

  /** The time of the next one has come. */
  open(number: number): ReturnType<Store["turn"]> {
    this.now = minutes(number + 1);
    const before = performance.now();
    const turn = this.store.turn();
    this.took.push(performance.now() - before);
    return turn;
  }

  get median(): number {
    return this.took.toSorted((a, b) => a - b)[Math.floor(this.took.length / 2)] ?? 0;
  }

  [Symbol.dispose](): void {
    this.real.close();
  }
}

test("the next change of a window among 100,000 grants costs what it does among 1,000: a look-up, and no scan", () => {
  const [few, many] = [1_000, 100_000];
  using small = new Agenda(few);
  using large = new Agenda(many);
  const said = [small, large].map((agenda) => {
    agenda.open(0);
    agenda.count.reset();
    agenda.open(1);
    const opening = agenda.count.all;
    agenda.count.reset();
    // Nothing has come to its time.
    agenda.now = later(agenda.now, minute / 2);
    expect(agenda.store.turn()).toEqual({ due: new Set(), next: minutes(3) });
    const waiting = agenda.count.all;
    agenda.count.reset();
    // One more, which is the next.
    const stay = {
      user_identity_id: "visitor",
      device_ids: [doors[0]],
      starts_at: new Date(agenda.now + 1).toISOString(),
    };
    performOn(agenda.store, { name: "access_grants/create", payload: JSON.stringify(stay) }, { now: agenda.now });
    expect(agenda.store.turn().next).toBe(later(agenda.now, 1));
    const adding = agenda.count.all;
    expect(scansIn(agenda.real, agenda.count)).toEqual([]);
    agenda.now = later(agenda.now, 1);
    agenda.count.reset();
    agenda.store.turn();
    for (let number = 2; number < 300; number++) {
      expect(agenda.open(number)).toEqual({ due: new Set([doors[number % locks]]), next: minutes(number + 2) });
    }
    expect(scansIn(agenda.real, agenda.count)).toEqual([]);
    return { opening, waiting, adding };
  });
  process.stdout.write(
    `the next change among ${many}: ${said[1]?.opening}, ${large.median.toFixed(3)} ms (among ${few}: ${small.median.toFixed(3)} ms); to find that nothing is due: ${said[1]?.waiting}; one more grant: ${said[1]?.adding}\n`,
  );
  expect(said[1]).toEqual(said[0]);
  // A scan would take a hundred times as long.
  expect(large.median / small.median).toBeLessThan(10);
}, 60_000);
