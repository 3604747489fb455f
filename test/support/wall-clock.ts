/**
 * Schedules a second time, to compare the agent's with: knows of time zones only how Intl writes a moment down, and looks
 * at single moments. Shares nothing with the agent.
 */
export interface PlainWindow {
  /** Milliseconds since 1970, UTC. */
  readonly startsAt: number | undefined;
  readonly endsAt: number | undefined;
  readonly weekly: readonly PlainWeekly[] | undefined;
}
interface PlainWeekly {
  readonly days: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** What the clock on the wall shows: the day, the one before it, and how much of the day is over. */
interface Shown {
  readonly day: string;
  readonly dayBefore: string;
  readonly minute: number;
}

const dayBefore: Readonly<Record<string, string>> = {
  mon: "sun",
  tue: "mon",
  wed: "tue",
  thu: "wed",
  fri: "thu",
  sat: "fri",
  sun: "sat",
};
const minuteMs = 60_000;

export class WallClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #shown = new Map<number, Shown>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
  }

  isOpen({ startsAt, endsAt, weekly }: PlainWindow, at: number): boolean {
    if (startsAt !== undefined && at < startsAt) return false;
    if (endsAt !== undefined && at >= endsAt) return false;
    if (weekly === undefined) return true;
    const { day, dayBefore: yesterday, minute } = this.#read(at);
    return weekly.some(({ days, from, to }) => {
      if (to > from) return days.includes(day) && from <= minute && minute < to;
      return (days.includes(day) && from <= minute) || (days.includes(yesterday) && minute < to);
    });
  }

  /**
   * By looking at every minute, or as often as told, and closer where something has changed: to the second, as the clocks
   * of long ago were not set by whole minutes.
   */
  intervals(window: PlainWindow, from: number, to: number, step = minuteMs): { from: number; to: number }[] {
    const found: { from: number; to: number }[] = [];
    let since = this.isOpen(window, from) ? from : undefined;
    for (let at = from; at < to; at += step) {
      const next = Math.min(at + step, to);
      if (next < to && this.isOpen(window, next) === (since !== undefined)) continue;
      const change = next < to ? this.#firstUnlike(window, at, next) : to;
      if (since === undefined) since = change;
      else {
        found.push({ from: since, to: change });
        since = undefined;
      }
    }
    return found;
  }

  /** The first moment after `from`, up to `to`, at which the answer is no longer that of `from`. */
  #firstUnlike(window: PlainWindow, from: number, to: number): number {
    const before = this.isOpen(window, from);
    let [same, other] = [from, to];
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (this.isOpen(window, middle) === before) same = middle;
      else other = middle;
    }
    return other;
  }

  #read(at: number): Shown {
    const second = Math.floor(at / 1000);
    const known = this.#shown.get(second);
    if (known) return known;
    const parts = new Map(this.#format.formatToParts(second * 1000).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    const day = String(parts.get("weekday")).toLowerCase();
    const minute = number("hour") * 60 + number("minute") + number("second") / 60;
    const shown = { day, dayBefore: String(dayBefore[day]), minute };
    this.#shown.set(second, shown);
    return shown;
  }
}
