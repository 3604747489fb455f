import type { Command } from "./commands.ts";
import type { SecurityBlock } from "./frame.ts";
import type { Suspicion } from "./happening.ts";
import type { Key } from "./key.ts";
import type { Reply } from "./replies.ts";
import {
  clientCryptogram,
  equal,
  firstMac,
  type SessionKeys,
  serverCryptogram,
  sessionKeys,
  wipe,
} from "./secure-channel.ts";

/** What is said next; of a handshake, with the block that says that it is. */
export interface Step {
  readonly command: Command;
  readonly security?: SecurityBlock;
}

/** One attempt to open the channel with one key, from the panel's side (reference 3.2; D.4). */
export class Handshake {
  readonly key: Key;
  /** Of the security block: 1 for a key of the reader's own, 0 for the one that all readers know. */
  readonly selector: number;
  /** RND.A: of this attempt, and of no other. */
  readonly random: Uint8Array;
  readonly #keys: SessionKeys;
  #cryptogram: Uint8Array = new Uint8Array();

  constructor(key: Key, selector: number, random: Uint8Array) {
    this.key = key;
    this.selector = selector;
    this.random = random;
    this.#keys = sessionKeys(key, random);
  }

  /** Of step 1: it asks the reader to prove that it has the key. */
  get challenge(): Step {
    return this.#step({ command: "CHLNG", random: this.random }, 0x11);
  }

  /**
   * Step 2. @param selector of its security block. @returns what is wrong with it; else the reader has proven that it has the
   * key, and step 3, with which we prove that we have it.
   */
  challenged(reply: Reply | undefined, selector: number | undefined): Step | Suspicion {
    if (reply?.reply !== "CCRYPT") return "layout";
    if (selector !== this.selector) return selector === 0 ? "default_key" : "layout";
    if (!equal(reply.cryptogram, clientCryptogram(this.#keys, this.random, reply.random))) return "wrong_key";
    this.#cryptogram = serverCryptogram(this.#keys, this.random, reply.random);
    return this.#step({ command: "SCRYPT", cryptogram: this.#cryptogram }, 0x13);
  }

  /** Step 4. @returns what the channel begins with; undefined: the reader has not come to the same MAC. */
  proven(reply: Reply | undefined): { readonly keys: SessionKeys; readonly mac: Uint8Array } | undefined {
    const own = firstMac(this.#keys, this.#cryptogram);
    return reply?.reply === "RMAC_I" && equal(reply.mac, own) ? { keys: this.#keys, mac: own } : undefined;
  }

  #step(command: Command, type: number): Step {
    return { command, security: { type, data: Uint8Array.of(this.selector) } };
  }

  /** After an attempt that came to nothing. */
  drop(): void {
    wipe(this.#keys);
  }
}
