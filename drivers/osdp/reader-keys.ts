import { readFileSync } from "node:fs";
import { z } from "zod";
import { Secret } from "../../agent/domain/secret.ts";
import { isMissing } from "../../agent/errors.ts";
import { type DriverState, LinkError } from "../driver.ts";
import { decode } from "../shared/decode.ts";
import type { Happening } from "./happening.ts";
import { Key } from "./key.ts";
import { weakness } from "./key-strength.ts";

const hex = z.string().regex(/^[0-9a-fA-F]{32}$/);
const file = z.record(z.string(), hex);
const kept = z.object({ keys: z.array(hex), imported: hex.optional() });
type Kept = z.infer<typeof kept>;

/** The keys that the readers of a line may have, sealed; of each the likeliest first. */
export class ReaderKeys {
  readonly #state: DriverState;

  /**
   * Keys that are in the file, and were not before, come first from now on.
   *
   * @throws LinkError where the file cannot be read, holds something else, or a key that is not to be used; without quoting it.
   */
  constructor(state: DriverState, path: string | undefined) {
    this.#state = state;
    for (const [address, key] of Object.entries(path === undefined ? {} : read(path))) this.#import(address, key);
  }

  of(address: string): readonly Key[] {
    return this.#kept(address).keys.map((key) => new Key(Buffer.from(key, "hex")));
  }

  /** What has the keys of one address may be at another from now on, too. */
  keepAt(address: string, other: string): void {
    const { keys, ...rest } = this.#kept(other);
    this.#keep(other, { ...rest, keys: [...new Set([...this.#kept(address).keys, ...keys])] });
  }

  /** What a session tells of keys: the one that is sent is kept beside the others, and then only the one that is proven. */
  mind(address: string, happening: Happening): void {
    if (happening.happening === "key_sent") this.#add(address, happening.key);
    if (happening.happening === "key_proven")
      this.#keep(address, { ...this.#kept(address), keys: [textOf(happening.key)] });
  }

  #add(address: string, key: Key): void {
    const { keys, ...rest } = this.#kept(address);
    this.#keep(address, { ...rest, keys: [...new Set([textOf(key), ...keys])] });
  }

  #import(address: string, key: string): void {
    const weak = weakness(new Key(Buffer.from(key, "hex")));
    if (weak !== undefined) {
      throw new LinkError(`the key of reader ${address} in keys_file is not to be used: ${weak}`, {
        sent: false,
        hint: "give the reader a key of 16 random bytes",
      });
    }
    const { keys, imported } = this.#kept(address);
    if (imported !== key) this.#keep(address, { keys: [...new Set([key, ...keys])], imported: key });
  }

  #kept(address: string): Kept {
    const sealed = this.#state.get(`reader/${address}`);
    return (sealed && decode(sealed.reveal(), kept)) ?? { keys: [] };
  }

  #keep(address: string, what: Kept): void {
    this.#state.set(`reader/${address}`, new Secret(JSON.stringify(what)));
  }
}

const textOf = (key: Key): string => Buffer.from(key.reveal()).toString("hex");

/** The keys of the file; none where it is gone: what was in it is sealed. */
function read(path: string): z.infer<typeof file> {
  const keys = decode(contentOf(path), file);
  if (keys) return Object.fromEntries(Object.entries(keys).map(([address, key]) => [address, key.toLowerCase()]));
  throw new LinkError(`keys_file ${path} does not hold keys of readers`, {
    sent: false,
    hint: 'it must be JSON such as {"0":"…","1":"…"}, each key 32 hexadecimal digits',
  });
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return "{}";
    throw new LinkError(`cannot read keys_file ${path}`, { sent: false, hint: "check its path and owner", cause });
  }
}
