/** The key that every reader has while it is being installed, and everybody knows: "0" to "?" in ASCII. */
export const publicKey: Uint8Array = Uint8Array.from({ length: 16 }, (_, index) => 0x30 + index);

/** Which key a handshake is about (reference 3.2). */
export type KeyType = "public" | "own";

/** The keys of a reader. What is in it outlives its power. */
export class OsdpKeyring {
  #own: Uint8Array | undefined;
  #installs: boolean;

  /** @param own 16 bytes. Without a key a reader waits to be installed. */
  constructor(own: Uint8Array | undefined, installs = own === undefined) {
    this.#own = own;
    this.#installs = installs;
  }

  get own(): Uint8Array | undefined {
    return this.#own;
  }

  /** Whether it takes the public key, and with it any other. */
  get installs(): boolean {
    return this.#installs;
  }

  get(type: KeyType): Uint8Array | undefined {
    if (type === "own") return this.#own;
    return this.#installs ? publicKey : undefined;
  }

  /** It has this key from now on; it was installed. */
  set(key: Uint8Array): void {
    this.#own = Uint8Array.from(key);
    this.#installs = false;
  }

  /** Somebody has put it into install mode, or out of it. */
  install(installs: boolean): void {
    this.#installs = installs;
  }
}
