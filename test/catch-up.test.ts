import { afterEach, beforeEach, expect, test } from "vitest";
import { CatchUp } from "../agent/catch-up.ts";
import { rest, VirtualClock } from "./support/virtual-clock.ts";

/** How many commands each group has that is still to be carried out. */
let groups: number[];
let clock: VirtualClock;
let failures: unknown[];
let broken: Error | undefined;
let catchUp: CatchUp;
/** The groups that were carried out. */
let done: number[];

beforeEach(() => {
  groups = [];
  clock = new VirtualClock();
  failures = [];
  broken = undefined;
  done = [];
  catchUp = new CatchUp({
    backlog: {
      get size() {
        return groups.reduce((sum, count) => sum + count, 0);
      },
    },
    carryOut: () => {
      if (broken) throw broken;
      done.push(groups.shift() ?? 0);
    },
    clock,
    failed: (error) => failures.push(error),
  });
});

afterEach(() => catchUp.close());

function answered(...counts: readonly number[]): void {
  groups.push(...counts);
  catchUp.start();
}

/** For so long, another command comes every 50 ms. */
async function stream(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    answered(1);
    await clock.run(50);
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await rest();
}

test("where nothing is to be carried out, nobody waits, and it does nothing", async () => {
  catchUp.start();
  expect(catchUp.caughtUp()).toBeUndefined();
  await clock.run(60_000);
  expect(done).toEqual([]);
  expect(clock.woken).toBe(0);
});

test("carries out what is answered when nothing more has come for 100 ms, a group in each turn", async () => {
  answered(100, 100);
  await clock.run(99);
  expect(done).toEqual([]);
  answered(100);
  await clock.run(100);
  expect(done).toEqual([]);
  await clock.run(100);
  expect(done).toEqual([100]);
  await turns(1);
  expect(done).toEqual([100, 100]);
  await turns(1);
  expect(done).toEqual([100, 100, 100]);
  expect(catchUp.caughtUp()).toBeUndefined();
});

test("lets replies go first", async () => {
  answered(100);
  for (let time = 0; time < 10; time += 1) {
    catchUp.hold();
    await clock.run(100);
  }
  expect(done).toEqual([]);
  await clock.run(100);
  expect(done).toEqual([100]);
});

test("carries out after 5 s, also while more come; and waits as long again for those that come later", async () => {
  await stream(4_900);
  expect(done).toEqual([]);
  await stream(300);
  expect(done.length).toBeGreaterThan(0);
  await turns(200);
  expect(groups).toEqual([]);
  const before = done.length;
  await stream(4_900);
  expect(done).toHaveLength(before);
});

test("who waits is told when all that was answered by then is carried out, and not only when nothing is left", async () => {
  const told: string[] = [];
  answered(100, 50);
  void catchUp.caughtUp()?.then(() => told.push(`first after ${done.length}`));
  answered(100);
  void catchUp.caughtUp()?.then(() => told.push(`second after ${done.length}`));
  void catchUp.caughtUp()?.then(() => told.push(`third after ${done.length}`));
  answered(100);
  await turns(10);
  expect(told).toEqual(["first after 2", "second after 3", "third after 3"]);
  // What came after them is in no hurry.
  expect(groups).toEqual([100]);
  await clock.run(200);
  expect(groups).toEqual([]);
});

test("a wait may begin at any time of its sleep, and ends it", async () => {
  answered(100);
  await clock.run(60);
  const waiting = catchUp.caughtUp();
  await turns(3);
  expect(done).toEqual([100]);
  await expect(waiting).resolves.toBe(true);
  answered(100);
  await clock.run(99);
  expect(done).toEqual([100]);
  await clock.run(101);
  expect(done).toEqual([100, 100]);
});

test("where it fails, all who wait are told, who comes later as well, and the agent, once", async () => {
  answered(100);
  broken = new Error("disk full");
  const waiting = [catchUp.caughtUp(), catchUp.caughtUp()].map((each) => expect(each).rejects.toThrow("disk full"));
  await Promise.all(waiting);
  expect(() => catchUp.caughtUp()).toThrow("disk full");
  answered(100);
  await clock.run(60_000);
  expect(failures).toEqual([broken]);
  await catchUp.close();
});

test("where it fails while nobody waits, the agent is told", async () => {
  answered(100);
  broken = new Error("disk full");
  await clock.run(200);
  expect(failures).toEqual([broken]);
});

test("close() leaves the rest for the next start", async () => {
  answered(100, 100);
  await clock.run(200);
  expect(done).toEqual([100]);
  await catchUp.close();
  await turns(5);
  expect(done).toEqual([100]);
  expect(clock.asleep).toBe(0);
  answered(100);
  await clock.run(60_000);
  expect(done).toEqual([100]);
});

test("close() ends its sleep", async () => {
  answered(100);
  await clock.run(10);
  await catchUp.close();
  expect(clock.asleep).toBe(0);
  expect(done).toEqual([]);
});

test("close() carries out nothing more, and tells all who wait for it, and who comes later", async () => {
  answered(100, 100);
  const [first, second] = [catchUp.caughtUp(), catchUp.caughtUp()];
  await catchUp.close();
  await expect(Promise.all([first, second, catchUp.caughtUp()])).resolves.toEqual([false, false, false]);
  expect(done).toEqual([]);
  answered(100);
  await turns(5);
  expect(done).toEqual([]);
});
