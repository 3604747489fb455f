import Database from "better-sqlite3";

/** Opens a database as it was left, and nothing else: the pages that it needs to be open, and what stands in its log. */
const [, , file = ""] = process.argv;
const db = new Database(file);
db.pragma("journal_mode = WAL");
db.prepare("SELECT count(*) FROM sqlite_schema").get();
process.send?.({ open: true });
process.disconnect();
