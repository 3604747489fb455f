const minuteMs = 60_000;
const minutesOfWeek = 7 * 24 * 60;
const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/**
 * Every minute of a stretch of time in one zone, as Intl writes it down: asked each quarter of an hour, and each minute
 * where the clocks were changed in between. Shares nothing with the agent.
 */
export class YearClock {
  readonly from: number;
  /** Minute of the week that the clock on the wall shows, for each minute since `from`. */
  readonly shown: Int32Array;
  /** Minutes at which the clocks are changed. */
  readonly changes: readonly number[];

  /** @param from a whole quarter of an hour. */
  constructor(zone: string, from: number, to: number) {
    this.from = from;
    const count = (to - from) / minuteMs;
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const read = (at: number): number => {
      const parts = new Map(format.formatToParts(from + at * minuteMs).map(({ type, value }) => [type, value]));
      return (
        days.indexOf(parts.get("weekday") ?? "") * 1440 + Number(parts.get("hour")) * 60 + Number(parts.get("minute"))
      );
    };
    this.shown = new Int32Array(count);
    const changes: number[] = [];
    for (let at = 0; at < count; at += 15) {
      const [first, last] = [read(at), read(at + 14)];
      const isEven = (last - first + minutesOfWeek) % minutesOfWeek === 14;
      for (let more = 0; more < 15 && at + more < count; more++) {
        this.shown[at + more] = isEven ? (first + more) % minutesOfWeek : read(at + more);
      }
    }
    for (let at = 1; at < count; at++) {
      if (((this.shown[at] ?? 0) - (this.shown[at - 1] ?? 0) + minutesOfWeek) % minutesOfWeek !== 1) changes.push(at);
    }
    this.changes = changes;
  }

  /**
   * When a weekly pattern is open in a window.
   *
   * @param week open or not, for each minute of the week.
   */
  intervals(week: Uint8Array, startsAt: number, endsAt: number): { from: number; to: number }[] {
    const found: { from: number; to: number }[] = [];
    let since: number | undefined;
    const { shown, from } = this;
    for (let at = 0; at <= shown.length; at++) {
      const open = at < shown.length && week[shown[at] ?? 0] === 1;
      if (open === (since !== undefined)) continue;
      const moment = from + at * minuteMs;
      if (since === undefined) since = moment;
      else {
        const [start, end] = [Math.max(since, startsAt), Math.min(moment, endsAt)];
        if (start < end) found.push({ from: start, to: end });
        since = undefined;
      }
    }
    return found;
  }
}

/** Minute by minute, what a list of weekly windows says. */
export function weekOf(
  weekly: readonly { readonly days: readonly string[]; readonly from: number; readonly to: number }[] | undefined,
): Uint8Array {
  const week = new Uint8Array(minutesOfWeek);
  if (weekly === undefined) return week.fill(1);
  for (const { days: on, from, to } of weekly) {
    for (const day of on) {
      const start = days.findIndex((name) => name.toLowerCase() === day) * 1440 + from;
      const length = to > from ? to - from : to - from + 1440;
      for (let minute = 0; minute < length; minute++) week[(start + minute) % minutesOfWeek] = 1;
    }
  }
  return week;
}
