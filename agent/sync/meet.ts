import { LinkError, type LockDevice } from "../../drivers/driver.ts";
import { type DeviceId, lockId } from "../domain/ids.ts";
import type { Acquaintance } from "./acquaintance.ts";
import { within } from "./deadline.ts";
import { type Surroundings, stepTimeout } from "./surroundings.ts";

/**
 * Asks the lock at a device who it is and what it can do: before anything is done to it or said of it, and again whenever
 * another may stand there.
 *
 * @throws LinkError where it is silent, or says that it is the lock that another device is known to have.
 */
export async function meet(
  device: DeviceId,
  lock: LockDevice,
  known: Acquaintance,
  around: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock } = around;
  // Before it answers: what is heard of it meanwhile is a reason to ask once more.
  known.asked = true;
  known.lock = undefined;
  const abilities = await within(stepTimeout, clock, signal, (both) => lock.abilities(both));
  const id = lockId(abilities.identity);
  const other = around.claimed(id, device);
  if (other !== undefined) {
    throw new LinkError(`the lock says that it is ${id}, and so does the lock of device ${other}`, {
      hint: "where both are one lock, configure it once; where they are two, their driver cannot tell them apart",
    });
  }
  if (ledger.lockAt(device) !== id) known.forget();
  for (const left of ledger.learn(device, abilities, known.takeSent(clock.now()))) around.due(left);
  around.committed();
  known.lock = id;
  ledger.heard(device, true);
  for (const slot of known.foreign) ledger.happened(device, { suspect: slot, foreign: true, awake: true, events: [] });
  known.foreign.clear();
}
