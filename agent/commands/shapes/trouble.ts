import { z } from "zod";
import { utc } from "./instant.ts";

const said = { message: z.string(), created_at: utc.nullable() };

/** What keeps something from being as it should. */
export const trouble = z.strictObject({
  error_code: z.string(),
  ...said,
  is_access_code_error: z.boolean().optional(),
  is_device_error: z.boolean().optional(),
});

export const warning = z.strictObject({ warning_code: z.string(), ...said, device_id: z.string().optional() });
