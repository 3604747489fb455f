import { z } from "zod";
import { utc } from "./instant.ts";

export const eventShape = z
  .looseObject({
    event_id: z.string(),
    epoch: z.string().describe("The database in which number counts"),
    number: z.int().describe("Without a gap"),
    event_type: z.string(),
    occurred_at: utc,
    created_at: utc,
    workspace_id: z.string(),
    code: z.null().describe("Events never hold a code"),
  })
  .meta({ id: "event", description: "Something that happened, with the ids that it is about" });
