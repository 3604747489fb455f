import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import type { Store } from "../../agent/store/store.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { StoreDir } from "../support/store-dir.ts";

const put = (store: Store, topic: string): void =>
  store.outbox.put({ rank: "reply", topic, payload: "{}" }, instant(1_750_000_000_000));
const handedOut = ({ outbox }: Store): readonly string[] =>
  outbox.next(new Set(), 100, { rank: "reply", after: 0 }).map(({ topic }) => topic);

test("what is committed for the disk to take later is told to nobody before that, nor what comes behind it", async () => {
  using dir = new StoreDir();
  const store = dir.open();
  store.transaction(() => put(store, "reply/1"));
  store.transactionUnsynced(() => put(store, "reply/2"));
  expect(handedOut(store)).toEqual(["reply/1"]);
  store.transaction(() => put(store, "reply/3"));
  expect(handedOut(store)).toEqual(["reply/1"]);
  const synced = store.synced();
  store.transactionUnsynced(() => put(store, "reply/4"));
  await synced;
  // The disk was asked after the fourth was committed, too.
  expect(handedOut(store)).toEqual(["reply/1", "reply/2", "reply/3", "reply/4"]);
  const next = store.synced();
  expect(next).toBeUndefined();
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
