import { z } from "zod";
import type { PhysicalAct } from "../../drivers/driver.ts";
import { slotName } from "../domain/slot.ts";
import { type WorldCommand, worldCommand } from "./command.ts";
import { cardBits, cardFormat, digits, keys, lock } from "./parameters.ts";

const slot = z.string().min(1).max(128).transform(slotName);

const actCommand = <Shape extends z.ZodRawShape>(
  name: string,
  shape: Shape,
  actOf: (parameters: z.output<z.ZodObject<Shape>>) => PhysicalAct,
): WorldCommand =>
  worldCommand({
    name: `act/${name}`,
    parameters: z.intersection(z.object({ lock }), z.object(shape)),
    returns: { effect: z.enum(["opened", "denied", "done", "refused"]) },
    doors: ["local"],
    kind: "acts",
    act: (world, parameters) => world.act(parameters.lock, actOf(parameters)),
  });

/** What somebody does at a simulated lock: who wants to get in, the owner, or whoever is at its cables. */
export const act = [
  actCommand("type", { digits: keys }, (given) => ({ act: "type", digits: given.digits })),
  actCommand("card", { format: cardFormat, bits: cardBits }, ({ format, bits }) => ({ act: "card", format, bits })),
  actCommand("program", { digits, slot: slot.optional() }, (given) => ({
    act: "program",
    digits: given.digits,
    ...(given.slot === undefined ? {} : { slot: given.slot }),
  })),
  actCommand("delete", { slot }, (given) => ({ act: "delete", slot: given.slot })),
  actCommand("delete_all", {}, () => ({ act: "delete", slot: "all" })),
  actCommand("reset", {}, () => ({ act: "reset" })),
  actCommand("power", {}, () => ({ act: "power" })),
  actCommand("battery", { level: z.number().min(0).max(1) }, ({ level }) => ({ act: "battery", level })),
];
