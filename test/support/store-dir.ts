import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { openStore, type Store, type StoreOptions } from "../../agent/store/store.ts";
import { configured, doors } from "./memory-store.ts";
import { migrations } from "./world.ts";

/** A data directory with the real store in it, opened as often as a test likes. */
export class StoreDir implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "latchd-store-"));
  readonly database = join(this.dir, "latchd.db");
  readonly keyFile = join(this.dir, "key");
  now: Instant = instant(1_750_000_000_000);
  #store: Store | undefined;

  open(of: Partial<StoreOptions> = {}): Store {
    this.close();
    this.#store = openStore({
      dataDir: this.dir,
      keyFile: this.keyFile,
      migrations,
      devices: doors.map((id) => configured(id)),
      pins: { issue: true, length: 6 },
      events: { rows: 100_000, days: 30 },
      now: () => this.now,
      ...of,
    });
    return this.#store;
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
