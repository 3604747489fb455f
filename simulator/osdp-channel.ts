import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";

const blockSize = 16;
/** How much of a MAC travels; the whole of it goes into the next one. */
const macOnWire = 4;

/** What is known of a session when its handshake begins. All in bytes: the key 16, the randoms 8 each. */
export interface ChannelSeed {
  readonly key: Uint8Array;
  readonly panelRandom: Uint8Array;
  readonly readerRandom: Uint8Array;
}

/**
 * A reader's end of OSDP's Secure Channel (reference 3), written from the reference alone and sharing nothing with
 * the driver's: what one of them misunderstands shows at the other. The panel's end says a MAC over each command, the
 * reader's one over each reply, and each begins with the whole MAC that the other side said last.
 */
export class ReaderChannel {
  readonly #encryption: Uint8Array;
  readonly #mac1: Uint8Array;
  readonly #mac2: Uint8Array;
  readonly #randoms: Pick<ChannelSeed, "panelRandom" | "readerRandom">;
  #panelSaid: Uint8Array = new Uint8Array(blockSize);
  #readerSaid: Uint8Array = new Uint8Array(blockSize);

  constructor({ key, panelRandom, readerRandom }: ChannelSeed) {
    // Only six bytes of the panel's random go into the keys of a session.
    const derived = (...label: readonly number[]): Uint8Array =>
      oneBlock(key, bytesOf(label, panelRandom.subarray(0, 6), new Uint8Array(8)));
    this.#encryption = derived(0x01, 0x82);
    this.#mac1 = derived(0x01, 0x01);
    this.#mac2 = derived(0x01, 0x02);
    this.#randoms = { panelRandom, readerRandom };
  }

  /** By it the panel knows that the reader has the key: 16 bytes. */
  get clientCryptogram(): Uint8Array {
    const { panelRandom, readerRandom } = this.#randoms;
    return oneBlock(this.#encryption, bytesOf(panelRandom, readerRandom));
  }

  /**
   * Takes the panel's cryptogram. The first R-MAC, 16 bytes, with which the session begins; undefined where the panel has
   * another key.
   */
  begin(serverCryptogram: Uint8Array): Uint8Array | undefined {
    const { panelRandom, readerRandom } = this.#randoms;
    const expected = oneBlock(this.#encryption, bytesOf(readerRandom, panelRandom));
    if (!isSame(expected, serverCryptogram)) return undefined;
    this.#readerSaid = oneBlock(this.#mac2, oneBlock(this.#mac1, serverCryptogram));
    return this.#readerSaid;
  }

  /**
   * Whether a command comes from the panel and in its turn; if so, the session has gone on to it.
   *
   * @param covered from the start of the frame to the last byte of data, as they came.
   */
  verify(covered: Uint8Array, mac: Uint8Array): boolean {
    const whole = this.#mac(covered, this.#readerSaid);
    if (!isSame(whole.subarray(0, macOnWire), mac)) return false;
    this.#panelSaid = whole;
    return true;
  }

  /** The data of a command, before {@link verify} has gone on to it: undefined where it was not encrypted as it has to be. */
  decrypt(data: Uint8Array): Uint8Array | undefined {
    if (data.length === 0 || data.length % blockSize > 0) return undefined;
    const decipher = createDecipheriv("aes-128-cbc", this.#encryption, complement(this.#readerSaid));
    decipher.setAutoPadding(false);
    const padded = bytesOf(decipher.update(data), decipher.final());
    const end = padded.findLastIndex((byte) => byte !== 0);
    return padded[end] === 0x80 ? padded.subarray(0, end) : undefined;
  }

  /** The data of the reply to the last command as it goes out: a whole block of padding where there is none. */
  encrypt(data: Uint8Array): Uint8Array {
    const cipher = createCipheriv("aes-128-cbc", this.#encryption, complement(this.#panelSaid));
    cipher.setAutoPadding(false);
    return bytesOf(cipher.update(padded(data)), cipher.final());
  }

  /** The MAC of the reply to the last command, 4 bytes; the session has gone on to it. */
  sign(covered: Uint8Array): Uint8Array {
    this.#readerSaid = this.#mac(covered, this.#panelSaid);
    return this.#readerSaid.subarray(0, macOnWire);
  }

  #mac(covered: Uint8Array, start: Uint8Array): Uint8Array {
    const whole = covered.length % blockSize === 0 ? covered : padded(covered);
    let chained = start;
    for (let at = 0; at < whole.length; at += blockSize) {
      const isLast = at + blockSize === whole.length;
      const mixed = chained.map((byte, index) => byte ^ (whole[at + index] ?? 0));
      chained = oneBlock(isLast ? this.#mac2 : this.#mac1, mixed);
    }
    return chained;
  }
}

/** One after the other. */
const bytesOf = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

function oneBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", key, null);
  cipher.setAutoPadding(false);
  return bytesOf(cipher.update(block), cipher.final());
}

const padded = (data: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(Math.ceil((data.length + 1) / blockSize) * blockSize);
  whole.set(data);
  whole[data.length] = 0x80;
  return whole;
};

const complement = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte);

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);
