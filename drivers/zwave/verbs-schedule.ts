import type { ZWaveNode } from "zwave-js";
import type { SlotCounts } from "./codec-schedule.ts";
import type { Ask } from "./conversation.ts";
import type { Library } from "./library.ts";
import { asker, type Send } from "./questions.ts";
import type { ScheduleVerbs } from "./schedule-memory.ts";
import { changing, reading } from "./verbs.ts";

/** The commands of a lock with Schedule Entry Lock. */
export function schedules(node: ZWaveNode, { commands, CommandClasses }: Library, send: Send) {
  const api = node.commandClasses["Schedule Entry Lock"];
  const once = api.withOptions(changing);
  const ask = asker(send, reading);
  const kept = (property: string): number | undefined =>
    node.getValue<number>({ commandClass: CommandClasses["Schedule Entry Lock"], property });
  const nodeId = node.id;
  const verbs: ScheduleVerbs = {
    weekDays: {
      async get(userId, slotId) {
        const question = new commands.ScheduleEntryLockCCWeekDayScheduleGet({ nodeId, userId, slotId });
        const kind = commands.ScheduleEntryLockCCWeekDayScheduleReport;
        const said = await ask(question, kind, isAbout(userId, slotId));
        if (!said) return undefined;
        const { weekday, startHour = 0, startMinute = 0, stopHour = 0, stopMinute = 0 } = said;
        return { entry: weekday === undefined ? undefined : { weekday, startHour, startMinute, stopHour, stopMinute } };
      },
      set: (userId, slotId, entry) => once.setWeekDaySchedule({ userId, slotId }, entry),
    },
    yearDays: {
      async get(userId, slotId) {
        const question = new commands.ScheduleEntryLockCCYearDayScheduleGet({ nodeId, userId, slotId });
        const kind = commands.ScheduleEntryLockCCYearDayScheduleReport;
        const said = await ask(question, kind, isAbout(userId, slotId));
        if (!said) return undefined;
        const { startYear, startMonth = 1, startDay = 1, startHour = 0, startMinute = 0 } = said;
        const { stopYear = 0, stopMonth = 1, stopDay = 1, stopHour = 0, stopMinute = 0 } = said;
        if (startYear === undefined) return { entry: undefined };
        const start = { startYear, startMonth, startDay, startHour, startMinute };
        return { entry: { ...start, stopYear, stopMonth, stopDay, stopHour, stopMinute } };
      },
      set: (userId, slotId, entry) => once.setYearDaySchedule({ userId, slotId }, entry),
    },
    daily: {
      async get(userId, slotId) {
        const question = new commands.ScheduleEntryLockCCDailyRepeatingScheduleGet({ nodeId, userId, slotId });
        const kind = commands.ScheduleEntryLockCCDailyRepeatingScheduleReport;
        const said = await ask(question, kind, isAbout(userId, slotId));
        if (!said) return undefined;
        const { weekdays, startHour = 0, startMinute = 0, durationHour = 0, durationMinute = 0 } = said;
        // Of a slot that is free, zwave-js lets any byte through.
        if (weekdays === undefined || startHour > 23) return { entry: undefined };
        const duration = { durationHour, durationMinute };
        return { entry: { weekdays: weekdays.toSorted((a, b) => a - b), startHour, startMinute, ...duration } };
      },
      set: (userId, slotId, entry) => {
        const schedule = entry && { ...entry, weekdays: [...entry.weekdays] };
        return once.setDailyRepeatingSchedule({ userId, slotId }, schedule);
      },
    },
  };
  return {
    verbs,
    /** Resolves to undefined where the lock is silent. */
    counts: async (sending: Ask): Promise<SlotCounts | undefined> => {
      // zwave-js does not set an entry before it knows how many there are, and a kill may come before it keeps that.
      const known = kept("numWeekDaySlots") !== undefined;
      if (!known && !(await sending(() => api.withOptions(reading).getNumSlots()))) return undefined;
      return {
        weekDays: kept("numWeekDaySlots") ?? 0,
        yearDays: kept("numYearDaySlots") ?? 0,
        daily: kept("numDailyRepeatingSlots") ?? 0,
      };
    },
  };
}

const isAbout =
  (userId: number, slotId: number) =>
  (report: { readonly userId: number; readonly slotId: number }): boolean =>
    report.userId === userId && report.slotId === slotId;
