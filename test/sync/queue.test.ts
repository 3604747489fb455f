import { expect, test } from "vitest";
import { type DeviceId, deviceId } from "../../agent/domain/ids.ts";
import { type Instant, later } from "../../agent/domain/instant.ts";
import { within } from "../../agent/sync/deadline.ts";
import { Queue, type Rank } from "../../agent/sync/queue.ts";
import type { Clock } from "../../drivers/driver.ts";
import { rest, VirtualClock } from "../support/virtual-clock.ts";

const [a, b, c] = [deviceId("a"), deviceId("b"), deviceId("c")];

/** A queue whose work takes ten seconds, and what it did when. */
class Bench {
  readonly clock = new VirtualClock();
  readonly began: string[] = [];
  readonly done: string[] = [];
  readonly awaited: boolean[] = [];
  readonly queue: Queue;
  running = 0;
  most = 0;
  readonly ranks = new Map<DeviceId, Rank>();
  readonly strangers = new Set<DeviceId>();
  comeBack: (device: DeviceId) => Instant | undefined = () => undefined;
  /** How far the time that the queue is told is from that of the test. */
  ahead = 0;
  readonly #began = this.clock.now();

  constructor(atOnce: 1 | "unlimited", linkOf: (device: DeviceId) => string = () => "wire") {
    const clock: Clock = {
      now: () => later(this.clock.now(), this.ahead),
      sleep: (ms, signal) => this.clock.sleep(ms, signal),
    };
    this.queue = new Queue(clock, {
      laneOf: (device) => ({ link: linkOf(device), atOnce }),
      rankOf: (device) => this.ranks.get(device) ?? "usual",
      isStranger: (device) => this.strangers.has(device),
      work: async (device, _, isAwaited) => {
        this.running += 1;
        this.most = Math.max(this.most, this.running);
        this.began.push(`${device} ${(this.clock.now() - this.#began) / 1000}`);
        await this.clock.sleep(10_000);
        this.running -= 1;
        this.done.push(`${device} ${(this.clock.now() - this.#began) / 1000}`);
        this.awaited.push(isAwaited("revokes"));
        return this.comeBack(device);
      },
    });
  }
}

test("add() of one device a thousand times is one round, and one more for what came while it ran", async () => {
  const bench = new Bench("unlimited");
  for (let time = 0; time < 1_000; time++) bench.queue.add(a);
  await bench.clock.run(5_000);
  for (let time = 0; time < 1_000; time++) bench.queue.add(a);
  await bench.clock.run(60_000);
  expect(bench.done).toEqual(["a 10", "a 20"]);
  expect(bench.most).toBe(1);
});

test("a wire that bears one lock at a time serves them in turn, and none twice before the others", async () => {
  const bench = new Bench(1);
  for (const device of [a, b, c]) bench.queue.add(device);
  await bench.clock.run(1_000);
  bench.queue.add(a);
  await bench.clock.run(60_000);
  expect(bench.done).toEqual(["a 10", "b 20", "c 30", "a 40"]);
  expect(bench.most).toBe(1);
});

test("on a wire, revokes go first, then who waited longest, and a deaf lock last; but not for ever", async () => {
  const bench = new Bench(1);
  const [d, e] = [deviceId("d"), deviceId("e")];
  bench.ranks.set(b, "deaf").set(d, "revokes").set(e, "deaf");
  bench.queue.add(a, b, c, d, e);
  await bench.clock.run(50_000);
  expect(bench.done).toEqual(["d 10", "a 20", "c 30", "b 40", "e 50"]);
  expect(bench.awaited).toEqual([false, false, false, false, false]);

  bench.comeBack = (device) => (device === b ? undefined : bench.clock.now());
  bench.queue.add(a, b, c);
  await bench.clock.run(400_000);
  expect(bench.done.slice(5).findIndex((each) => each.startsWith("b"))).toBe(30);
});

test("who is worked on is told that another on the wire has something to take away", async () => {
  const bench = new Bench(1);
  bench.queue.add(a);
  bench.ranks.set(b, "revokes");
  bench.queue.add(b, c);
  await bench.clock.run(60_000);
  expect(bench.done).toEqual(["a 10", "b 20", "c 30"]);
  expect(bench.awaited).toEqual([true, false, false]);
});

test("strangers on a link that bears any number come a few at once, then ten in a second, revokes first", async () => {
  const bench = new Bench("unlimited");
  const many = Array.from({ length: 30 }, (_, at) => deviceId(`lock-${at}`));
  for (const device of many) bench.strangers.add(device);
  bench.ranks.set(deviceId("lock-29"), "revokes");
  bench.queue.add(...many);
  bench.queue.add(a);
  await bench.clock.run(60_000);
  expect(bench.began.slice(0, 9)).toEqual(["lock-29 0", ...[0, 1, 2, 3, 4, 5, 6].map((at) => `lock-${at} 0`), "a 0"]);
  expect(bench.began.slice(9)).toEqual(
    Array.from({ length: 22 }, (_, at) => `lock-${at + 7} ${((at + 1) / 10).toFixed(1).replace(".0", "")}`),
  );
});

test("a stranger does not wait for a clock that was set back to be as late again", async () => {
  const bench = new Bench("unlimited");
  bench.strangers.add(a);
  bench.ahead = 3600_000;
  bench.queue.add(a);
  await bench.clock.run(60_000);
  bench.ahead = 0;
  bench.queue.add(a);
  await bench.clock.run(60_000);
  expect(bench.began).toEqual(["a 0", "a 60.1"]);
});

test("locks on different wires do not wait for each other", async () => {
  const bench = new Bench(1, (device) => device);
  for (const device of [a, b, c]) bench.queue.add(device);
  await bench.clock.run(60_000);
  expect(bench.done).toEqual(["a 10", "b 10", "c 10"]);
});

test("a round says when it is to come back, and what happens earlier takes its place", async () => {
  const bench = new Bench("unlimited");
  const at = later(bench.clock.now(), 60_000);
  bench.comeBack = () => (bench.clock.now() < at ? at : undefined);
  bench.queue.add(a);
  await bench.clock.run(30_000);
  bench.queue.add(a);
  await bench.clock.run(300_000);
  expect(bench.done).toEqual(["a 10", "a 40", "a 70"]);
  expect(bench.clock.asleep).toBe(0);
});

test("a device that is due again and again lets the rest of the process run in between", async () => {
  const clock = new VirtualClock();
  let rounds = 0;
  const queue = new Queue(clock, {
    laneOf: () => ({ link: "wire", atOnce: 1 }),
    rankOf: () => "usual",
    isStranger: () => false,
    work: async () => {
      rounds += 1;
      return rounds < 100 ? clock.now() : undefined;
    },
  });
  queue.add(a);
  await rest();
  expect(rounds).toBe(1);
  await clock.run(0);
  expect(rounds).toBe(100);
});

test("close() waits for what runs, starts nothing more, and leaves no alarm behind", async () => {
  const bench = new Bench(1);
  bench.comeBack = () => later(bench.clock.now(), 60_000);
  bench.queue.add(a);
  bench.queue.add(b);
  let closed = false;
  const closing = bench.queue.close().then(() => (closed = true));
  await rest();
  expect(closed).toBe(false);
  await bench.clock.run(10_000);
  await closing;
  bench.queue.add(c);
  await bench.clock.run(600_000);
  expect(bench.done).toEqual(["a 10"]);
  expect(bench.clock.asleep).toBe(0);
});

test("within() gives what was in time, and leaves no timer behind", async () => {
  const clock = new VirtualClock();
  expect(await within(1_000, clock, new AbortController().signal, async () => 7)).toBe(7);
  await rest();
  expect(clock.asleep).toBe(0);
});

test("within() is a LinkError when it takes longer, and tells the one who still works on it", async () => {
  const clock = new VirtualClock();
  let told: AbortSignal | undefined;
  const late = within(1_000, clock, new AbortController().signal, (signal) => {
    told = signal;
    return new Promise<never>(() => undefined);
  });
  const ended = late.catch((error: unknown) => error);
  await clock.run(1_000);
  expect(await ended).toMatchObject({ name: "LinkError", sent: true });
  expect(told?.aborted).toBe(true);
});

test("within() ends with the reason of the signal that ends it", async () => {
  const clock = new VirtualClock();
  const end = new AbortController();
  const cut = within(1_000, clock, end.signal, () => new Promise<never>(() => undefined)).catch(
    (error: unknown) => error,
  );
  end.abort(new Error("enough"));
  expect(await cut).toMatchObject({ message: "enough" });
  expect(clock.asleep).toBe(0);
});
