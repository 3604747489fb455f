import { z } from "zod";
import type { Inside } from "../../drivers/driver.ts";
import { iso } from "./access-grant-object.ts";
import { type Body, worldCommand } from "./command.ts";
import { lock } from "./parameters.ts";
import { badInput } from "./refusal.ts";
import { scheduleToWire } from "./schedule.ts";
import { utc } from "./shapes/instant.ts";
import { scheduleShape } from "./shapes/schedule.ts";

const slotShape = z.strictObject({
  slot: z.string(),
  kind: z.enum(["pin", "card"]),
  label: z.string(),
  disabled: z.boolean(),
  opens: z.boolean(),
  starts_at: utc.nullable(),
  ends_at: utc.nullable(),
  schedule: scheduleShape.nullable(),
});

/** What can be done to a simulated lock, and to no other. */
export const simulate = [
  worldCommand({
    name: "simulate/fault",
    // What faults there are, and what can be set of them, is the simulator's to know.
    parameters: z.looseObject({ lock, fault: z.string().max(64), on: z.boolean().default(true) }),
    returns: { faults: z.array(z.looseObject({})) },
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
    returns: {
      slots: z.array(slotShape),
      locked: z.boolean(),
      battery_level: z.number(),
      faults: z.array(z.looseObject({})),
    },
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
