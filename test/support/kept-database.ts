import { randomBytes } from "node:crypto";
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
    this.#db = remembering(new Database(image));
    this.#clear = this.#db.transaction(() => {
      // Until all are empty, rows name others that are gone.
      this.#db.pragma("defer_foreign_keys = ON");
      for (const { empty } of this.#tables) empty.run();
      for (const { insert, rows } of this.#tables) for (const row of rows) insert.run(...row);
    });
    this.#tables = this.#names().map((name) => this.#table(name));
  }

  /** With a key of its own, so that nothing that was sealed before can be opened. */
  asNew(): Opened {
    this.#clear();
    return { db: this.#db, vault: new Vault(randomBytes(32)), epoch: "e-1", workspaceId: "w-1" };
  }

  /** The counters of AUTOINCREMENT are a table, too, and nothing counts while it is emptied after the others. */
  #names(): string[] {
    const found: unknown[] = this.#db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    return found
      .map(String)
      .toSorted((one, other) => Number(one.startsWith("sqlite_")) - Number(other.startsWith("sqlite_")));
  }

  #table(name: string): Table {
    const all = this.#db.prepare<[], unknown[]>(`SELECT * FROM "${name}"`).raw();
    const places = all.columns().map(() => "?");
    return {
      empty: this.#db.prepare(`DELETE FROM "${name}"`),
      insert: this.#db.prepare(`INSERT INTO "${name}" VALUES (${places.join(", ")})`),
      rows: all.all(),
    };
  }
}

/** The same database, which prepares a statement once, however often it is asked for it. */
function remembering(db: Database.Database): Database.Database {
  const prepared = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return new Proxy(db, {
    get(target, name) {
      if (name === "prepare") return prepare;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
