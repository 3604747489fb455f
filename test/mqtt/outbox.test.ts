import * as fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { type Letters, Outbox, type Outgoing } from "../../agent/mqtt/outbox.ts";
import type { Answer, Publisher } from "../../agent/mqtt/publisher.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** A publisher whose PUBACKs come when the test says so. */
class Line implements Publisher {
  readonly sent: string[] = [];
  readonly unanswered = new Map<string, (answer: Answer) => void>();
  size = 3;
  readonly tooLarge = new Set<string>();

  get room(): number {
    return this.size - this.unanswered.size;
  }

  fits({ payload }: { payload: string }): boolean {
    return !this.tooLarge.has(payload);
  }

  publish({ payload }: { payload: string }, done: (answer: Answer) => void): void {
    this.sent.push(payload);
    this.unanswered.set(payload, done);
  }

  answer(payload: string, answer: Answer = { result: "taken" }): void {
    const done = this.unanswered.get(payload);
    this.unanswered.delete(payload);
    done?.(answer);
  }

  answerAll(answer?: Answer): void {
    for (const payload of this.unanswered.keys()) this.answer(payload, answer);
  }
}

const isEvent = ({ topic }: Outgoing): boolean => topic.includes("/event/");

class Table implements Letters {
  rows: Outgoing[] = [];
  readonly transactions: (readonly number[])[] = [];

  next(inFlight: ReadonlySet<number>, limit: number, of: Parameters<Letters["next"]>[2]): readonly Outgoing[] {
    return this.rows
      .filter(({ id }) => !inFlight.has(id))
      .filter((row) =>
        "topic" in of ? row.topic === of.topic : isEvent(row) === (of.rank === "event") && row.id > of.after,
      )
      .toSorted((a, b) => a.id - b.id)
      .slice(0, limit);
  }

  delivered(ids: readonly number[]): void {
    this.transactions.push(ids);
    this.rows = this.rows.filter(({ id }) => !ids.includes(id));
  }

  add(id: number, kind: "reply" | "event", name: number | string = id): void {
    this.rows.push({ id, topic: `access/g/${kind}/${name}`, payload: String(id) });
  }
}

let line: Line;
let table: Table;
let time: VirtualClock;
let told: object[];
let life: AbortController;

const begin = (): void => {
  line = new Line();
  table = new Table();
  time = new VirtualClock();
  told = [];
  life = new AbortController();
};
beforeEach(begin);

const tell = (fields: object): void => void told.push(fields);

function openOutbox(): Outbox {
  const log = { trace() {}, debug() {}, info: tell, warn: tell, error() {} };
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

const unheard: Answer = { result: "unheard" };
const refused: Answer = { result: "refused", reason: "Publish error: Not authorized" };

test("Outbox sends the first letter of a topic alone, and what follows it together when that was taken", () => {
  line.size = 10;
  for (const id of [1, 2, 3, 4]) table.add(id, "event", "x");
  table.add(5, "event", "y");
  const outbox = openOutbox();
  outbox.send();
  expect(line.sent).toEqual(["1"]);
  line.answer("1");
  outbox.send();
  expect(line.sent).toEqual(["1", "2", "3", "4", "5"]);
  for (const payload of ["2", "3", "4"]) line.answer(payload);
  outbox.send();
  for (const id of [6, 7]) table.add(id, "event", "x");
  outbox.send();
  expect(line.sent.slice(5)).toEqual(["6"]);
});

test.each([
  ["nobody is subscribed to", unheard, "nobody is subscribed"],
  ["the broker refuses", refused, "Publish error: Not authorized"],
])("Outbox leaves a topic alone that %s, says so once, and lets others pass", async (_, answer, reason) => {
  for (const id of [1, 2, 4]) table.add(id, "event", "x");
  table.add(3, "event", "y");
  const outbox = openOutbox();
  outbox.send();
  line.answer("1", answer);
  outbox.send();
  expect(line.sent).toEqual(["1", "3"]);
  line.answer("3", answer);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ topic: "access/g/event/x", reason });
  expect(outbox.unheard).toEqual(answer === unheard ? ["access/g/event/x", "access/g/event/y"] : []);
  await time.run(4_900);
  outbox.send();
  expect(line.sent).toHaveLength(2);
  await time.run(100);
  expect(line.sent).toEqual(["1", "3", "1", "3"]);
  expect(table.rows).toHaveLength(4);
});

test("Outbox sends what waited in its order when somebody listens again, and tries other topics at once", async () => {
  line.size = 100;
  for (let id = 1; id <= 20; id += 1) table.add(id, "event", id % 2);
  const outbox = openOutbox();
  for (let turn = 0; turn < 5; turn += 1) {
    outbox.send();
    line.answerAll(unheard);
  }
  expect(line.sent).toEqual(["1", "2"]);
  await time.run(5_000);
  expect(line.sent).toEqual(["1", "2", "1", "2"]);
  line.answer("2", unheard);
  line.answer("1");
  for (let turn = 0; turn < 30; turn += 1) {
    outbox.send();
    line.answerAll();
  }
  const now = line.sent.slice(4).map(Number);
  expect(now.filter((id) => id % 2 === 1)).toEqual([3, 5, 7, 9, 11, 13, 15, 17, 19]);
  expect(now.filter((id) => id % 2 === 0)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  outbox.settle();
  expect(table.rows).toEqual([]);
  expect(outbox.unheard).toEqual([]);
  table.add(21, "event", 1);
  outbox.send();
  expect(line.sent.at(-1)).toBe("21");
});

test("Outbox tries one letter, where several were under way when the reader left", async () => {
  line.size = 10;
  for (let id = 1; id <= 5; id += 1) table.add(id, "event", "x");
  const outbox = openOutbox();
  outbox.send();
  line.answer("1");
  outbox.send();
  line.answerAll(unheard);
  line.sent.length = 0;
  await time.run(5_000);
  expect(line.sent).toEqual(["2"]);
});

test("Outbox tries a topic without a reader ever more rarely, to once a minute, however much is added", async () => {
  table.add(1, "event", "x");
  const outbox = openOutbox();
  outbox.send();
  const tries: number[] = [];
  for (let second = 0; second < 600; second += 1) {
    if (line.unanswered.size > 0) tries.push(second);
    line.answerAll(unheard);
    table.add(second + 2, "event", "x");
    outbox.send();
    await time.run(1_000);
  }
  expect(tries.slice(0, 7)).toEqual([0, 5, 15, 35, 75, 135, 195]);
  expect(new Set(line.sent)).toEqual(new Set(["1"]));
});

test("Outbox tries a reply's topic at once when there is another reply for it: who asks is likely to listen", () => {
  table.add(1, "reply", "me");
  const outbox = openOutbox();
  outbox.send();
  line.answer("1", unheard);
  outbox.send();
  expect(line.sent).toEqual(["1"]);
  table.add(2, "reply", "me");
  outbox.send();
  expect(line.sent).toEqual(["1", "1"]);
  line.answer("1");
  outbox.send();
  expect(line.sent).toEqual(["1", "1", "2"]);
});

test("Outbox tries no more than 20 topics in a second, however many have no reader, and each in its turn", async () => {
  line.size = 5_000;
  for (let id = 1; id <= 2_000; id += 1) table.add(id, "reply");
  const outbox = openOutbox();
  outbox.send();
  const first = new Set(line.sent);
  line.answerAll(unheard);
  line.sent.length = 0;
  for (let second = 0; second < 100; second += 5) {
    await time.run(5_000);
    outbox.send();
    line.answerAll(unheard);
  }
  expect(line.sent).toHaveLength(2_000);
  expect(new Set(line.sent)).toEqual(first);
});

test("Outbox does nothing more with a refused letter when the connection has ended", async () => {
  table.add(1, "event");
  openOutbox().send();
  line.answer("1", refused);
  life.abort();
  await time.run(60_000);
  expect(line.sent).toEqual(["1"]);
});

/** Chance decides who listens when, which letters are added, and what is answered; at the end everybody listens. */
test("Outbox brings every letter once it has a reader, in the order of its topic", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ do: fc.constant("add" as const), kind: fc.constantFrom("event", "reply"), name: fc.nat(1) }),
          fc.record({ do: fc.constant("answer" as const), count: fc.integer({ min: 1, max: 3 }) }),
          fc.record({ do: fc.constant("subscribe" as const), name: fc.nat(1), on: fc.boolean() }),
          fc.record({ do: fc.constant("wait" as const), ms: fc.nat(70_000) }),
          fc.constant({ do: "reconnect" as const }),
        ),
        { maxLength: 120, size: "max" },
      ),
      async (acts) => {
        begin();
        const listens = new Set(["0"]);
        const heard: string[] = [];
        let all = 0;
        let outbox = openOutbox();
        // As a broker does: it answers in the order of arrival, by who is subscribed at that time.
        const answer = (count: number): void => {
          for (const payload of [...line.unanswered.keys()].slice(0, count)) {
            const { topic = "" } = table.rows.find(({ id }) => String(id) === payload) ?? {};
            const takes = listens.has(topic.split("/").at(-1) ?? "");
            if (takes) heard.push(`${topic} ${payload}`);
            line.answer(payload, takes ? { result: "taken" } : unheard);
          }
          outbox.send();
        };
        for (const act of acts) {
          if (act.do === "add") table.add((all += 1), act.kind === "event" ? "event" : "reply", act.name);
          else if (act.do === "answer") answer(act.count);
          else if (act.do === "wait") await time.run(act.ms);
          else if (act.do === "reconnect") {
            outbox.settle();
            life.abort();
            life = new AbortController();
            line.unanswered.clear();
            outbox = openOutbox();
          } else if (act.on) {
            listens.add(String(act.name));
            // Who leaves and comes back while letters are under way gets the later of them first: their numbers tell.
          } else if (line.unanswered.size === 0) {
            listens.delete(String(act.name));
          }
          outbox.send();
        }
        for (let name = 0; name <= 1; name += 1) listens.add(String(name));
        for (let turn = 0; turn < 400 && table.rows.length > 0; turn += 1) {
          await time.run(10_000);
          answer(10);
        }
        expect(table.rows).toEqual([]);
        for (const topic of new Set(heard.map((each) => each.split(" ")[0]))) {
          const ids = heard.filter((each) => each.startsWith(`${topic} `)).map((each) => Number(each.split(" ")[1]));
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
          expect(new Set(ids).size).toBe(ids.length);
        }
        expect(heard).toHaveLength(all);
      },
    ),
    { numRuns: 150 },
  );
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
  expect(told).toMatchObject([
    { topic: "access/g/reply/1", hint: expect.stringContaining("max_packet_size") as string },
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
      log: { trace() {}, debug() {}, info() {}, warn: (fields: object) => void told.push(fields), error() {} },
    },
    { publisher: line, wake: () => setImmediate(() => outbox.send()), signal: life.signal },
  );
  outbox.send();
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  expect(line.sent).toEqual(["8"]);
  expect(told).toHaveLength(7);
  line.answer("8");
  outbox.settle();
  expect(table.rows.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
