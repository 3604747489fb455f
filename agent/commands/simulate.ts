import { z } from "zod";
import type { Inside } from "../../drivers/driver.ts";
import { iso } from "./access-grant-object.ts";
import { type Body, worldCommand } from "./command.ts";
import { lock } from "./parameters.ts";
import { badInput } from "./refusal.ts";
import { scheduleToWire } from "./schedule.ts";

/** What can be done to a simulated lock, and to no other. */
export const simulate = [
  worldCommand({
    name: "simulate/fault",
    // What faults there are, and what can be set of them, is the simulator's to know.
    parameters: z.looseObject({ lock, fault: z.string().max(64), on: z.boolean().default(true) }),
    doors: ["local"],
    kind: "acts",
    async act(world, { lock: at, on, ...setting }) {
      const told = await world.fault(at, { on, setting });
      if ("problem" in told) throw badInput(told.problem);
      return { faults: told.faults };
    },
  }),
  worldCommand({
    name: "simulate/look",
    parameters: z.object({ lock }),
    doors: ["local"],
    kind: "acts",
    act: async (world, { lock: at }) => insideToWire(await world.look(at)),
  }),
];

const insideToWire = ({ slots, locked, battery, faults }: Inside): Body => ({
  slots: slots.map(({ when, ...slot }) => {
    const { startsAt, endsAt, weekly } = when === "always" ? {} : when;
    const schedule = weekly === undefined ? null : scheduleToWire(weekly);
    return { ...slot, starts_at: iso(startsAt), ends_at: iso(endsAt), schedule };
  }),
  locked,
  battery_level: battery,
  faults,
});
