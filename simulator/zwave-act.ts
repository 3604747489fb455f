import { z } from "zod";
import { zwaveModes } from "./zwave-answers.ts";
import type { ZwaveLock } from "./zwave-lock.ts";

const slot = z.int().min(1);

/** What can be done to a lock, or happens at it. */
export const zwaveAct = z.discriminatedUnion("act", [
  z.strictObject({ act: z.literal("mode"), mode: z.enum(zwaveModes) }),
  z.strictObject({
    act: z.literal("notify"),
    event: z.int().min(0).max(255),
    user: z.int().min(0).max(255).optional(),
  }),
  z.strictObject({ act: z.literal("type"), digits: z.string() }),
  z.strictObject({ act: z.literal("opens"), digits: z.string(), at: z.number().optional() }),
  z.strictObject({ act: z.literal("clock"), stubborn: z.boolean() }),
  z.strictObject({ act: z.literal("ask_time") }),
  z.strictObject({ act: z.literal("program"), slot, digits: z.string().optional() }),
  z.strictObject({ act: z.literal("battery"), level: z.int().min(0).max(100) }),
  z.strictObject({ act: z.literal("forget") }),
  z.strictObject({ act: z.literal("look") }),
]);
export type ZwaveAct = z.infer<typeof zwaveAct>;

/** Does it; what is to be told of it. PINs are in what `look` tells, and in nothing else. */
export async function perform(lock: ZwaveLock, act: ZwaveAct): Promise<object> {
  switch (act.act) {
    case "mode":
      lock.mode = act.mode;
      return {};
    case "notify":
      await lock.notify(act.event, act.user);
      return {};
    case "type":
      return { user: (await lock.type(act.digits)) ?? null };
    case "opens":
      return { user: lock.opens(act.digits, act.at ?? Date.now()) ?? null };
    case "clock":
      lock.clock.isStubborn = act.stubborn;
      return {};
    case "ask_time":
      await lock.askTime();
      return {};
    case "program":
      await lock.program(act.slot, act.digits);
      return {};
    case "battery":
      await lock.discharge(act.level);
      return {};
    case "forget":
      lock.forget();
      return {};
    case "look":
      return { ...lock.memory.held(), wall: lock.clock.wall(Date.now()) ?? null };
  }
}
