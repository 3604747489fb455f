import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Store } from "../../agent/store/store.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { StoreDir } from "../support/store-dir.ts";

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
