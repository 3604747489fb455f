import type { Instant } from "./instant.ts";
import type { Window } from "./schedule.ts";
import type { TimeZone } from "./time-zone.ts";
import { type Weekday, type WeeklyWindow, weekdays } from "./weekly.ts";

/**
 * A window as a person would say it, in the time of the door: "mon-fri 08:00 to 18:00, Europe/Zurich, until 2026-12-24
 * 12:00".
 */
export function windowWords({ startsAt, endsAt, weekly }: Window, zone: TimeZone): string {
  const times = weekly?.map(weeklyWords).join(" and ") ?? "at all times";
  // A bare "at all times" is the same everywhere.
  const place = weekly || startsAt !== undefined || endsAt !== undefined ? [zone.name] : [];
  const from = startsAt === undefined ? [] : [`from ${dateWords(startsAt, zone)}`];
  const until = endsAt === undefined ? [] : [`until ${dateWords(endsAt, zone)}`];
  return [times || "never", ...place, ...from, ...until].join(", ");
}

/** @param minute of the day, 0 to 1440: 24:00 is the end of it. */
export const clockText = (minute: number): string => `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;

function weeklyWords({ days, from, to }: WeeklyWindow): string {
  const end = to > from ? clockText(to) : `${clockText(to)} the day after`;
  return `${dayWords(days)} ${clockText(from)} to ${end}`;
}

function dayWords(days: readonly Weekday[]): string {
  if (weekdays.every((day) => days.includes(day))) return "every day";
  const runs: Weekday[][] = [];
  for (const [index, day] of weekdays.entries()) {
    if (!days.includes(day)) continue;
    const last = runs.at(-1);
    if (last && last.at(-1) === weekdays[index - 1]) last.push(day);
    else runs.push([day]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(", "))).join(", ");
}

/** To the minute, or as fine as it has to be. */
const dateWords = (at: Instant, zone: TimeZone): string =>
  new Date(zone.wallTime(at))
    .toISOString()
    .replace("T", " ")
    .replace(/(?::00)?\.000Z$|Z$/, "");

const twoDigits = (value: number): string => String(value).padStart(2, "0");
