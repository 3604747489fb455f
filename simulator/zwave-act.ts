import { z } from "zod";
import { instant } from "../agent/domain/instant.ts";
import { type FaultName, type FaultSetting, faultNames, faultWith } from "./fault.ts";
import { type ZwaveMode, zwaveModes } from "./zwave-answers.ts";
import type { ZwaveLock } from "./zwave-lock.ts";

const slot = z.int().min(1);

/** What can be done to a lock, or happens at it. */
export const zwaveAct = z.discriminatedUnion("act", [
  z.strictObject({ act: z.literal("mode"), mode: z.enum(zwaveModes), at: z.literal("write").optional() }),
  faultWith({ act: z.literal("fault") }),
  z.strictObject({ act: z.literal("mend"), fault: z.enum(faultNames) }),
  z.strictObject({
    act: z.literal("notify"),
    event: z.int().min(0).max(255),
    user: z.int().min(0).max(255).optional(),
  }),
  z.strictObject({ act: z.literal("type"), digits: z.string() }),
  z.strictObject({ act: z.literal("opens"), digits: z.string(), at: z.number().optional() }),
  z.strictObject({ act: z.literal("turn"), to: z.enum(["locked", "unlocked"]) }),
  z.strictObject({ act: z.literal("travel"), ms: z.int().min(0).max(60_000) }),
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
      lock.change(act.mode, act.at);
      return {};
    case "fault":
    case "mend":
      return trouble(lock, act);
    case "notify":
      await lock.notify(act.event, act.user);
      return {};
    case "type":
      return userIs(await lock.type(act.digits));
    case "opens":
      return userIs(opens(lock, act));
    case "turn":
      await lock.turn(act.to);
      return {};
    case "travel":
      lock.bolt.travel = act.ms;
      return {};
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
      return inside(lock);
  }
}

const opens = (lock: ZwaveLock, { digits, at = Date.now() }: Extract<ZwaveAct, { readonly act: "opens" }>) =>
  lock.opens(digits, at);

const inside = (lock: ZwaveLock): object => ({
  ...lock.memory.held(),
  bolt: lock.bolt.place,
  wall: lock.clock.wall(Date.now()) ?? null,
});

const userIs = (user: number | undefined): object => ({ user: user ?? null });

function trouble(lock: ZwaveLock, act: Extract<ZwaveAct, { readonly act: "fault" | "mend" }>): object {
  if (act.act === "fault") {
    const { act: _, ...setting } = act;
    begin(lock, setting);
    return {};
  }
  if (modeOf.get(act.fault) === lock.mode) lock.mode = "ok";
  lock.faults.end(act.fault);
  return {};
}

/** Faults that are a mode of the whole lock here. */
const modeOf: ReadonlyMap<FaultName, ZwaveMode> = new Map([
  ["deaf", "dead"],
  ["masks_codes", "mask"],
  ["says_yes_stores_nothing", "lie"],
  ["refuses", "reject"],
]);
const ofTheWay: ReadonlySet<FaultName> = new Set(["slow", "loses_replies", "executes_late", "tells_nothing"]);
/** Faults that a bolt has alone, where a setting names it and nothing else. */
const ofTheBolt: ReadonlySet<FaultName> = new Set(["deaf", "says_yes_stores_nothing", "says_no_and_stores", "refuses"]);

function begin(lock: ZwaveLock, setting: FaultSetting): void {
  const { fault, ...options } = setting;
  const mode = modeOf.get(fault);
  if (mode !== undefined && Object.keys(options).length === 0) lock.mode = mode;
  else if (ofTheWay.has(fault) || (ofTheBolt.has(fault) && isOfBoltAlone(setting)))
    lock.faults.begin(setting, instant(Date.now()));
  else throw new Error(`a Z-Wave lock here cannot be so: ${JSON.stringify(setting)}`);
}

const isOfBoltAlone = ({ to = [] }: FaultSetting): boolean => to.length > 0 && to.every((kind) => kind === "bolt");
