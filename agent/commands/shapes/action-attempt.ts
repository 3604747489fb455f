import { z } from "zod";

/** As Seam's catalogue has it: one object for each action and how it stands. */
const standing = (type: "LOCK_DOOR" | "UNLOCK_DOOR") => {
  const of = { action_attempt_id: z.string(), action_type: z.enum([type]) };
  const error = z.strictObject({ type: z.string(), message: z.string() });
  const result = z.strictObject({
    was_confirmed_by_device: z.boolean().describe("Whether the lock itself has said where its bolt is"),
  });
  return [
    z.strictObject({ ...of, status: z.enum(["pending"]), result: z.null(), error: z.null() }),
    z.strictObject({ ...of, status: z.enum(["success"]), result, error: z.null() }),
    z.strictObject({ ...of, status: z.enum(["error"]), result: z.null(), error }),
  ] as const;
};

export const actionAttemptShape = z
  .union([...standing("LOCK_DOOR"), ...standing("UNLOCK_DOOR")])
  .meta({ id: "action_attempt", description: "Somebody wanted a door locked or unlocked, and what came of it" });
