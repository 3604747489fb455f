import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Turns } from "../../drivers/shared/turns.ts";
import { never } from "./bench.ts";

test("they take turns in the order in which they asked, also behind one that gave up waiting", async () => {
  const turns = new Turns();
  const done: string[] = [];
  let end: (() => void) | undefined;
  const busy = new Promise<void>((resolve) => {
    end = resolve;
  });
  const turn = (name: string, signal: AbortSignal, work: Promise<void> = Promise.resolve()): Promise<unknown> =>
    turns.take(() => work.then(() => done.push(name)), signal);
  const over = new AbortController();
  const first = turn("first", never(), busy);
  const impatient = turn("impatient", over.signal);
  const last = turn("last", never());
  over.abort(new Error("too long"));
  await expect(impatient).rejects.toThrow("too long");
  expect(done).toEqual([]);
  end?.();
  await Promise.all([first, last]);
  expect(done).toEqual(["first", "last"]);
});

test("what was given in a turn is not kept: it may be a code, and there are many turns in the life of a lock", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const turns = new Turns();
  const given = async (): Promise<WeakRef<object>> => new WeakRef(await turns.take(async () => ({}), never()));
  const before = await given();
  const last = await given();
  // What a turn of the event loop has looked at lives until its end.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  collect();
  expect([before.deref(), last.deref()]).toEqual([undefined, undefined]);
  await turns.take(async () => undefined, never());
});
