import { createHash } from "node:crypto";
import { join } from "node:path";
import { type LockModel } from "../../simulator/lock.ts";
import { LyingLock } from "../../simulator/lying-lock.ts";
import { defineDriver, type Host, LinkError } from "../driver.ts";
import { readChip, readCondition, writeKept } from "./chip.ts";
import { SimulatedDoor } from "./door.ts";
import { type Options, options } from "./options.ts";

/** A lock in this process, with its memory in a file of its own, as hardware has: a door for trying things at. */
export default defineDriver({
  name: "simulated",
  options,

  async open(given, host) {
    const closing = new AbortController();
    const doors = new Map<string, SimulatedDoor>();
    const doorAt = (address: string): SimulatedDoor => {
      const known = doors.get(address);
      if (known) return known;
      const made = doorOf(address, given, host, closing.signal);
      doors.set(address, made);
      return made;
    };
    return {
      atOnce: "unlimited",
      lock: (address) => doorAt(address).device,
      act: async (address, act) => doorAt(address).act(act),
      fault: async (address, change) => doorAt(address).fault(change),
      look: async (address) => doorAt(address).look(),
      async [Symbol.asyncDispose]() {
        closing.abort(new LinkError("the link was closed"));
        doors.clear();
      },
    };
  },
});

function doorOf(address: string, given: Options, host: Host, closing: AbortSignal): SimulatedDoor {
  const file = join(host.state.directory, encodeURIComponent(address));
  const [memory, condition] = [`${file}.json`, `${file}.condition.json`];
  const lock = new LyingLock(modelOf(given), readChip(memory), readCondition(condition), seedOf(address, given.seed));
  return new SimulatedDoor({
    address,
    lock,
    host,
    timeout: given.timeout_ms,
    hasBolt: given.bolt,
    isReader: given.memory === "none",
    closing,
    keepMemory: () => writeKept(memory, lock.chip),
    keepCondition: () => writeKept(condition, lock.condition(host.clock.now())),
  });
}

const minute = 60_000;
/** As Z-Wave's Schedule Entry Lock has them, and some more of them. */
const weekly = { perEntry: 14, of: "days", resolution: 1 } as const;
const windowsOf = {
  none: "none",
  dates: { dates: minute, together: false, base: "local" },
  weekly: { weekly, together: false, base: "local" },
  both: { dates: minute, weekly, together: true, base: "local" },
} as const satisfies Readonly<Record<Options["windows"], LockModel["windows"]>>;

const modelOf = ({ memory, slots, kinds, lengths, rules, suspends, ...given }: Options): LockModel => ({
  memory,
  slots,
  kinds,
  lengths,
  rules,
  suspends,
  readBack: given.read_back,
  windows: windowsOf[given.windows],
  settles: given.settles_seconds === undefined ? undefined : given.settles_seconds * 1_000,
});

/** No two locks of a link have the same bad luck. */
const seedOf = (address: string, seed: number): number =>
  createHash("sha256").update(`${seed} ${address}`).digest().readInt32BE();
