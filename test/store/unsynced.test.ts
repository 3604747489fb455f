import Database from "better-sqlite3";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { StoreError } from "../../agent/errors.ts";
import { mqttIntake } from "../../agent/intake.ts";
import type { Arrival } from "../../agent/mqtt/inbox.ts";
import { topicsOf } from "../../agent/mqtt/topics.ts";
import type { Store } from "../../agent/store/store.ts";
import { partsOn } from "../support/answering-agent.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { StoreDir } from "../support/store-dir.ts";
import { caughtUp } from "../support/world.ts";

const put = (store: Store, topic: string): void =>
  store.outbox.put({ rank: "reply", topic, payload: "{}" }, instant(1_750_000_000_000));
const handedOut = ({ outbox }: Store): readonly string[] =>
  outbox.next(new Set(), 100, { rank: "reply", after: 0 }).map(({ topic }) => topic);

test("what is committed for the disk to take later is told to nobody before that", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  const released = vi.fn<() => void>();
  store.outbox.onReleased(released);
  store.transaction(() => put(store, "reply/1"));
  store.transactionUnsynced(() => put(store, "reply/2"));
  expect(handedOut(store)).toEqual(["reply/1"]);
  expect(released).not.toHaveBeenCalled();
  // Nobody has to ask for it.
  await vi.waitFor(() => expect(released).toHaveBeenCalledOnce());
  expect(handedOut(store)).toEqual(["reply/1", "reply/2"]);
  expect(store.synced()).toBeUndefined();
});

test("a commit that waits for the disk has waited for all before it; one that wrote nothing has not", () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transactionUnsynced(() => put(store, "reply/1"));
  store.transaction(() => store.outbox.waiting);
  expect(handedOut(store)).toEqual([]);
  store.transaction(() => put(store, "reply/2"));
  expect(handedOut(store)).toEqual(["reply/1", "reply/2"]);
  store.transactionUnsynced(() => store.outbox.waiting);
  expect(store.outbox.isHolding).toBe(false);
});

test("who asks later is told later, also where a commit in between has waited by itself", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  const order: string[] = [];
  store.transactionUnsynced(() => put(store, "reply/1"));
  const first = store.synced()?.then(() => order.push("first"));
  await Promise.resolve();
  store.transaction(() => put(store, "reply/2"));
  const second = store.synced()?.then(() => order.push("second"));
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
});

test("a commit within another is on disk when that is, and the way commits are brought there stays as it was", () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transaction(() => store.transactionUnsynced(() => put(store, "reply/1")));
  expect(handedOut(store)).toEqual(["reply/1"]);
  expect(store.synced()).toBeUndefined();
  expect(() =>
    store.transactionUnsynced(() => {
      put(store, "reply/2");
      throw new Error("no");
    }),
  ).toThrow("no");
  store.transaction(() => put(store, "reply/3"));
  expect(handedOut(store)).toEqual(["reply/1", "reply/3"]);
  expect(store.outbox.isHolding).toBe(false);
});

/** Letters that are put, some of them for the disk to take later; and the disk, which begins, and is done. */
const acts = fc.array(fc.constantFrom("put", "put later", "disk begins", "disk is done"), { maxLength: 40 });

test("letters leave in their order, up to the first that is not on disk", () => {
  using desk = new MemoryStore();
  const { outbox } = desk.store;
  fc.assert(
    fc.property(acts, (all) => {
      outbox.syncing();
      outbox.synced();
      const last = outbox.next(new Set(), 100, { rank: "reply", after: 0 });
      outbox.delivered(last.map(({ id }) => id));
      const letters: { readonly topic: string; state: "on disk" | "under way" | "later" }[] = [];
      let isBusy = false;
      for (const act of all) {
        const topic = `reply/${letters.length}`;
        if (act === "put") {
          put(desk.store, topic);
          letters.push({ topic, state: "on disk" });
        } else if (act === "put later") {
          outbox.holding(() => put(desk.store, topic));
          letters.push({ topic, state: "later" });
        } else if (act === "disk begins" && !isBusy) {
          isBusy = true;
          outbox.syncing();
          for (const letter of letters) if (letter.state === "later") letter.state = "under way";
        } else if (act === "disk is done" && isBusy) {
          isBusy = false;
          outbox.synced();
          for (const letter of letters) if (letter.state === "under way") letter.state = "on disk";
        }
        const first = letters.findIndex(({ state }) => state !== "on disk");
        const expected = letters.slice(0, first < 0 ? letters.length : first).map((letter) => letter.topic);
        expect(handedOut(desk.store)).toEqual(expected);
      }
    }),
    { numRuns: 200 },
  );
});

const grants = (count: number, from: string): Arrival[] =>
  Array.from({ length: count }, (_, at) => ({
    topic: "access/gateway-1/command/user_identities/grant_access_to_device",
    payload: Buffer.from(JSON.stringify({ user_identity_id: `${from}-${at}`, device_id: "door-1" })),
    retained: false,
  }));

test("commands are served in the order in which they came, whether they wait for the disk by themselves or with others", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  const served: number[] = [];
  const intake = mqttIntake(
    partsOn(store, {
      now: () => dir.now,
      catchUp: caughtUp,
      failed: (error) => expect.fail(String(error)),
      committed: ({ commands }) => void served.push(commands),
    }),
    topicsOf("access", "gateway-1"),
    { codes: "never", commands: ["*"] },
  );
  const many = intake.accept(grants(6, "a"));
  await Promise.resolve();
  const one = intake.accept(grants(1, "b"));
  // The same as before: nothing is written, and it stands in a commit that is on its way.
  const again = intake.accept(grants(1, "a"));
  expect(served).toEqual([]);
  await Promise.all([many, one, again]);
  expect(served).toEqual([6, 1, 1]);
});

test("a database that fails under one of many commands takes none of them", () => {
  using dir = new StoreDir();
  const store = dir.open();
  const failing = (): void =>
    store.transactionUnsynced(() => {
      put(store, "reply/1");
      try {
        store.attempt(() => {
          throw new Database.SqliteError("disk full", "SQLITE_FULL");
        });
      } catch (error) {
        // As a command does it: whatever else is wrong is its own trouble.
        if (error instanceof StoreError) throw error;
      }
    });
  expect(failing).toThrow(StoreError);
  expect(store.outbox.waiting).toBe(0);
});

test("what was lost is not told before the disk has it, also where it takes the place of what was told before", async () => {
  using dir = new StoreDir();
  const store = dir.open({ events: { rows: 5, days: 30 } });
  const emit = (): void => store.records.event("x", {});
  for (let count = 0; count < 8; count += 1) store.transaction(emit);
  store.transactionUnsynced(() => {
    emit();
    emit();
  });
  const losses = (): number =>
    store.outbox.next(new Set(), 100, { rank: "event", after: 0 }).filter(({ topic }) => topic === "event/events_lost")
      .length;
  expect(losses()).toBe(0);
  await store.synced();
  expect(losses()).toBe(1);
});
