import { inspect } from "node:util";

/** The bytes of a key. They do not print, and can be wiped. */
export class Key {
  readonly #bytes: Uint8Array;

  /** @param bytes are copied. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** The bytes themselves, not a copy, so that {@link wipe} leaves none behind. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
