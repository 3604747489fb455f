import { beforeEach, expect, test } from "vitest";
import { instant, type Milliseconds } from "../../agent/domain/instant.ts";
import { type Letters, Outbox, type Outgoing } from "../../agent/mqtt/outbox.ts";
import type { Publisher } from "../../agent/mqtt/publisher.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";

/** A publisher whose PUBACKs come when the test says so. */
class Line implements Publisher {
  readonly sent: string[] = [];
  readonly unanswered = new Map<string, (refusal?: Error) => void>();
  size = 3;
  readonly tooLarge = new Set<string>();

  get room(): number {
    return this.size - this.unanswered.size;
  }

  fits({ payload }: { payload: string }): boolean {
    return !this.tooLarge.has(payload);
  }

  publish({ payload }: { payload: string }, done: (refusal?: Error) => void): void {
    this.sent.push(payload);
    this.unanswered.set(payload, done);
  }

  answer(payload: string, refusal?: Error): void {
    const done = this.unanswered.get(payload);
    this.unanswered.delete(payload);
    done?.(refusal);
  }
}

const isEvent = ({ topic }: Outgoing): boolean => topic.includes("/event/");

class Table implements Letters {
  rows: Outgoing[] = [];
  readonly transactions: (readonly number[])[] = [];

  next(inFlight: ReadonlySet<number>, limit: number): readonly Outgoing[] {
    return this.rows
      .filter(({ id }) => !inFlight.has(id))
      .toSorted((a, b) => Number(isEvent(a)) - Number(isEvent(b)) || a.id - b.id)
      .slice(0, limit);
  }

  delivered(ids: readonly number[]): void {
    this.transactions.push(ids);
    this.rows = this.rows.filter(({ id }) => !ids.includes(id));
  }

  add(id: number, kind: "reply" | "event"): void {
    this.rows.push({ id, topic: `access/g/${kind}/x`, payload: String(id) });
  }
}

/** Virtual time: what sleeps is woken by {@link pass}. */
class Time {
  readonly #sleepers: { until: number; wake: () => void }[] = [];
  #now = 0;
  readonly now = () => instant(this.#now);
  readonly sleep = (ms: Milliseconds, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      this.#sleepers.push({ until: this.#now + ms, wake: resolve });
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });

  async pass(ms: Milliseconds): Promise<void> {
    this.#now += ms;
    for (const { until, wake } of this.#sleepers) if (until <= this.#now) wake();
    await new Promise(setImmediate);
  }
}

let line: Line;
let table: Table;
let time: Time;
let warnings: object[];
let life: AbortController;

beforeEach(() => {
  line = new Line();
  table = new Table();
  time = new Time();
  warnings = [];
  life = new AbortController();
});

function openOutbox(): Outbox {
  const log = { trace() {}, debug() {}, info() {}, warn: (fields: object) => void warnings.push(fields), error() {} };
  const outbox: Outbox = new Outbox(
    { letters: table, topics: topicsOf("access", "g"), clock: time, log },
    { publisher: line, wake: () => outbox.send(), signal: life.signal },
  );
  return outbox;
}

test("Outbox sends replies first, then events in order", () => {
  table.add(1, "event");
  table.add(2, "event");
  table.add(3, "reply");
  openOutbox().send();
  expect(line.sent).toEqual(["3", "1", "2"]);
});

test("Outbox sends no more than there is room for, and nothing twice", () => {
  for (let id = 1; id <= 10; id += 1) table.add(id, "event");
  const outbox = openOutbox();
  outbox.send();
  outbox.send();
  expect(line.sent).toEqual(["1", "2", "3"]);
  line.answer("1");
  outbox.send();
  outbox.send();
  expect(line.sent).toEqual(["1", "2", "3", "4"]);
});

test("Outbox forgets what was acknowledged in one transaction per turn, and only that", () => {
  for (let id = 1; id <= 3; id += 1) table.add(id, "event");
  const outbox = openOutbox();
  outbox.send();
  expect(table.transactions).toEqual([]);
  line.answer("1");
  line.answer("2");
  expect(table.transactions).toEqual([]);
  outbox.send();
  expect(table.transactions).toEqual([[1, 2]]);
  expect(table.rows.map(({ id }) => id)).toEqual([3]);
});

test("Outbox keeps all while there is no connection", () => {
  line.size = 0;
  table.add(1, "event");
  openOutbox().send();
  expect(line.sent).toEqual([]);
  expect(table.rows).toHaveLength(1);
});

test("Outbox of the next connection sends once more what the last one left unanswered, in order", () => {
  for (let id = 1; id <= 3; id += 1) table.add(id, "event");
  const first = openOutbox();
  first.send();
  line.answer("2");
  first.settle();
  line.unanswered.clear();
  openOutbox().send();
  expect(line.sent).toEqual(["1", "2", "3", "1", "3"]);
});

test("Outbox leaves a refused letter alone for half a minute, says so once, and lets others pass", async () => {
  table.add(1, "event");
  table.add(2, "event");
  const outbox = openOutbox();
  outbox.send();
  line.answer("1", new Error("Publish error: Not authorized"));
  line.answer("2", new Error("Publish error: Not authorized"));
  table.add(3, "reply");
  outbox.send();
  expect(line.sent).toEqual(["1", "2", "3"]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ topic: "access/g/event/x", reason: "Publish error: Not authorized" });
  await time.pass(29_000);
  expect(line.sent).toHaveLength(3);
  await time.pass(1000);
  expect(line.sent).toEqual(["1", "2", "3", "1", "2"]);
  expect(table.rows).toHaveLength(3);
});

test("Outbox does nothing more with a refused letter when the connection has ended", async () => {
  table.add(1, "event");
  openOutbox().send();
  line.answer("1", new Error("Publish error: Quota exceeded"));
  life.abort();
  await time.pass(60_000);
  expect(line.sent).toEqual(["1"]);
});

test("Outbox lets an error of the store through", () => {
  table.add(1, "event");
  const outbox = openOutbox();
  outbox.send();
  table.delivered = () => {
    throw new Error("disk full");
  };
  line.answer("1");
  expect(() => outbox.send()).toThrow("disk full");
});

test("Outbox sends instead of a reply that is too large what to do about it, and forgets it when that arrived", () => {
  table.add(1, "reply");
  line.tooLarge.add("1");
  const outbox = openOutbox();
  outbox.send();
  expect(line.sent).toHaveLength(1);
  expect(JSON.parse(line.sent[0] ?? "")).toEqual({
    ok: false,
    error: { type: "reply_too_large", message: expect.stringContaining("ask for less") as string },
  });
  expect(warnings).toMatchObject([
    { topic: "access/g/reply/x", hint: expect.stringContaining("max_packet_size") as string },
  ]);
  line.answer(line.sent[0] ?? "");
  outbox.settle();
  expect(table.rows).toEqual([]);
});

test("Outbox leaves events aside that are too large, however many, says so, and lets others pass", async () => {
  for (let id = 1; id <= 7; id += 1) {
    table.add(id, "event");
    line.tooLarge.add(String(id));
  }
  table.add(8, "event");
  const outbox: Outbox = new Outbox(
    {
      letters: table,
      topics: topicsOf("access", "g"),
      clock: time,
      log: { trace() {}, debug() {}, info() {}, warn: (fields: object) => void warnings.push(fields), error() {} },
    },
    { publisher: line, wake: () => setImmediate(() => outbox.send()), signal: life.signal },
  );
  outbox.send();
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  expect(line.sent).toEqual(["8"]);
  expect(warnings).toHaveLength(7);
  line.answer("8");
  outbox.settle();
  expect(table.rows.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
