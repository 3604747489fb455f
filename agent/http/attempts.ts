import { isIPv6 } from "node:net";
import { type Instant, later, type Milliseconds } from "../domain/instant.ts";

const window: Milliseconds = 60_000;
const mostInWindow = 10;
/** Whoever has more addresses than that makes us forget the oldest. */
const mostAddresses = 1_000;

/** How often who was turned away, of late: by where from. */
export class Attempts {
  readonly #by = new Map<string, { count: number; readonly since: Instant }>();

  /** Counts one more; where that is too many, how long to wait. */
  wait(remote: string, now: Instant): Milliseconds | undefined {
    const from = placeOf(remote);
    const seen = this.#by.get(from);
    // A clock that was set back would make a minute as long as it likes.
    if (seen && now >= seen.since && now < later(seen.since, window)) {
      seen.count += 1;
      return seen.count > mostInWindow ? later(seen.since, window) - now : undefined;
    }
    this.#by.delete(from);
    this.#by.set(from, { count: 1, since: now });
    const [oldest] = this.#by.keys();
    if (this.#by.size > mostAddresses && oldest !== undefined) this.#by.delete(oldest);
    return undefined;
  }
}

/** One machine has as many IPv6 addresses as it likes, all in one network of 64 bits (RFC 4291, 2.5.4). */
function placeOf(remote: string): string {
  const plain = remote.replace(/^::ffff:(?=\d+\.)/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail = ""] = plain.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = plain.includes("::") ? 8 - groups.length - tail.split(":").filter((group) => group !== "").length : 0;
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...tail.split(":")];
  return all.slice(0, 4).join(":");
}
