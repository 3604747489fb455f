import { z } from "zod";
import { Secret } from "../../agent/domain/secret.ts";
import type { DriverState } from "../driver.ts";
import { decode } from "../shared/decode.ts";

const kept = z.object({ ours: z.array(z.number()), begun: z.array(z.number()) });

/**
 * The users of one User Credential lock that were added by us, kept over our end: a code needs a user first, and where we
 * end between the two, the user is left over. All others are the owner's.
 */
export class Users {
  /** Its identity. */
  readonly lock: string;
  readonly #state: DriverState;
  readonly #key: string;
  readonly #ours: Set<number>;
  readonly #begun: Set<number>;

  constructor(lock: string, state: DriverState) {
    this.lock = lock;
    this.#state = state;
    this.#key = `users.${lock}`;
    const { ours, begun } = decode(state.get(this.#key)?.reveal() ?? "", kept) ?? { ours: [], begun: [] };
    this.#ours = new Set(ours);
    this.#begun = new Set(begun);
  }

  isOurs(user: number): boolean {
    return this.#ours.has(user);
  }

  /** Those whose code may never have come. */
  get begun(): readonly number[] {
    return [...this.#begun];
  }

  /** Before a user is added. */
  begin(user: number): void {
    this.#ours.add(user);
    this.#begun.add(user);
    this.#keep();
  }

  /** The user has its code. */
  complete(user: number): void {
    if (this.#begun.delete(user)) this.#keep();
  }

  /** The user is not there any more, or was never ours. */
  end(user: number): void {
    const were = this.#ours.delete(user);
    if (this.#begun.delete(user) || were) this.#keep();
  }

  #keep(): void {
    this.#state.set(this.#key, new Secret(JSON.stringify({ ours: [...this.#ours], begun: [...this.#begun] })));
  }
}
