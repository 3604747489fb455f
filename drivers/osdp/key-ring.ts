import type { Instant } from "../../agent/domain/instant.ts";
import { Handshake } from "./handshake.ts";
import type { Happening } from "./happening.ts";
import type { Key } from "./key.ts";
import { defaultKey } from "./key-strength.ts";

/**
 * The keys that a reader may have, and which of them is tried. The key that everybody knows is tried only while somebody
 * pairs: whatever a reader says or asks for, there is no way from its own key to that one (reference 3.6, 3.7).
 */
export class KeyRing {
  /** The likeliest first. */
  #keys: readonly Key[];
  #nth = 0;
  #attempt: Handshake | undefined;
  /** What the reader is to be given. */
  #fresh: Key | undefined;
  #pairing: { readonly until: Instant; readonly isSet: boolean } | undefined;

  constructor(keys: readonly Key[]) {
    this.#keys = keys;
  }

  get attempt(): Handshake | undefined {
    return this.#attempt;
  }

  /** Whether what is said now is said under the key that everybody knows. */
  get isOpenToAll(): boolean {
    return this.#attempt?.selector === 0;
  }

  /** What is to be set in the channel as it is now. */
  get toSet(): Key | undefined {
    return !this.#pairing || this.isOpenToAll ? this.#fresh : undefined;
  }

  rotate(key: Key): void {
    this.#fresh = key;
  }

  pair(key: Key, until: Instant): void {
    this.#fresh = key;
    this.#pairing = { until, isSet: false };
  }

  isPairingOver(now: Instant): boolean {
    return this.#pairing !== undefined && this.#pairing.until <= now;
  }

  /**
   * @param paired whether the reader has its key. @returns what there is to tell, where there was a pairing to end. A key that
   * may have been set stays one of those that the reader may have.
   */
  endPairing(paired: boolean): readonly Happening[] {
    if (!this.#pairing) return [];
    this.#fresh = undefined;
    this.#pairing = undefined;
    return [{ happening: "pairing_over", paired }];
  }

  /** The next attempt: with new random bytes, so that nothing of an earlier one can be used again. */
  begin(random: Uint8Array): Handshake | undefined {
    this.drop();
    const isDefault = this.#pairing?.isSet === false;
    const key = isDefault ? defaultKey() : this.#keys[this.#nth];
    this.#attempt = key && new Handshake(key, isDefault ? 0 : 1, random);
    return this.#attempt;
  }

  /** The key that was tried is not the reader's. @returns whether there is another to be tried at once. */
  failed(): boolean {
    const last = this.#nth + 1 >= this.#keys.length;
    this.#nth = last || this.isOpenToAll ? 0 : this.#nth + 1;
    // The reader has none of them: the command to set one has not come to it.
    if (last && this.#pairing) this.#pairing = { ...this.#pairing, isSet: false };
    return !last && !this.isOpenToAll;
  }

  /** @returns what goes to the reader, if there is a new key: from now on it may have this one, or still the one before. */
  setting(): Key | undefined {
    const fresh = this.toSet;
    if (!fresh) return undefined;
    this.#keys = [fresh, ...this.#keys.filter((key) => key !== fresh)];
    this.#nth = 0;
    if (this.#pairing) this.#pairing = { ...this.#pairing, isSet: true };
    return fresh;
  }

  /** The reader has said that it does not take the new key. @returns what there is to tell. */
  notSet(error: number): readonly Happening[] {
    this.#keys = this.#keys.filter((key) => key !== this.#fresh);
    this.#fresh = undefined;
    return [{ happening: "key_refused", error }, ...this.endPairing(false)];
  }

  /** The reader has proven that it has the key which was tried. @returns what there is to tell, where it could have been another. */
  proven(): readonly Happening[] {
    const key = this.#attempt?.key;
    if (!key || this.isOpenToAll) return [];
    const isNews = this.#keys.length > 1 || this.#pairing !== undefined;
    const paired = this.#pairing !== undefined && key === this.#fresh;
    if (this.#keys.includes(key) && this.#fresh && this.#keys.includes(this.#fresh)) this.#fresh = undefined;
    this.#keys = [key];
    this.#nth = 0;
    return isNews ? [{ happening: "key_proven", key }, ...this.endPairing(paired)] : [];
  }

  /** Of an attempt nothing is left. */
  drop(): void {
    this.#attempt?.drop();
    this.#attempt = undefined;
  }

  wipe(): void {
    this.drop();
    for (const key of this.#keys) key.wipe();
    this.#fresh?.wipe();
  }
}
