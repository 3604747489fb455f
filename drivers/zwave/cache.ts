import type { Database, DatabaseFactory } from "@zwave-js/shared/bindings";
import { isHarmless } from "./codec-cache.ts";

/** zwave-js's databases, of which nothing that is secret reaches the disk (Law 9). */
export const codeFree = (files: DatabaseFactory): DatabaseFactory => ({
  createInstance: (file, options) => new CodeFreeDatabase(files.createInstance(file, options)),
});

/** Keeps in memory alone what may not be on disk: zwave-js finds it again as long as it runs. */
class CodeFreeDatabase<V> implements Database<V> {
  readonly #disk: Database<V>;
  readonly #memory = new Map<string, V>();

  constructor(disk: Database<V>) {
    this.#disk = disk;
  }

  async open(): Promise<void> {
    await this.#disk.open();
    // A version of zwave-js without us may have used the same directory.
    for (const key of this.#disk.keys()) if (!isHarmless(key)) this.#disk.delete(key);
  }

  async close(): Promise<void> {
    this.#memory.clear();
    await this.#disk.close();
  }

  has(key: string): boolean {
    return this.#memory.has(key) || this.#disk.has(key);
  }

  get(key: string): V | undefined {
    return this.#memory.has(key) ? this.#memory.get(key) : this.#disk.get(key);
  }

  set(key: string, value: V, updateTimestamp?: boolean): this {
    if (isHarmless(key)) this.#disk.set(key, value, updateTimestamp);
    else this.#memory.set(key, value);
    return this;
  }

  delete(key: string): boolean {
    return this.#memory.delete(key) || this.#disk.delete(key);
  }

  clear(): void {
    this.#memory.clear();
    this.#disk.clear();
  }

  getTimestamp(key: string): number | undefined {
    return this.#disk.getTimestamp(key);
  }

  get size(): number {
    return this.#memory.size + this.#disk.size;
  }

  keys(): MapIterator<string> {
    return this.#all().keys();
  }

  entries(): MapIterator<[string, V]> {
    return this.#all().entries();
  }

  #all(): Map<string, V> {
    return new Map([...this.#disk.entries(), ...this.#memory]);
  }
}
