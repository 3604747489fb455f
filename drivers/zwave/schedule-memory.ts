import {
  type DailyEntry,
  kinds,
  type Schedules,
  type SlotCounts,
  sameEntry,
  type WeekDayEntry,
  type YearDayEntry,
} from "./codec-schedule.ts";
import { slotOf, wordOf } from "./codec-user-code.ts";
import { type Ask, orSilence, Refusal } from "./conversation.ts";
import type { Seen } from "./seen.ts";

interface EntryVerbs<Entry> {
  /** Undefined: no answer. */
  get(user: number, slot: number): Promise<{ readonly entry: Entry | undefined } | undefined>;
  /** Undefined: the slot is to be free. Sent once, whatever becomes of it. */
  set(user: number, slot: number, entry: Entry | undefined): Promise<{ readonly status: number } | undefined>;
}

/** What we use of the command class Schedule Entry Lock. */
export interface ScheduleVerbs {
  readonly weekDays: EntryVerbs<WeekDayEntry>;
  readonly yearDays: EntryVerbs<YearDayEntry>;
  readonly daily: EntryVerbs<DailyEntry>;
}

export interface ScheduleParts {
  readonly verbs: ScheduleVerbs;
  readonly counts: SlotCounts;
  readonly isSupervised: boolean;
  readonly seen: Seen<Schedules>;
}

/** `kept`: the lock was read to have it so. `refused`: it was read to have something else, or says no. */
export type Kept = "kept" | "refused" | "unanswered";

/** Where a lock keeps when the users of its codes may come: each user has slots of its own. */
export class ScheduleMemory {
  readonly #parts: ScheduleParts;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  /** All that the lock has for a user: undefined where it does not answer. */
  async look(user: number, ask: Ask): Promise<Schedules | undefined> {
    const { verbs, counts, seen } = this.#parts;
    const weekDays = await entriesOf(verbs.weekDays, user, counts.weekDays, ask);
    const yearDays = weekDays && (await entriesOf(verbs.yearDays, user, counts.yearDays, ask));
    const daily = yearDays && (await entriesOf(verbs.daily, user, counts.daily, ask));
    if (!daily) return undefined;
    const schedules = { weekDays, yearDays, daily };
    seen.note(slotOf(user), schedules);
    return schedules;
  }

  /** What was read a moment ago. */
  seen(user: number): Schedules | undefined {
    return this.#parts.seen.get(slotOf(user));
  }

  /** Whether what was put there is still there, asked of these entries only: undefined where the lock does not answer. */
  async stillHas(user: number, wanted: Schedules, ask: Ask): Promise<boolean | undefined> {
    const { weekDays, yearDays, daily } = this.#parts.verbs;
    const has = await areThere(
      [
        ...changesOf(weekDays, user, [], wanted.weekDays),
        ...changesOf(yearDays, user, [], wanted.yearDays),
        ...changesOf(daily, user, [], wanted.daily),
      ],
      ask,
    );
    if (has) this.#parts.seen.note(slotOf(user), wanted);
    return has;
  }

  /** Something was done to the user's code: some locks take away what belongs to it. */
  forget(user: number): void {
    this.#parts.seen.forget(slotOf(user));
  }

  /** Makes a user's entries what is wanted. On the way some are there and others not: not for a user whose code opens. */
  async put(user: number, wanted: Schedules, ask: Ask): Promise<Kept> {
    const { verbs, seen, isSupervised } = this.#parts;
    const before = this.seen(user) ?? (await orSilence(this.look(user, ask)));
    if (!before) return "unanswered";
    seen.forget(slotOf(user));
    // Where there are several kinds, that which is wanted may not be in effect: the kind that is set last is.
    const anew = kinds.filter((kind) => before[kind].some((entry) => entry !== undefined)).length > 1;
    const changes = [
      ...changesOf(verbs.weekDays, user, before.weekDays, wanted.weekDays, anew),
      ...changesOf(verbs.yearDays, user, before.yearDays, wanted.yearDays, anew),
      ...changesOf(verbs.daily, user, before.daily, wanted.daily, anew),
    ];
    try {
      for (const { send } of changes) {
        const word = wordOf(await ask(send), isSupervised);
        if (word === "silent") return "unanswered";
        if (word === "no") return "refused";
      }
    } catch (error) {
      if (error instanceof Refusal) return "refused";
      throw error;
    }
    const areKept = await areThere(changes, ask);
    if (areKept) seen.note(slotOf(user), wanted);
    return areKept ? "kept" : areKept === undefined ? "unanswered" : "refused";
  }
}

async function entriesOf<Entry>(
  verbs: EntryVerbs<Entry>,
  user: number,
  count: number,
  ask: Ask,
): Promise<(Entry | undefined)[] | undefined> {
  const found: (Entry | undefined)[] = [];
  for (let slot = 1; slot <= count; slot++) {
    const said = await ask(() => verbs.get(user, slot));
    if (!said) return undefined;
    found.push(said.entry);
  }
  return found;
}

interface Change {
  readonly send: () => ReturnType<EntryVerbs<never>["set"]>;
  /** Whether it is so by now: undefined where the lock does not answer. */
  readonly isThere: () => Promise<boolean | undefined>;
}

function changesOf<Entry extends object>(
  verbs: EntryVerbs<Entry>,
  user: number,
  before: readonly (Entry | undefined)[],
  wanted: readonly (Entry | undefined)[],
  anew = false,
): Change[] {
  return Array.from({ length: Math.max(before.length, wanted.length) }).flatMap((_, index) => {
    const [slot, entry] = [index + 1, wanted[index]];
    if (sameEntry(before[index], entry) && !(anew && entry)) return [];
    return {
      send: () => verbs.set(user, slot, entry),
      async isThere() {
        const said = await verbs.get(user, slot);
        return said && sameEntry(said.entry, entry);
      },
    };
  });
}

async function areThere(changes: readonly Change[], ask: Ask): Promise<boolean | undefined> {
  for (const { isThere } of changes) {
    const is = await orSilence(ask(isThere));
    if (!is) return is;
  }
  return true;
}
