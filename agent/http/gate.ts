import type { Log } from "../../drivers/driver.ts";
import type { KeyRecord } from "../commands/key-book.ts";
import { Refused } from "../commands/refusal.ts";
import type { Instant } from "../domain/instant.ts";
import { type FoundKey, proves } from "../store/keys.ts";
import { Attempts } from "./attempts.ts";
import { type Headers, type Shown, shownIn, unauthorized } from "./shown.ts";
import { TooManyRequests } from "./too-many-requests.ts";

/** The keys that there are. */
export interface KeyRing {
  readonly workspaceId: string;
  find(key: Shown["key"]): FoundKey | undefined;
  /** Writes down that somebody was turned away, and never with what. */
  noteRefusal(of: { readonly remote: string; readonly reason: string; readonly key_id?: string }): void;
}

/** Who is let in at the HTTP door. */
export class Gate {
  readonly #ring: KeyRing;
  readonly #now: () => Instant;
  readonly #log: Log;
  readonly #attempts = new Attempts();
  /** By mark: keys that were proven, or are about to be. Proving takes long on purpose, and is done once for each. */
  readonly #proofs = new Map<string, Promise<boolean>>();

  constructor(ring: KeyRing, now: () => Instant, log: Log) {
    this.#ring = ring;
    this.#now = now;
    this.#log = log;
  }

  /** @throws Refused. Who has a key is let in however many were turned away: behind one address there may be many programs. */
  async admit(headers: Headers, remote: string): Promise<KeyRecord> {
    try {
      return await this.#lookUp(shownIn(headers));
    } catch (error) {
      throw error instanceof Refused ? this.#turnedAway(error, remote) : error;
    }
  }

  async #lookUp({ key, workspace }: Shown): Promise<KeyRecord> {
    const found = this.#ring.find(key);
    const isToken = workspace !== undefined;
    const unknown = (why: string, id?: string): Refused => new TurnedAway(isToken, why, id);
    if (!found) throw unknown("unknown key");
    const { id, revokedAt, expiresAt } = found.record;
    if (revokedAt !== undefined) {
      this.#proofs.delete(found.mark);
      throw unknown("revoked key", id);
    }
    if (expiresAt !== undefined && expiresAt <= this.#now()) throw unknown("expired key", id);
    if (!(await this.#isProven(key, found))) throw unknown("unknown key");
    if (isToken && workspace !== this.#ring.workspaceId) throw unknown("another workspace", id);
    return found.record;
  }

  async #isProven(key: Shown["key"], found: FoundKey): Promise<boolean> {
    const proof = this.#proofs.get(found.mark) ?? proves(key, found);
    this.#proofs.set(found.mark, proof);
    try {
      const proven = await proof;
      if (!proven) this.#proofs.delete(found.mark);
      return proven;
    } catch (error) {
      this.#proofs.delete(found.mark);
      throw error;
    }
  }

  #turnedAway(refused: Refused, remote: string): Refused {
    const wait = this.#attempts.wait(remote, this.#now());
    if (wait !== undefined) return new TooManyRequests(wait);
    const why = refused instanceof TurnedAway ? refused.why : { reason: refused.message };
    this.#ring.noteRefusal({ remote, ...why });
    this.#log.warn({ remote, ...why }, "somebody without a valid key was turned away");
    return refused;
  }
}

/** Whoever tries keys is not told what was wrong with one; the operator is. */
class TurnedAway extends Refused {
  readonly why: { readonly reason: string; readonly key_id?: string };

  constructor(isToken: boolean, reason: string, id: string | undefined) {
    const { type, message, status } = unauthorized(isToken ? "Access token not found" : "API Key not found");
    super(type, message, status);
    this.why = { reason, ...(id === undefined ? {} : { key_id: id }) };
  }
}
