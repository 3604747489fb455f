import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { branded } from "../domain/brand.ts";
import { type Credential, type Fingerprint, secretOf } from "../domain/credential.ts";
import { Secret } from "../domain/secret.ts";
import { StoreError } from "../errors.ts";
import { keyedHash } from "./keyed-hash.ts";

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals secrets (AES-256-GCM; NIST SP 800-38D) and makes keyed fingerprints (HMAC-SHA-256), each with a key of its own
 * derived from the one in the key file. What is sealed opens only in the place that it was sealed for.
 */
export class Vault {
  readonly #sealing: Uint8Array;
  readonly #marking: (text: string) => string;
  /** Random bytes that no nonce was made of yet. */
  #nonces: Buffer = Buffer.alloc(0);

  constructor(key: Uint8Array) {
    this.#sealing = derive(key, "latchd seal");
    this.#marking = keyedHash(derive(key, "latchd fingerprint"));
  }

  /** @param place what the sealed value belongs to, e.g. `credential/<id>`. */
  seal(secret: Secret, place: string): Buffer {
    const nonce = this.#nonce();
    const cipher = createCipheriv("aes-256-gcm", this.#sealing, nonce).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(secret.reveal(), "utf8"), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]);
  }

  /** The system is asked for many at once: that takes as long as for one. */
  #nonce(): Buffer {
    if (this.#nonces.length < nonceBytes) this.#nonces = randomBytes(64 * nonceBytes);
    const nonce = this.#nonces.subarray(0, nonceBytes);
    this.#nonces = this.#nonces.subarray(nonceBytes);
    return nonce;
  }

  open(sealed: Uint8Array, place: string): Secret {
    const nonce = sealed.subarray(0, nonceBytes);
    const decipher = createDecipheriv("aes-256-gcm", this.#sealing, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(place))
      .setAuthTag(sealed.subarray(-tagBytes));
    try {
      const opened = Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
      return new Secret(opened.toString("utf8"));
    } catch {
      throw new StoreError(`What is sealed at ${place} does not open: it was changed, or the key is another`, {
        hint: "restore the database and its key file from the same backup",
      });
    }
  }

  fingerprint(credential: Credential): Fingerprint {
    const format = credential.kind === "card" ? credential.format : "";
    return branded<Fingerprint>(this.mark(["credential", credential.kind, format, secretOf(credential).reveal()]));
  }

  /** A keyed hash, hex: tells whether two texts are the same, and nothing else of them. */
  mark(parts: readonly string[]): string {
    return this.#marking(JSON.stringify(parts));
  }
}

const derive = (key: Uint8Array, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", key, new Uint8Array(0), purpose, 32));
