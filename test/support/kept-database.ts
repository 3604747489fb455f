import { randomBytes } from "node:crypto";
import { compileFunction } from "node:vm";
import Database, { type Statement } from "better-sqlite3";
import type { Opened } from "../../agent/store/open.ts";
import { Vault } from "../../agent/store/vault.ts";

/** A table, what makes it empty, and what puts back the rows that it has in a new database. */
interface Table {
  readonly empty: Statement;
  readonly insert: Statement;
  readonly rows: readonly unknown[][];
}

/**
 * One database for many worlds, as new for each of them: what is asked of it is prepared once, since that takes longer than
 * all that the agent does from one start to the next.
 */
export class KeptDatabase {
  readonly #db: Database.Database;
  readonly #tables: readonly Table[];
  readonly #clear: () => void;

  /** @param image of a new database. */
  constructor(image: Buffer) {
    const db = new Database(image);
    this.#db = remembering(db);
    this.#clear = db.transaction(() => {
      // Until all are empty, rows name others that are gone.
      db.pragma("defer_foreign_keys = ON");
      for (const { empty } of this.#tables) empty.run();
      for (const { insert, rows } of this.#tables) for (const row of rows) insert.run(...row);
    });
    this.#tables = tablesOf(db);
  }

  /** With a key of its own, so that nothing that was sealed before can be opened. */
  asNew(): Opened {
    this.#clear();
    return { db: this.#db, vault: new Vault(randomBytes(32)), epoch: "e-1", workspaceId: "w-1" };
  }
}

const isCounter = (name: string): number => Number(name.startsWith("sqlite_"));

/** The counters of AUTOINCREMENT are a table, too, and nothing counts while it is emptied after the others. */
function tablesOf(db: Database.Database): Table[] {
  const found: unknown[] = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  return found
    .map(String)
    .toSorted((one, other) => isCounter(one) - isCounter(other))
    .map((name) => {
      const all = db.prepare<[], unknown[]>(`SELECT * FROM "${name}"`).raw();
      const places = all.columns().map(() => "?");
      return {
        empty: db.prepare(`DELETE FROM "${name}"`),
        insert: db.prepare(`INSERT INTO "${name}" VALUES (${places.join(", ")})`),
        rows: all.all(),
      };
    });
}

/** The same database, which prepares a statement once, however often it is asked for it. */
function remembering(db: Database.Database): Database.Database {
  const prepared = new Map<string, Statement | Reading>();
  const prepare = (sql: string): Statement | Reading => {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    const made = statement.reader ? new Reading(statement) : statement;
    prepared.set(sql, made);
    return made;
  };
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return prepare;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/**
 * A statement whose rows are made here: better-sqlite3 looks up the name of each column anew for each row, and that takes
 * longer than to read it.
 */
class Reading {
  readonly #values: Statement;
  readonly #row: (values: unknown) => unknown;

  constructor(statement: Statement) {
    const members = statement.columns().map(({ name }, at) => `${JSON.stringify(name)}: values[${at}]`);
    const row = compileFunction(`return { ${members.join(", ")} };`, ["values"]);
    this.#values = statement.raw();
    this.#row = (values) => row(values);
  }

  /** The rows as they are read. */
  raw(): Statement {
    return this.#values;
  }

  get(...given: unknown[]): unknown {
    const values = this.#values.get(...given);
    return values === undefined ? undefined : this.#row(values);
  }

  all(...given: unknown[]): unknown[] {
    return this.#values.all(...given).map(this.#row);
  }

  *iterate(...given: unknown[]): Generator {
    for (const values of this.#values.iterate(...given)) yield this.#row(values);
  }
}
