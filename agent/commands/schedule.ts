import { z } from "zod";
import type { Instant } from "../domain/instant.ts";
import type { Window } from "../domain/schedule.ts";
import { overlapOf, type WeeklyWindow, weekdays } from "../domain/weekly.ts";
import { clockText } from "../domain/window-words.ts";
import type { Context } from "./command.ts";
import { moment } from "./parameters.ts";
import { invalidInput } from "./refusal.ts";

/** More than any door needs, and few enough to look at all of them each time. */
const mostWindows = 50;

const clock = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;
const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

const days = z
  .array(z.enum(weekdays, `Must be one of ${weekdays.join(", ")}`))
  .min(1, "Must name at least one day")
  .superRefine((names, context) => {
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      context.addIssue({ code: "custom", path: [index], message: `Must not name ${name} twice` });
    }
  });
const opening = z
  .string()
  .refine((text) => clock.test(text) && text !== "24:00", "Must be a time from 00:00 to 23:59")
  .transform(minutes);
/** The end of a day is 24:00, and may be written as the start of the next. */
const closing = z.string().regex(clock, "Must be a time from 00:00 to 24:00").transform(minutes);

// Strict, unlike other parameters: a time zone, or an end, that is not heeded would open the door at other times.
const weeklyWindow = z
  .strictObject({ days, from: opening, to: closing })
  .refine(({ from, to }) => from !== to, {
    path: ["to"],
    error: 'Must not be the same as "from"; a whole day is from 00:00 to 24:00',
  })
  .transform(({ days: on, from, to }): WeeklyWindow => ({ days: on, from, to: to === 0 ? endOfDay : to }));
const endOfDay = 24 * 60;

const schedule = z
  .array(weeklyWindow)
  .min(1, "Must have at least one window; null is for at all times")
  .max(mostWindows, `Must have at most ${mostWindows} windows`)
  // A transformation, as a refinement would also look at entries that are wrong in themselves.
  .transform((windows, context) => {
    const overlap = overlapOf(windows);
    if (!overlap) return windows;
    const { first, second, day, minute } = overlap;
    const message = `Must not overlap schedule.${first}, as it does on ${day} from ${clockText(minute)}`;
    context.addIssue({ code: "custom", path: [second], message });
    return z.NEVER;
  });

/** The members of a command that say when a grant admits. Null is for no start, no end, and all times of the week. */
export const windowParameters = {
  starts_at: moment.nullish(),
  ends_at: moment.nullish(),
  schedule: schedule.nullish(),
};
export type WindowParameters = z.output<z.ZodObject<typeof windowParameters>>;

/** The time, where it is known. */
export const knownTime = ({ now, agent }: Pick<Context, "now" | "agent">): Instant | undefined =>
  agent().clock.trusted ? now : undefined;

export const noWindow: Window = { startsAt: undefined, endsAt: undefined, weekly: undefined };

/**
 * The window of a grant after a command; what the command does not name stays. A start that is past, or null, is now, as no
 * grant reaches back before it was made.
 *
 * @param before {@link noWindow} for a new grant.
 * @param now undefined while the clock is not trusted: then nobody can say what is past.
 * @throws Refused `invalid_input`.
 */
export function windowAfter(named: WindowParameters, before: Window, now: Instant | undefined): Window {
  const changed = (name: keyof WindowParameters): boolean => named[name] !== undefined;
  const window: Window = {
    startsAt: changed("starts_at") ? notPast(named.starts_at ?? undefined, now) : before.startsAt,
    endsAt: changed("ends_at") ? (named.ends_at ?? undefined) : before.endsAt,
    weekly: changed("schedule") ? (named.schedule ?? undefined) : before.weekly,
  };
  const { startsAt, endsAt } = window;
  if (endsAt === undefined) return window;
  if (changed("ends_at") && now !== undefined && endsAt <= now) throw unfit("ends_at", "Must be in the future");
  if (startsAt === undefined || startsAt < endsAt) return window;
  if (changed("ends_at")) throw unfit("ends_at", "Must be after starts_at");
  if (changed("starts_at")) throw unfit("starts_at", "Must be before ends_at");
  return window;
}

const notPast = (at: Instant | undefined, now: Instant | undefined): Instant | undefined =>
  now === undefined || (at !== undefined && at >= now) ? at : now;

/** A schedule as a command would name it. */
export const scheduleToWire = (weekly: readonly WeeklyWindow[]): object[] =>
  weekly.map(({ days: on, from, to }) => ({ days: on, from: clockText(from), to: clockText(to) }));

const unfit = (field: keyof WindowParameters, message: string): Error =>
  invalidInput([{ code: "custom", path: [field], message, input: undefined }]);
