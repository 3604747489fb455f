import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Database, Statement } from "better-sqlite3";
import type { DriverState } from "../../drivers/driver.ts";
import type { Secret } from "../domain/secret.ts";
import type { Vault } from "./vault.ts";

/** What each link's driver keeps: sealed rows, and a directory. */
export class DriverStates {
  readonly #vault: Vault;
  readonly #directory: string;
  readonly #get: Statement<[string, string], { sealed: Buffer }>;
  readonly #set: Statement<[string, string, Buffer]>;
  readonly #delete: Statement<[string, string]>;

  constructor(db: Database, vault: Vault, directory: string) {
    this.#vault = vault;
    this.#directory = directory;
    this.#get = db.prepare("SELECT sealed FROM driver_state WHERE link = ? AND key = ?");
    this.#set = db.prepare(
      "INSERT INTO driver_state (link, key, sealed) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
    );
    this.#delete = db.prepare("DELETE FROM driver_state WHERE link = ? AND key = ?");
  }

  of(link: string): DriverState {
    const directory = join(this.#directory, encodeURIComponent(link));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const placeOf = (key: string): string => `driver/${link}/${key}`;
    return {
      directory,
      get: (key): Secret | undefined => {
        const row = this.#get.get(link, key);
        return row && this.#vault.open(row.sealed, placeOf(key));
      },
      set: (key, value) => void this.#set.run(link, key, this.#vault.seal(value, placeOf(key))),
      delete: (key) => void this.#delete.run(link, key),
    };
  }
}
