import type { z } from "zod";

/** A value of the schema from JSON text: undefined where it is not JSON, or not of that shape. */
export function decode<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
