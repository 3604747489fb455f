import { z } from "zod";
import { clockStatus } from "./agent.ts";
import { command, worldCommand } from "./command.ts";
import { Refused } from "./refusal.ts";
import { clockShape } from "./shapes/agent-status.ts";

export const clock = [
  command({
    name: "clock/get",
    parameters: z.object({}),
    returns: { clock: clockShape },
    doors: ["local"],
    kind: "reads",
    reveals: false,
    act: (_records, _parameters, { agent }) => ({ clock: clockStatus(agent().clock) }),
  }),
  worldCommand({
    name: "clock/confirm",
    parameters: z.object({}),
    returns: {},
    doors: ["local"],
    kind: "acts",
    async act(world) {
      if (world.confirmClock()) return {};
      throw new Refused("clock_before_build", "The clock is before this version of latchd was made: set it first", 409);
    },
  }),
];
