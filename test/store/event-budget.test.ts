import * as fc from "fast-check";
import { expect, test } from "vitest";
import { later } from "../../agent/domain/instant.ts";
import type { Store } from "../../agent/store/store.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { blankImage } from "../support/world.ts";

const day = 24 * 3600_000;
const image = blankImage();

interface Told {
  readonly number: number;
  readonly event_id: string;
  readonly event_type: string;
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** An agent that emits events, and a broker that it reaches now and then, which brings them to one consumer. */
class Line implements Disposable {
  readonly desk = new MemoryStore(undefined, image);
  /** Everything that was published, and acknowledged or not. */
  readonly received: Told[] = [];
  /** Numbers that the broker has acknowledged, and the agent knows. */
  readonly acknowledged = new Set<number>();
  readonly #budget: { readonly rows: number; readonly days: number };
  #store: Store;
  /** Letters that were sent on this connection: their rows, and what was in them. */
  readonly #inFlight = new Map<number, Told>();
  #reached = 0;
  /** Nobody listens to events of the type `unheard`: they are passed over. */
  #isHeard = false;

  constructor(rows: number, days = 30) {
    this.#budget = { rows, days };
    this.#store = this.desk.reopened([], undefined, this.#budget);
  }

  get store(): Store {
    return this.#store;
  }

  emit(count: number, type = "x"): void {
    this.#store.transaction(() => {
      for (let at = 0; at < count; at += 1) this.#store.records.event(type, {});
    });
  }

  /** An event of a command that is undone. */
  undone(): void {
    try {
      this.#store.transaction(() => {
        this.#store.records.event("undone", {});
        throw new Error("enough");
      });
    } catch {
      // As it has to be.
    }
  }

  send(room: number): void {
    const of = { rank: "event", after: this.#reached } as const;
    for (const { id, payload } of this.#store.outbox.next(new Set(this.#inFlight.keys()), room, of)) {
      const told: Told = JSON.parse(payload);
      this.#reached = id;
      if (told.event_type === "unheard" && !this.#isHeard) continue;
      this.#inFlight.set(id, told);
      this.received.push(told);
    }
  }

  /** The broker acknowledges some of what is in flight, in any order. */
  acknowledge(picks: readonly number[]): void {
    for (const pick of picks) {
      const [id, told] = [...this.#inFlight][pick % Math.max(1, this.#inFlight.size)] ?? [];
      if (id === undefined || !told) return;
      this.#inFlight.delete(id);
      this.acknowledged.add(told.number);
      this.#store.transaction(() => this.#store.outbox.delivered([id]));
    }
  }

  reconnect(): void {
    this.#inFlight.clear();
    this.#reached = 0;
  }

  restart(): void {
    this.reconnect();
    this.#store = this.desk.reopened([], undefined, this.#budget);
  }

  /** Brings all that is left. */
  drain(): void {
    this.reconnect();
    this.#isHeard = true;
    for (let left = 1000; this.#store.outbox.events.count > 0; left -= 1) {
      if (left === 0) throw new Error("There is no end of events");
      this.send(7);
      this.acknowledge([0, 0, 0, 0, 0, 0, 0]);
    }
  }

  get lastNumber(): number {
    return Math.max(
      0,
      ...this.#store.records.eventsOf({ after: 0, limit: 100_000 }).map((event) => Number(event["number"])),
    );
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
  }
}

const losses = (received: readonly Told[]): Told[] => received.filter(({ event_type: type }) => type === "events_lost");
const numbersOf = ({ from, to }: Told): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

const picks = fc.array(fc.nat(20), { maxLength: 6 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ emit: fc.integer({ min: 1, max: 9 }), type: fc.constantFrom("x", "unheard") }) },
  { weight: 2, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ acknowledge: picks }) },
  { weight: 1, arbitrary: fc.constant({ reconnect: true }) },
  { weight: 1, arbitrary: fc.constant({ restart: true }) },
  { weight: 1, arbitrary: fc.constant({ undone: true }) },
);

function take(line: Line, of: object): void {
  if ("emit" in of && "type" in of) line.emit(Number(of.emit), String(of.type));
  else if ("send" in of) line.send(Number(of.send));
  else if ("acknowledge" in of) line.acknowledge(of.acknowledge as number[]);
  else if ("reconnect" in of) line.reconnect();
  else if ("restart" in of) line.restart();
  else line.undone();
}

/** Whether all copies of an event, those that were sent and the one in the journal, say the same. */
function isToldOneWay(line: Line): boolean {
  const contents = new Map<number, string>();
  const isSame = (event: { readonly number: number }): boolean => {
    const content = JSON.stringify(event);
    const before = contents.get(event.number) ?? content;
    contents.set(event.number, content);
    return before === content;
  };
  const journal = line.store.records
    .eventsOf({ after: 0, limit: 100_000 })
    .map((event) => ({ ...event, number: Number(event["number"]) }));
  return [...line.received, ...journal].every(isSame);
}

test("what a consumer receives, and what it is told that it lost, are all events, each told one way", () => {
  let most = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 60 }), (rows, steps) => {
      using line = new Line(rows);
      for (const each of steps) {
        take(line, each);
        // Beyond the budget there is only what is on its way, and what has just been sent on a connection that is lost.
        expect(line.store.outbox.events.count).toBeLessThanOrEqual(rows + 30);
      }
      line.drain();
      const all = Array.from({ length: line.lastNumber }, (_, at) => at + 1);
      const lost = all.filter((number) => !line.acknowledged.has(number));
      const told = new Map(losses(line.received).map((loss) => [loss.number, loss]));
      const final = [...told.values()].filter(({ number }) => line.acknowledged.has(number));
      const known = new Set([...line.received.map(({ number }) => number), ...final.flatMap(numbersOf)]);
      expect(all.filter((number) => !known.has(number))).toEqual([]);
      expect(final.reduce((sum, { count }) => sum + count, 0)).toBe(lost.length);
      for (const loss of final) expect(loss.count).toBeLessThanOrEqual(loss.to - loss.from + 1);
      expect(isToldOneWay(line)).toBe(true);
      most = Math.max(most, lost.length);
    }),
  );
  expect(most).toBeGreaterThan(20);
});

test("one events_lost takes the place of all that were lost in a row, is sent before what remains, and is in the journal", () => {
  using line = new Line(5);
  for (let commits = 0; commits < 12; commits += 1) line.emit(1);
  expect(line.store.outbox.events.count).toBe(5);
  line.drain();
  expect(line.received.map(({ event_type: type, number }) => [type, number])).toEqual([
    ["events_lost", 13],
    ["x", 10],
    ["x", 11],
    ["x", 12],
    ["x", 14],
  ]);
  // Among them the events_lost before, number 7, whose turn had come.
  expect(line.received[0]).toMatchObject({ count: 9, from: 1, to: 9 });
  expect(line.store.records.eventsOf({ after: 6, limit: 1 })).toMatchObject([
    { number: 7, event_type: "events_lost", from: 1, to: 6 },
  ]);
  expect(line.store.records.eventsOf({ after: 12, limit: 1 })).toEqual([line.received[0]]);
});

test("the lost ones can be read back from the journal, with the events_lost that says so", () => {
  using line = new Line(5);
  line.emit(9);
  const { events } = line.desk.ask("events/list", { after: 0 });
  expect(events).toMatchObject(Array.from({ length: 10 }, (_, at) => ({ number: at + 1 })));
  expect(events).toContainEqual(expect.objectContaining({ event_type: "events_lost", from: 1, code: null }));
});

test("what is on its way is not forced out", () => {
  using line = new Line(3);
  line.emit(3);
  line.send(2);
  line.emit(5);
  line.acknowledge([0, 0]);
  expect([...line.acknowledged]).toEqual([1, 2]);
  line.send(9);
  expect(losses(line.received)).toMatchObject([{ from: 3 }]);
});

test("what is lost of a topic that others have passed is told on the same connection", () => {
  using line = new Line(3);
  line.emit(3, "unheard");
  line.send(9);
  line.send(9);
  expect(line.store.outbox.events.count).toBe(3);
  line.emit(2, "unheard");
  line.send(9);
  expect(line.received).toMatchObject([{ event_type: "events_lost", from: 1 }]);
});

test("what waits for longer than it may is forced out, some at a time", () => {
  using line = new Line(100_000, 2);
  line.emit(600);
  line.desk.now = later(line.desk.now, 2 * day);
  line.store.prune();
  expect(line.store.outbox.events.count).toBe(600);
  line.desk.now = later(line.desk.now, 1);
  let runs = 1;
  while (line.store.prune()) runs += 1;
  expect(runs).toBe(3);
  line.drain();
  expect(line.received).toMatchObject([{ event_type: "events_lost", count: 600, from: 1, to: 600, number: 601 }]);
});

test("replies are not counted, and not forced out", () => {
  using line = new Line(2);
  const reply = { rank: "reply", topic: "reply/r-1", payload: "{}" } as const;
  for (let at = 0; at < 5; at += 1) line.store.outbox.put(reply, line.desk.now);
  line.emit(4);
  expect(line.store.outbox.waiting).toBe(7);
});
