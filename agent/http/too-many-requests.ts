import { Refused } from "../commands/refusal.ts";
import type { Milliseconds } from "../domain/instant.ts";

/** Who was turned away too often has to wait before anything is looked at again. */
export class TooManyRequests extends Refused {
  /** For the header `retry-after` (RFC 9110, 10.2.3). */
  readonly seconds: number;

  constructor(wait: Milliseconds) {
    super("too_many_requests", "Too many requests without a valid key: wait for a minute", 429);
    this.seconds = Math.max(1, Math.ceil(wait / 1000));
  }
}
