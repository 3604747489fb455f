import { expect } from "vitest";
import { type ActOutcome, LinkError } from "../../drivers/driver.ts";
import { eventually } from "../support/host.ts";

/** Whether nobody knows what came of it. */
export const isOpen = (told: ActOutcome | LinkError): boolean => told instanceof LinkError || told.result === "unknown";

/** What moving a bolt has come to: an outcome, or silence. */
export async function ended(work: Promise<ActOutcome>): Promise<ActOutcome | LinkError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LinkError) return error;
    throw error;
  }
}

/**
 * What became of `work` where it was given up once its command was at the lock, or it had come to its end without one: what
 * is still on its way then would be done by a lock that is mended meanwhile.
 */
export async function givenUp(
  work: (signal: AbortSignal) => Promise<ActOutcome>,
  isAtLock: () => boolean | Promise<boolean>,
): Promise<ActOutcome | LinkError> {
  const controller = new AbortController();
  let isOver = false;
  const ending = ended(work(controller.signal)).finally(() => {
    isOver = true;
  });
  await eventually("the command at the lock", async () => (isOver || (await isAtLock()) ? true : undefined));
  const from = performance.now();
  controller.abort(new LinkError("its time is over"));
  const told = await ending;
  expect(performance.now() - from).toBeLessThan(1_000);
  return told;
}
