import { type ActOutcome, LinkError } from "../../drivers/driver.ts";

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
