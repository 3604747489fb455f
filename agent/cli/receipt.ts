import { z } from "zod";
import type { Clock } from "../../drivers/driver.ts";
import { later } from "../domain/instant.ts";
import type { Door } from "./door.ts";

const maybe = z.string().nullish();
const credential = z.looseObject({
  kind: maybe,
  state: z.string(),
  evidence: maybe,
  since: maybe,
  reason: maybe,
  hint: maybe,
  next: maybe,
});
const receipt = z.looseObject({
  user_identity_id: z.string(),
  device_id: z.string(),
  state: z.string(),
  credentials: z.array(credential),
});
/** Reply of `access/list`. */
export const receipts = z.object({ ok: z.literal(true), receipts: z.array(receipt) });
export type Receipt = z.output<typeof receipt>;

export interface Pair {
  readonly user_identity_id: string;
  readonly device_id: string;
}

const patienceMs = 10_000;
const glanceMs = 200;

/** Looks at one receipt until it is `settled`, for 10 s at most. Undefined: there is none (any more). */
export async function watch(
  door: Door,
  clock: Clock,
  pair: Pair,
  settled: (state: string | undefined) => boolean,
): Promise<Receipt | undefined> {
  const until = later(clock.now(), patienceMs);
  for (;;) {
    const found = (await door.ask("access/list", pair, receipts)).receipts.at(0);
    if (settled(found?.state) || clock.now() >= until) return found;
    await clock.sleep(glanceMs);
  }
}

const proofs: Readonly<Record<string, string>> = {
  decided_here: "the agent itself decides at this door",
  read_back: "read back from the lock",
  read_back_masked: "the lock shows that a code is there, but not which",
  acknowledged: "the lock said yes, and cannot be asked again",
  never_sent: "it was never sent to the lock",
  written_off: "an operator wrote it off",
};

/** What a state rests on, in words. Empty where nothing is said. */
export function proofOf({ state, credentials }: Receipt): string {
  const evidence = credentials.find((one) => one.state === state && one.evidence)?.evidence;
  return evidence ? (proofs[evidence] ?? evidence) : "";
}

/** What is in the way, in words: `waiting: lock_offline, wake the lock`. */
export function standOf({ state, credentials }: Receipt): string {
  const { reason, hint } = credentials.find((one) => one.state === state) ?? {};
  const why = [reason, hint].filter((word) => word);
  return why.length === 0 ? state : `${state}: ${why.join(", ")}`;
}
