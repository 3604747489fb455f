import { z } from "zod";
import { weekdays } from "../../domain/weekly.ts";

/** A schedule as replies tell it. */
export const scheduleShape = z.array(
  z.strictObject({
    days: z.array(z.enum(weekdays)),
    from: z.string().describe("A time on the wall of the door, such as 22:00"),
    to: z.string().describe("At or before from: on the day after"),
  }),
);
