import { join } from "node:path";
import { setImmediate as othersTurn } from "node:timers/promises";
import { z } from "zod";
import type { Abilities } from "../../agent/domain/abilities.ts";
import { type Credential, credentialKinds } from "../../agent/domain/credential.ts";
import { pinRules } from "../../agent/domain/pin-rule.ts";
import { type LockModel, SimulatedLock } from "../../simulator/lock.ts";
import {
  type ActEffect,
  defineDriver,
  type Host,
  type LockDevice,
  type PhysicalAct,
  type WriteOutcome,
} from "../driver.ts";
import { readChip, writeChip } from "./chip.ts";

/** How the simulated locks of a link are built. */
const options = z.strictObject({
  memory: z.enum(["numbered", "assigned", "keyed"]).default("numbered"),
  slots: z.int().min(1).max(10_000).default(30),
  kinds: z.array(z.enum(credentialKinds)).min(1).default(["pin"]),
  lengths: z.array(z.int().min(1).max(16)).min(1).default([4, 5, 6, 7, 8]),
  rules: z.array(z.enum(pinRules)).default([]),
  read_back: z.enum(["full", "masked", "occupancy", "none"]).default("full"),
  windows: z.enum(["none", "dates", "weekly", "both"]).default("none"),
  suspends: z.boolean().default(false),
});

const minute = 60_000;
/** As Z-Wave's Schedule Entry Lock has them, and some more of them. */
const weekly = { perEntry: 14, of: "days", resolution: 1 } as const;
const windowsOf = {
  none: "none",
  dates: { dates: minute, together: false, base: "local" },
  weekly: { weekly, together: false, base: "local" },
  both: { dates: minute, weekly, together: true, base: "local" },
} as const satisfies Readonly<Record<string, LockModel["windows"]>>;

/** A lock in this process, with its memory in a file of its own, as hardware has: a door for trying things at. */
export default defineDriver({
  name: "simulated",
  options,

  async open({ read_back: readBack, windows, ...build }, host) {
    const locks = new Map<string, ReturnType<typeof simulate>>();
    const lockAt = (address: string): ReturnType<typeof simulate> => {
      const known = locks.get(address);
      if (known) return known;
      const made = simulate(address, { ...build, readBack, windows: windowsOf[windows] }, host);
      locks.set(address, made);
      return made;
    };
    return {
      atOnce: "unlimited",
      lock: (address) => lockAt(address).device,
      act: async (address, act) => lockAt(address).act(act),
      async [Symbol.asyncDispose]() {
        locks.clear();
      },
    };
  },
});

function simulate(
  address: string,
  model: LockModel,
  host: Host,
): { device: LockDevice; act(act: PhysicalAct): Promise<ActEffect> } {
  const file = join(host.state.directory, `${encodeURIComponent(address)}.json`);
  const lock = new SimulatedLock(model, readChip(file));
  const kept = (outcome: WriteOutcome): WriteOutcome => {
    writeChip(file, lock.chip);
    return outcome;
  };
  return {
    device: {
      abilities: async (): Promise<Abilities> => ({
        identity: lock.chip.serial,
        model: "simulated",
        memory: lock.limits,
      }),
      memory: {
        // Real locks take their time, in which others have a turn.
        write: async (entry, at) => othersTurn().then(() => kept(lock.write(entry, at))),
        clear: async (slot) => othersTurn().then(() => kept(lock.clear(slot))),
        ...(model.suspends
          ? { enable: async (slot, _, on) => othersTurn().then(() => kept(lock.enable(slot, on))) }
          : {}),
        ...(model.readBack === "none"
          ? {}
          : {
              read: async (slot) => lock.read(slot),
              async *list() {
                yield* lock.list();
              },
            }),
      },
    },
    async act(act) {
      const slot = lock.present(presented(act), host.clock.now());
      const from = { at: host.clock.now(), address } as const;
      if (slot === undefined) {
        await host.report({ ...from, event: "denied", reason: "unknown_code" });
        return { effect: "denied" };
      }
      await host.report({ ...from, event: "unlocked", method: act.act === "type" ? "keypad" : "card", slot });
      return { effect: "opened" };
    },
  };
}

const presented = (act: PhysicalAct): Credential =>
  act.act === "type" ? { kind: "pin", digits: act.digits } : { kind: "card", format: act.format, bits: act.bits };
