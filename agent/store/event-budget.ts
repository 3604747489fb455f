import { type Instant, later, type Milliseconds } from "../domain/instant.ts";
import type { Calendar } from "./calendar.ts";
import type { Outbox } from "./outbox.ts";
import { lossTopic, type WaitingEvent } from "./waiting-events.ts";

/** How many events may wait for the broker, and for how long. */
export interface Budget {
  readonly rows: number;
  readonly days: number;
}

/** Events that left the outbox unsent: `count` of those numbered `from` to `to`; the others of these were sent. */
interface Loss {
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** Where the event `events_lost` is written down. */
interface Book {
  /** The newest number that was given. */
  last(): number;
  /** Gives it a number of its own. */
  write(loss: Loss): { readonly number: number; readonly body: string };
  rewrite(number: number, body: string): void;
}

const day: Milliseconds = 24 * 3600_000;

/**
 * Keeps the events that wait within their budget: the oldest are forced out, and one event takes their place which says so
 * (Law 11). It grows with what is lost next, for as long as it has not been sent. When its own number is the oldest, it is
 * lost like any other, and what it said goes into its successor: so the numbers that are not sent are all told of.
 */
export class EventBudget {
  readonly #outbox: Outbox;
  readonly #budget: Budget;
  readonly #book: Book;
  readonly #calendar: Calendar;
  /** The number of the `events_lost` that may still grow. After a restart nobody knows whether the last one was sent. */
  #open: number | undefined;

  constructor(outbox: Outbox, budget: Budget, book: Book, calendar: Calendar) {
    this.#outbox = outbox;
    this.#budget = budget;
    this.#book = book;
    this.#calendar = calendar;
  }

  /** Forces out at most `limit` events that are over the budget; says how many. Costs no more than what it forces out. */
  enforce(now: Instant, limit: number): number {
    const { events } = this.#outbox;
    const { rows, days } = this.#budget;
    const tooOld = later(this.#calendar.today(now), -days * day);
    if (events.count <= rows && (events.since ?? now) >= tooOld) return 0;
    const last = this.#book.last();
    for (let lost = 0; lost < limit; lost += 1) {
      const oldest = events.oldest(last);
      if (!oldest || (events.count <= rows && oldest.at >= tooOld)) return lost;
      this.#lose(oldest, now);
    }
    return limit;
  }

  #lose(event: WaitingEvent, now: Instant): void {
    const { events } = this.#outbox;
    const own = { count: 1, from: event.number, to: event.number };
    const loss = event.topic === lossTopic ? merged(lossIn(event.payload), own) : own;
    const open = this.#open === undefined ? undefined : events.untold(this.#open);
    const id = events.isPassed(event.id) ? undefined : event.id;
    events.remove(event.id);
    if (open && open.id !== event.id) {
      const payload = JSON.stringify({ ...JSON.parse(open.payload), ...merged(lossIn(open.payload), loss) });
      this.#outbox.replaceEvent(open.id, { id: id ?? open.id, payload });
      this.#book.rewrite(open.number, payload);
    } else {
      const { number, body } = this.#book.write(loss);
      this.#outbox.put({ rank: "event", topic: lossTopic, payload: body, number }, now, id);
      this.#open = number;
    }
  }
}

const merged = (one: Loss, other: Loss): Loss => ({
  count: one.count + other.count,
  from: Math.min(one.from, other.from),
  to: Math.max(one.to, other.to),
});

function lossIn(body: string): Loss {
  const { count, from, to } = JSON.parse(body);
  return { count: Number(count), from: Number(from), to: Number(to) };
}
