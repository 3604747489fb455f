import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../agent/domain/instant.ts";
import { sameWhen, type TimedWindow, type When } from "../../../agent/domain/lock-window.ts";
import { isOpen } from "../../../agent/domain/schedule.ts";
import { Secret } from "../../../agent/domain/secret.ts";
import { slotName } from "../../../agent/domain/slot.ts";
import { TimeZone } from "../../../agent/domain/time-zone.ts";
import { type DriverState, LinkError, type WriteOutcome } from "../../../drivers/driver.ts";
import {
  abilityOf,
  type DailyEntry,
  isScheduled,
  noSchedules,
  type ScheduleKind,
  type Schedules,
  type SlotCounts,
  type WeekDayEntry,
  whenOf,
  type YearDayEntry,
} from "../../../drivers/zwave/codec-schedule.ts";
import { userStatus } from "../../../drivers/zwave/codec-user-code.ts";
import type { Ask, Pin } from "../../../drivers/zwave/conversation.ts";
import { LockTime } from "../../../drivers/zwave/lock-time.ts";
import { Looks } from "../../../drivers/zwave/looks.ts";
import { type UserCodeVerbs, userCodeWork } from "../../../drivers/zwave/memory-user-code.ts";
import { WindowedMemory } from "../../../drivers/zwave/memory-windowed.ts";
import { ScheduleMemory, type ScheduleVerbs } from "../../../drivers/zwave/schedule-memory.ts";
import { hurriedClock } from "../../support/host.ts";

const zone = new TimeZone("Asia/Kolkata");
const slot = slotName("5");
const ask: Ask = (command) => command();
const clock = hurriedClock(1);
const pin = (digits: string): Pin => ({ kind: "pin", digits: new Secret(digits) });
const local = (iso: string): Instant => instant(Date.parse(`${iso}:00+05:30`));
const timed = (of: Partial<TimedWindow>): TimedWindow => ({
  startsAt: undefined,
  endsAt: undefined,
  weekly: undefined,
  zone: zone.name,
  ...of,
});

const whens: Readonly<Record<string, When>> = {
  always: "always",
  december: timed({ startsAt: local("2030-12-01T00:00"), endsAt: local("2031-01-01T00:00") }),
  office: timed({ weekly: [{ days: ["mon", "tue", "wed"], from: 480, to: 1050 }] }),
  evenings: timed({ weekly: [{ days: ["tue", "fri"], from: 1080, to: 1320 }] }),
};
/** Of each window there are some of these in it, and some that are not: mondays and tuesdays, in december and not. */
const moments = [
  "2030-12-02T12:00",
  "2030-12-03T19:00",
  "2030-11-05T10:00",
  "2030-11-08T20:00",
  "2030-11-10T03:00",
].map(local);

/** What may become of one command. `ignored`: the lock says yes to it, and does nothing. */
const faults = ["unheard", "lost", "unacknowledged", "ignored"] as const;
type Fault = (typeof faults)[number];
interface Make {
  readonly suspends: boolean;
  readonly counts: SlotCounts;
  /** Windows are of users who have a code, and go with it. */
  readonly needsCode?: true;
  /** A code is denied once its window was taken away. */
  readonly denies?: true;
  /** A code that is written takes away the user's windows. */
  readonly wipes?: true;
}

const stateOf = (kept: Map<string, Secret>): DriverState => ({
  get: (key) => kept.get(key),
  set: (key, value) => void kept.set(key, value),
  delete: (key) => void kept.delete(key),
  directory: "",
});

/** A lock that does what it is told, but for one command. */
class TimedLock {
  readonly make: Make;
  code: { readonly digits: string; readonly isOn: boolean; wasTimed: boolean } | undefined;
  commands = 0;
  fault: { readonly at: number; readonly how: Fault } | undefined;
  /** Looks at the door after each command. */
  watch: () => void = () => undefined;
  /** What the driver keeps of it. */
  readonly time: LockTime;
  readonly #weekDays: (WeekDayEntry | undefined)[] = [];
  readonly #yearDays: (YearDayEntry | undefined)[] = [];
  readonly #daily: (DailyEntry | undefined)[] = [];
  #inEffect: ScheduleKind | undefined;

  constructor(make: Make) {
    this.make = make;
    this.time = new LockTime("zwave-1", stateOf(new Map()), clock);
    this.time.moveTo(zone);
  }

  get entries(): Schedules {
    return { weekDays: this.#weekDays, yearDays: this.#yearDays, daily: this.#daily };
  }

  opens(digits: string, moment: Instant): boolean {
    if (!this.code?.isOn || this.code.digits !== digits) return false;
    const kind = this.#inEffect;
    const when = kind === undefined ? "always" : whenOf({ ...noSchedules, [kind]: this.entries[kind] }, zone);
    return when === "always" ? !(this.make.denies && this.code.wasTimed) : isOpen(when, zone, moment);
  }

  readonly codes: UserCodeVerbs = {
    get: () =>
      this.#does(() => {
        if (!this.code) return { userIdStatus: userStatus.available, userCode: "" };
        const { digits, isOn } = this.code;
        return { userIdStatus: isOn ? userStatus.enabled : userStatus.disabled, userCode: digits };
      }),
    set: (_, as, digits) =>
      this.#does(() => {
        if (this.make.wipes) this.wipe();
        const wasTimed = this.code?.wasTimed ?? isScheduled(this.entries);
        this.code = { digits, isOn: as === "enabled", wasTimed };
        return yes;
      }, yes),
    clear: () =>
      this.#does(() => {
        if (this.make.needsCode) this.wipe();
        this.code = undefined;
        return yes;
      }, yes),
  };

  readonly schedules: ScheduleVerbs = {
    weekDays: this.#verbs("weekDays", this.#weekDays),
    yearDays: this.#verbs("yearDays", this.#yearDays),
    daily: this.#verbs("daily", this.#daily),
  };

  #verbs<Entry>(kind: ScheduleKind, slots: (Entry | undefined)[]) {
    return {
      get: (_: number, at: number) => this.#does(() => ({ entry: slots[at - 1] })),
      set: (_: number, at: number, entry: Entry | undefined) =>
        this.#does(() => {
          if (this.make.needsCode && !this.code) return { status: 2 };
          slots[at - 1] = entry;
          if (entry) this.#inEffect = kind;
          if (entry && this.code) this.code.wasTimed = true;
          return yes;
        }, yes),
    };
  }

  wipe(): void {
    for (const slots of [this.#weekDays, this.#yearDays, this.#daily]) slots.length = 0;
    this.#inEffect = undefined;
  }

  /** @param ignored what it says where it does nothing; a question cannot be ignored so. */
  async #does<T>(execute: () => T, ignored?: T): Promise<T | undefined> {
    const how = ++this.commands === this.fault?.at ? this.fault.how : undefined;
    const answer = how === undefined || how === "lost" ? execute() : undefined;
    this.watch();
    if (how === "unacknowledged") throw new LinkError("it does not acknowledge");
    if (how === "ignored") return ignored === undefined ? execute() : ignored;
    return how === undefined ? answer : undefined;
  }
}

const yes = { status: 255 };

/** The driver's view of a lock, which remembers nothing but what it keeps on disk. */
function memoryOf(lock: TimedLock): WindowedMemory {
  const { time } = lock;
  const { counts, suspends } = lock.make;
  const { slots, schedules, doubts } = new Looks(clock);
  const codes = userCodeWork({
    who: "it",
    slots: 9,
    isSupervised: true,
    suspends,
    verbs: lock.codes,
    seen: slots,
    duplicates: () => 0,
    heard: () => undefined,
  });
  return new WindowedMemory({
    who: "it",
    codes,
    schedules: new ScheduleMemory({ verbs: lock.schedules, counts, isSupervised: true, seen: schedules }),
    counts,
    ability: time.losesWindows ? "none" : abilityOf(counts, "date"),
    time,
    zone,
    doubts,
    async setClock(wanted) {
      time.moveTo(wanted);
      return true;
    },
    lost: () => time.lose(),
  });
}

const days: SlotCounts = { weekDays: 3, yearDays: 1, daily: 0 };
const several: SlotCounts = { weekDays: 1, yearDays: 1, daily: 2 };
const makes: readonly (readonly [string, Make])[] = [
  ["that cannot suspend a code", { suspends: false, counts: days }],
  ["that can suspend a code", { suspends: true, counts: several }],
  ["that has windows of codes only", { suspends: true, counts: several, needsCode: true }],
  ["that denies a code whose window was taken away", { suspends: true, counts: days, needsCode: true, denies: true }],
];
const [old, fresh] = ["0471", "5822"];
const names = Object.keys(whens);

/** What is in the slot before: nothing, or a code with each window. */
async function locked(make: Make, before: string): Promise<TimedLock> {
  const lock = new TimedLock(make);
  if (before === "nothing") return lock;
  const outcome = await memoryOf(lock).write({ credential: pin(old), when: whens[before] ?? "always" }, slot, ask);
  expect(outcome).toMatchObject({ result: "stored" });
  return lock;
}

const isWithin = (when: When, moment: Instant): boolean => when === "always" || isOpen(when, zone, moment);
/** At which of the moments a code opens. */
const openings = (lock: TimedLock, digits: string): Instant[] => moments.filter((moment) => lock.opens(digits, moment));
const within = (when: When): Instant[] => moments.filter((moment) => isWithin(when, moment));

/** What was done, or the silence that it ended with. */
async function tried(work: Promise<WriteOutcome>): Promise<WriteOutcome | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LinkError) return undefined;
    throw error;
  }
}

/**
 * Does it again and again on a lock like that, with each command in turn going wrong, until none is left to; and looks
 * after each command that no code opens when it should not.
 */
async function withEachFault(
  make: Make,
  before: string,
  allowed: Readonly<Record<string, When>>,
  act: (lock: TimedLock, memory: WindowedMemory) => Promise<void>,
): Promise<void> {
  let times = 0;
  const open = Object.entries(allowed).map(([digits, when]) => [digits, new Set(within(when))] as const);
  for (const how of faults) {
    for (let at = 1, isOver = false; !isOver; at++) {
      const lock = await locked(make, before);
      const wrong: string[] = [];
      lock.commands = 0;
      lock.fault = { at, how };
      lock.watch = () => {
        for (const [digits, when] of open)
          if (openings(lock, digits).some((each) => !when.has(each))) wrong.push(digits);
      };
      await act(lock, memoryOf(lock));
      expect({ how, at, wrong }).toEqual({ how, at, wrong: [] });
      isOver = lock.commands < at;
      times += 1;
    }
  }
  expect(times).toBeGreaterThan(faults.length);
}

describe.each(makes)("a lock %s", (_, make) => {
  test.each([
    ["nothing", "december"],
    ["nothing", "office"],
    ["always", "office"],
    ["december", "office"],
    ["office", "december"],
    ["office", "evenings"],
    ["december", "always"],
    ["office", "always"],
  ])(
    "over %s: write() with %s never lets a code open elsewhere, says what is so, and can be done again",
    async (before, name) => {
      const when = whens[name] ?? "always";
      const entry = { credential: pin(fresh), when };
      await withEachFault(make, before, { [old]: whens[before] ?? "always", [fresh]: when }, async (lock, memory) => {
        const outcome = await tried(memory.write(entry, slot, ask));
        const isKept = isDeepStrictEqual(openings(lock, fresh), within(when));
        // A silence in the middle is never a refusal.
        expect(outcome?.result === "refused" && lock.fault?.how !== "ignored").toBe(false);
        lock.fault = undefined;
        const again = memoryOf(lock);
        const now = await again.read(slot, ask);
        const code = now.state === "known" && now.credential.kind === "pin" && now.credential.digits.reveal();
        const isSame = "when" in now && now.when && sameWhen(now.when, when, instant(0)) && !now.disabled;
        const isStored = outcome?.result === "stored";
        expect([isKept, isSame && code === fresh]).toEqual(isStored ? [true, true] : [isKept, isKept]);
        const rewritten = await again.write(entry, slot, ask);
        // One that lied of a window gets none any more.
        const isDone = when === "always" || !lock.time.losesWindows;
        expect(rewritten).toMatchObject(isDone ? { result: "stored", proof: "read_back" } : { result: "refused" });
        expect(openings(lock, fresh)).toEqual(isDone ? within(when) : []);
      });
    },
  );

  test.each(names)(
    "clear() of %s never lets the code open elsewhere, and leaves nothing in the way of the next",
    async (before) => {
      const when = whens[before] ?? "always";
      await withEachFault(make, before, { [old]: when }, async (lock, memory) => {
        const outcome = await tried(memory.clear(slot, ask));
        const isGone = lock.code === undefined;
        lock.fault = undefined;
        const again = memoryOf(lock);
        expect(outcome?.result === "stored" && !isGone).toBe(false);
        expect(await again.clear(slot, ask)).toMatchObject({ result: "stored", proof: "read_back" });
        expect(await again.read(slot, ask)).toEqual({ state: "empty" });
        const next = { credential: pin(fresh), when: "always" } as const;
        expect(await again.write(next, slot, ask)).toMatchObject({ result: "stored" });
        expect(openings(lock, fresh)).toEqual(moments);
      });
    },
  );

  test.runIf(make.suspends).each(names)("enable() of %s never lets the code open elsewhere", async (before) => {
    const when = whens[before] ?? "always";
    const entry = { credential: pin(old), when };
    await withEachFault(make, before, { [old]: when }, async (lock, memory) => {
      for (const on of [false, true]) {
        const outcome = memory.enable && (await tried(memory.enable(slot, entry, on, ask)));
        if (outcome?.result !== "stored") break;
        expect(openings(lock, old)).toEqual(on ? within(when) : []);
      }
      lock.fault = undefined;
      expect(await memoryOf(lock).enable?.(slot, entry, true, ask)).toMatchObject({ result: "stored" });
      expect(openings(lock, old)).toEqual(within(when));
    });
  });
});

describe.each([true, false])("a lock that loses a window when a code is written (suspends: %j)", (suspends) => {
  const make: Make = { suspends, counts: days, wipes: true };
  const when = whens["office"] ?? "always";

  test("has no code afterwards, and is given no windows any more", async () => {
    const lock = new TimedLock(make);
    const entry = { credential: pin(fresh), when };
    expect(await memoryOf(lock).write(entry, slot, ask)).toMatchObject({ result: "refused", reason: "invalid" });
    expect([lock.code, isScheduled(lock.entries)]).toEqual([undefined, false]);
    const { commands } = lock;
    expect(await memoryOf(lock).write(entry, slot, ask)).toMatchObject({ result: "refused", reason: "invalid" });
    expect(lock.commands).toBe(commands);
    expect(await memoryOf(lock).write({ ...entry, when: "always" }, slot, ask)).toMatchObject({ result: "stored" });
  });

  test("and had another code there, is read: what was there is gone", async () => {
    const lock = await locked(make, "always");
    expect(await memoryOf(lock).write({ credential: pin(fresh), when }, slot, ask)).toEqual({
      result: "unconfirmed",
      slot,
    });
    expect(await memoryOf(lock).read(slot, ask)).toEqual({ state: "empty" });
  });
});

test("enable() of a code whose window was taken away leaves it suspended: who reads it learns of that", async () => {
  const lock = await locked({ suspends: true, counts: days }, "office");
  const entry = { credential: pin(old), when: whens["office"] ?? "always" };
  expect(await memoryOf(lock).enable?.(slot, entry, false, ask)).toMatchObject({ result: "stored" });
  lock.wipe();
  const opened: Instant[] = [];
  lock.watch = () => void opened.push(...openings(lock, old));
  expect(await memoryOf(lock).enable?.(slot, entry, true, ask)).toEqual({ result: "unconfirmed", slot });
  expect(opened).toEqual([]);
  expect(await memoryOf(lock).read(slot, ask)).toMatchObject({ disabled: true, when: "always" });
});

test("a code that may yet come keeps its window when its slot is cleared, and a later write takes that away", async () => {
  const lock = new TimedLock({ suspends: false, counts: days });
  const memory = memoryOf(lock);
  const when = whens["office"] ?? "always";
  // The window is there, and the code is on its way.
  lock.codes.set = () => Promise.resolve(undefined);
  expect(await memory.write({ credential: pin(fresh), when }, slot, ask)).toEqual({ result: "unconfirmed", slot });
  expect(await memory.clear(slot, ask)).toMatchObject({ result: "stored" });
  lock.code = { digits: fresh, isOn: true, wasTimed: true };
  expect(openings(lock, fresh)).toEqual(within(when));
});
