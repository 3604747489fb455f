import { z } from "zod";
import { command } from "./command.ts";

export const events = [
  command({
    name: "events/list",
    parameters: z.object({ after: z.int().min(0).default(0), limit: z.int().min(1).max(500).default(500) }),
    doors: ["mqtt", "http", "local"],
    method: "GET",
    kind: "reads",
    reveals: false,
    act: (records, { after, limit }) => ({ events: records.events(after, limit), epoch: records.epoch }),
  }),
];
