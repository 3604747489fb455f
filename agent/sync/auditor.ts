import type { MemoryLimits } from "../domain/abilities.ts";
import { type Audit, audited, nextAudit, usualReads } from "../domain/audit.ts";
import type { DeviceId } from "../domain/ids.ts";
import { type Instant, instant, type Milliseconds } from "../domain/instant.ts";
import type { LockState, Step } from "../domain/plan.ts";
import type { Auditable, Ledger } from "./ledger.ts";

/** How often it is written down how many reads there were: where a lock is read every minute, not each time. */
const notedEvery: Milliseconds = 10 * 60_000;

/** So long others on the wire come first. */
const awaitedPause: Milliseconds = 1_000;

/**
 * Looks at what is on a lock and in no doubt, a slot at a time, so that what nobody has told of is found: one after the other,
 * and then again, within what the lock bears in a day.
 */
export class Auditor {
  readonly #device: DeviceId;
  #last: Auditable | undefined;
  #audit: Audit | undefined;
  #noted: Instant | undefined;

  constructor(device: DeviceId) {
    this.#device = device;
  }

  /**
   * What is to be looked at now, or when something will be; neither where there is nothing, or the lock cannot be asked.
   * What is given is counted, also where the lock does not answer.
   *
   * @param isAwaited another lock on the wire has something to do, which comes first.
   */
  look(
    { limits, can, now }: Pick<LockState, "limits" | "can" | "now">,
    ledger: Ledger,
    isAwaited: boolean,
  ): { readonly step?: Step; readonly next?: Instant } {
    const following = can.read ? ledger.auditable(this.#device, this.#last) : undefined;
    if (!following) return {};
    const next = nextAudit(this.#known(ledger), this.#perDay(limits, ledger), now);
    if (next === undefined) return {};
    if (next > now || isAwaited) return { next: instant(Math.max(next, now + awaitedPause)) };
    this.#last = following;
    this.#count(ledger, now);
    return { step: { do: "verify", placement: following.id, slot: following.slot } };
  }

  #count(ledger: Ledger, now: Instant): void {
    this.#audit = audited(this.#known(ledger), now);
    if (this.#noted !== undefined && Math.abs(now - this.#noted) < notedEvery) return;
    this.#noted = now;
    ledger.audited(this.#device, this.#audit);
  }

  #known(ledger: Ledger): Audit {
    this.#audit ??= ledger.audit(this.#device);
    return this.#audit;
  }

  #perDay({ cost }: MemoryLimits, ledger: Ledger): number {
    return ledger.auditReads(this.#device) ?? usualReads[cost.read];
  }
}
