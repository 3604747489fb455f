import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AnsweredCommand, AnsweredGroup } from "../../agent/store/backlog.ts";
import type { Store } from "../../agent/store/store.ts";
import { doors, MemoryStore } from "../support/memory-store.ts";
import { StoreDir } from "../support/store-dir.ts";

const body = '{"ok":true}';
const commandOf = (id: string, of: Partial<AnsweredCommand> = {}): AnsweredCommand => ({
  name: "user_identities/grant_access_to_device",
  input: { request_id: id, user_identity_id: id, device_id: "door-1" },
  requestId: id,
  body,
  topic: `reply/${id}`,
  ...of,
});
const add = (store: Store, ...commands: AnsweredCommand[]): void =>
  store.transaction(() => store.backlog.add(commands));
const put = (store: Store, topic: string, now: StoreDir["now"]): void =>
  store.outbox.put({ rank: "reply", topic, payload: body }, now);
const replies = ({ outbox }: Store): ReturnType<Store["outbox"]["next"]> =>
  outbox.next(new Set(), 1_000, { rank: "reply", after: 0 });
const topics = (store: Store): readonly string[] => replies(store).map(({ topic }) => topic);

function first({ backlog }: Store): AnsweredGroup {
  const group = backlog.first();
  if (!group) throw new Error("nothing is left to be carried out");
  return group;
}
const remove = (store: Store, now: StoreDir["now"]): void =>
  store.transaction(() => store.backlog.remove(first(store), now));
/** As the session does it. */
function delivered(store: Store, ids: readonly number[]): void {
  const rows = store.outbox.deliveredEarly(ids);
  store.transaction(() => store.outbox.delivered(rows));
}

test("commands and their replies are there again after a restart, in their order and under the same numbers", () => {
  using dir = new StoreDir();
  const before = dir.open();
  const bytes = Buffer.from([0, 255, 128, 34]);
  const groups = [
    [commandOf("a"), commandOf("b", { correlation: bytes, topic: "reply/some/where" })],
    [commandOf("c", { topic: undefined, requestId: undefined }), commandOf("d")],
  ];
  for (const group of groups) add(before, ...group);
  const told = replies(before);
  expect(told.map(({ topic }) => topic)).toEqual(["reply/a", "reply/some/where", "reply/d"]);
  expect(told.map(({ payload }) => payload)).toEqual([body, body, body]);
  expect(told[1]?.correlation).toEqual(bytes);

  const after = dir.open();
  expect(replies(after)).toEqual(told);
  expect(after.backlog.size).toBe(4);
  expect(["a", "b", "c", "d"].filter((id) => after.backlog.has(id))).toEqual(["a", "b", "d"]);
  for (const group of groups) {
    expect(JSON.stringify(first(after).commands)).toBe(JSON.stringify(group));
    expect(first(after).commands[1]?.correlation).toEqual(group[1]?.correlation);
    remove(after, dir.now);
  }
  expect(after.backlog.first()).toBeUndefined();
  expect(after.backlog.size).toBe(0);
  expect(after.backlog.has("a")).toBe(false);
});

test("what is carried out leaves a row of each reply that the broker has not yet, in its place, and of no other", () => {
  using dir = new StoreDir();
  const store = dir.open();
  add(store, commandOf("a"), commandOf("b"), commandOf("c"));
  add(store, commandOf("d"));
  const told = replies(store);
  delivered(
    store,
    told.filter(({ topic }) => topic === "reply/b").map(({ id }) => id),
  );
  remove(store, dir.now);
  const left = told.filter(({ topic }) => topic !== "reply/b");
  expect(replies(store)).toEqual(left);
  expect(replies(dir.open())).toEqual(left);
});

test("a reply that was on its way when its command was carried out is removed when the broker has it", () => {
  using dir = new StoreDir();
  const store = dir.open();
  add(store, commandOf("a"), commandOf("b"));
  const [a] = replies(store);
  remove(store, dir.now);
  delivered(store, a ? [a.id] : []);
  expect(topics(store)).toEqual(["reply/b"]);
  expect(topics(dir.open())).toEqual(["reply/b"]);
});

test("before it is carried out, a reply that the broker has comes once more after a restart, and no earlier", () => {
  using dir = new StoreDir();
  const store = dir.open();
  add(store, commandOf("a"), commandOf("b"));
  delivered(
    store,
    replies(store).map(({ id }) => id),
  );
  expect(topics(store)).toEqual([]);
  expect(topics(dir.open())).toEqual(["reply/a", "reply/b"]);
});

test("replies leave only when the disk has the commands, and none that comes later goes before", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transaction(() => put(store, "reply/1", dir.now));
  store.transactionUnsynced(() => store.backlog.add([commandOf("a"), commandOf("b")]));
  expect(topics(store)).toEqual(["reply/1"]);
  expect(store.outbox.waiting).toBe(3);
  await store.synced();
  expect(topics(store)).toEqual(["reply/1", "reply/a", "reply/b"]);
});

test("replies that could leave before their commands were carried out can also then, and hold back no others", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transactionUnsynced(() => store.backlog.add([commandOf("a"), commandOf("b")]));
  store.transactionUnsynced(() => put(store, "reply/1", dir.now));
  await store.synced();
  store.transactionUnsynced(() => {
    store.backlog.remove(first(store), dir.now);
    put(store, "reply/2", dir.now);
  });
  // The disk has them as rows, or with their commands: one or the other. Who asks by topic takes none for none ever.
  expect(topics(store)).toEqual(["reply/a", "reply/b", "reply/1"]);
  for (const topic of ["reply/a", "reply/1"])
    expect(store.outbox.next(new Set(), 1, { topic })).toMatchObject([{ topic }]);
  await store.synced();
  expect(topics(store)).toEqual(["reply/a", "reply/b", "reply/1", "reply/2"]);
});

test("replies to what is carried out before the disk has it wait as before", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transactionUnsynced(() => store.backlog.add([commandOf("a")]));
  store.transactionUnsynced(() => store.backlog.remove(first(store), dir.now));
  expect(topics(store)).toEqual([]);
  await store.synced();
  expect(topics(store)).toEqual(["reply/a"]);
});

test("replies to commands that are undone leave never", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  const undone = (): void =>
    store.transactionUnsynced(() => {
      store.backlog.add([commandOf("a")]);
      throw new Error("disk full");
    });
  expect(undone).toThrow("disk full");
  store.backlog.silence(new Error("disk full"));
  store.transaction(() => put(store, "reply/1", dir.now));
  await store.synced();
  expect(topics(store)).toEqual(["reply/1"]);
  expect(dir.open().backlog.size).toBe(0);
});

test("letters are counted and found by their topic, whether they have a row or not", () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transaction(() => put(store, "reply/a", dir.now));
  add(store, commandOf("a"), commandOf("b"), commandOf("c", { topic: undefined }));
  add(store, commandOf("d", { topic: "reply/a" }));
  const { outbox } = store;
  expect(outbox.waiting).toBe(4);
  expect(outbox.waitingOn(["reply/a", "reply/x"])).toBe(3);
  expect(outbox.waitingOn(["reply/a", "reply/b", "reply/c"])).toBe(4);
  expect(outbox.waitingOn([])).toBe(0);
  const found = (limit: number): readonly number[] =>
    outbox.next(new Set(), limit, { topic: "reply/a" }).map(({ id }) => id);
  expect(found(9)).toEqual(found(9).toSorted((a, b) => a - b));
  expect(found(9)).toHaveLength(3);
  expect(found(2)).toEqual(found(9).slice(0, 2));
  expect(outbox.next(new Set(found(2)), 9, { topic: "reply/a" }).map(({ id }) => id)).toEqual(found(9).slice(2));
  expect(outbox.next(new Set(), 9, { rank: "event", after: 0 })).toEqual([]);
});

type Act = { readonly act: "put" | "remove" | "reopen" } | { readonly act: "add" | "deliver"; readonly count: number };
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    fc.record({ act: fc.constantFrom("put", "remove", "reopen") } satisfies Record<"act", unknown>),
    fc.record({ act: fc.constantFrom("add", "deliver"), count: fc.integer({ min: 1, max: 4 }) } satisfies Record<
      "act" | "count",
      unknown
    >),
  ),
  { maxLength: 25 },
);

test("each letter has a number of its own, in the order of coming, and leaves only when the broker has it", () => {
  fc.assert(
    fc.property(acts, (all) => {
      using desk = new MemoryStore();
      let { store } = desk;
      let count = 0;
      const waiting = new Set<string>();
      const early: string[][] = [];
      const numbers = new Map<string, number>();
      for (const each of all) {
        if (each.act === "put") {
          const topic = `reply/${(count += 1)}`;
          store.transaction(() => put(store, topic, desk.now));
          waiting.add(topic);
        } else if (each.act === "add") {
          const ids = Array.from({ length: each.count }, () => String((count += 1)));
          add(store, ...ids.map((id) => commandOf(id)));
          for (const id of ids) waiting.add(`reply/${id}`);
          early.push(ids.map((id) => `reply/${id}`));
        } else if (each.act === "deliver") {
          const some = replies(store).slice(0, each.count);
          delivered(
            store,
            some.map(({ id }) => id),
          );
          for (const { topic } of some) waiting.delete(topic);
        } else if (each.act === "remove") {
          if (early.shift()) remove(store, desk.now);
        } else {
          store = desk.reopened(doors);
          for (const topic of early.flat()) waiting.add(topic);
        }
        const now = replies(store);
        expect(now.map(({ topic }) => topic)).toEqual([...waiting].toSorted((a, b) => numberOf(a) - numberOf(b)));
        for (const { topic, id } of now) expect(numbers.get(topic) ?? id).toBe(id);
        for (const { topic, id } of now) numbers.set(topic, id);
        expect(new Set(numbers.values()).size).toBe(numbers.size);
        expect(now.map(({ id }) => id)).toEqual(now.map(({ id }) => id).toSorted((a, b) => a - b));
        expect(store.backlog.size).toBe(early.flat().length);
      }
    }),
    { numRuns: 40 },
  );
});

const numberOf = (topic: string): number => Number(topic.slice("reply/".length));
