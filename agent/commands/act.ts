import { z } from "zod";
import { worldCommand } from "./command.ts";
import { cardBits, cardFormat, digits } from "./parameters.ts";

const lock = z.string().min(1).max(128);

/** What a person does at a simulated lock. */
export const act = [
  worldCommand({
    name: "act/type",
    parameters: z.object({ lock, digits }),
    doors: ["local"],
    kind: "acts",
    act: (world, parameters) => world.act(parameters.lock, { act: "type", digits: parameters.digits }),
  }),
  worldCommand({
    name: "act/card",
    parameters: z.object({ lock, format: cardFormat, bits: cardBits }),
    doors: ["local"],
    kind: "acts",
    act: (world, { lock: at, format, bits }) => world.act(at, { act: "card", format, bits }),
  }),
];
