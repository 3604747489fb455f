import Database, { type Statement } from "better-sqlite3";

/** Runs in the agent's process before it: counts the rows that it reads and writes while it is told to. */
let isCounting = false;
let rows = 0;

const count = (result: unknown): void => {
  if (Array.isArray(result)) rows += result.length;
  else if (typeof result === "object" && result !== null) rows += "changes" in result ? Number(result.changes) : 1;
};

const prepare: unknown = Reflect.get(Database.prototype, "prepare");
if (typeof prepare !== "function") throw new TypeError("this version of better-sqlite3 prepares no statements");
Object.defineProperty(Database.prototype, "prepare", {
  value(this: unknown, sql: string): Statement {
    const statement: Statement = Reflect.apply(prepare, this, [sql]);
    for (const name of ["all", "get", "run"] as const) {
      const real = statement[name];
      Object.defineProperty(statement, name, {
        value(...given: unknown[]): unknown {
          const result: unknown = Reflect.apply(real, statement, given);
          if (isCounting) count(result);
          return result;
        },
      });
    }
    return statement;
  },
});

process.on("message", (asked: { readonly ask?: string }) => {
  if (asked.ask === "count") {
    isCounting = true;
    rows = 0;
    process.send?.({ counting: true });
  } else if (asked.ask === "rows") {
    isCounting = false;
    process.send?.({ rows });
  }
});
process.channel?.unref();
