import { beforeEach, expect, test } from "vitest";
import {
  type ActionAttempt,
  type AttemptEnd,
  actionAttemptId,
  type BoltAct,
} from "../../agent/domain/action-attempt.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { later } from "../../agent/domain/instant.ts";
import { Actuator } from "../../agent/sync/actuator.ts";
import { type ActOutcome, type Bolt, LinkError, type LockDevice } from "../../drivers/driver.ts";
import { StallingClock } from "../support/stalling-clock.ts";

const door = deviceId("door-1");
const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

let clock: StallingClock;
let sent: string[];
let ended: { readonly id: string; readonly end: AttemptEnd; readonly isTold: boolean }[];
/** What the lock makes of the next command. */
let answer: (signal: AbortSignal) => Promise<ActOutcome>;
let lock: LockDevice | undefined;
let actuator: Actuator;

const bolt: Bolt = {
  unlock(signal) {
    sent.push("unlock");
    return answer(signal);
  },
  lock(signal) {
    sent.push("lock");
    return answer(signal);
  },
};
const lockWith = (part: Pick<LockDevice, "bolt">): LockDevice => ({
  abilities: () => Promise.reject(new LinkError("not asked")),
  ...part,
});

beforeEach(() => {
  clock = new StallingClock();
  sent = [];
  ended = [];
  answer = async () => ({ result: "done", confirmed: true });
  lock = lockWith({ bolt });
  actuator = new Actuator({
    end: ({ id }, end, isTold) => void ended.push({ id, end, isTold }),
    lockOf: () => lock,
    clock,
    monotonic: () => clock.steady(),
    log: quiet,
    committed: () => undefined,
    failed(error) {
      throw error;
    },
  });
});

const attempt = (id: string, act: BoltAct = "unlock", goodFor = 10_000): ActionAttempt => ({
  id: actionAttemptId(id),
  device: door,
  act,
  createdAt: clock.now(),
  deadline: later(clock.now(), goodFor),
});
const after = (ms: number, outcome: ActOutcome) => async () => {
  await clock.sleep(ms);
  return outcome;
};
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () =>
      reject(signal.reason instanceof Error ? signal.reason : new Error("aborted")),
    );
  });
const failed = (reason: string): object => ({ end: { result: "failed", reason } });

test("what a lock has done ends the attempt as the lock says, and says whether the lock has confirmed it", async () => {
  actuator.begin(attempt("a"));
  await clock.run(0);
  answer = async () => ({ result: "done", confirmed: false });
  actuator.begin(attempt("b", "lock"));
  await clock.run(0);
  expect(ended).toEqual([
    { id: "a", end: { result: "done", confirmed: true }, isTold: false },
    { id: "b", end: { result: "done", confirmed: false }, isTold: false },
  ]);
  expect(sent).toEqual(["unlock", "lock"]);
});

test("what is wanted of one device is done one after the other, as it was wanted, and late ones not at all", async () => {
  answer = after(6_000, { result: "done", confirmed: true });
  actuator.begin(attempt("a"), attempt("b", "lock"), attempt("c"));
  await clock.run(30_000);
  expect(sent).toEqual(["unlock", "lock"]);
  expect(ended).toMatchObject([
    { id: "a", end: { result: "done" } },
    // It was sent in time, and this lock takes longer.
    { id: "b", end: { result: "done" } },
    { id: "c", ...failed("command_too_late") },
  ]);
});

test("one that waits behind others is not good for longer where the clock is set back meanwhile", async () => {
  answer = after(8_000, { result: "done", confirmed: true });
  actuator.begin(attempt("a"), attempt("b", "lock", 2_000), attempt("c", "unlock", 9_000));
  await clock.run(1_000);
  clock.stall(-60_000);
  await clock.run(7_000);
  expect(sent).toEqual(["unlock", "unlock"]);
  expect(ended).toMatchObject([
    { id: "a", end: { result: "done" } },
    { id: "b", ...failed("command_too_late") },
  ]);
});

test("at the deadline a lock that has not answered is not waited for: what it did is not known", async () => {
  answer = untilAborted;
  actuator.begin(attempt("a", "unlock", 3_000));
  await clock.run(2_999);
  expect(ended).toEqual([]);
  await clock.run(1);
  expect(ended).toMatchObject([{ id: "a", ...failed("outcome_unknown") }]);
  expect(sent).toEqual(["unlock"]);
});

test("nothing is sent that could not be sent in time, where the driver says so", async () => {
  answer = async (signal) => {
    await untilAborted(signal).catch(() => undefined);
    throw new LinkError("the wire was busy", { sent: false });
  };
  actuator.begin(attempt("a", "unlock", 1_000));
  await clock.run(1_000);
  expect(ended).toMatchObject([{ id: "a", ...failed("command_too_late") }]);
});

test.each<[string, () => void, string]>([
  ["a link that is not open", () => (lock = undefined), "device_offline"],
  ["a lock without a bolt", () => (lock = lockWith({})), "not_supported"],
  [
    "silence before anything was sent",
    () => (answer = () => Promise.reject(new LinkError("away", { sent: false }))),
    "device_offline",
  ],
  ["silence", () => (answer = () => Promise.reject(new LinkError("no answer"))), "outcome_unknown"],
  ["a fault of the driver", () => (answer = () => Promise.reject(new Error("bug"))), "outcome_unknown"],
  ["a refusal", () => (answer = async () => ({ result: "refused", detail: "jammed" })), "lock_refused"],
  ["an answer that says nothing", () => (answer = async () => ({ result: "unknown" })), "outcome_unknown"],
])("%s ends the attempt, which is sent once at most", async (_, arrange, reason) => {
  arrange();
  actuator.begin(attempt("a"));
  await clock.run(60_000);
  expect(ended).toMatchObject([{ id: "a", ...failed(reason) }]);
  expect(sent.length).toBeLessThanOrEqual(1);
});

test("what a lock tells of its bolt soon after is of the attempt, told once, and not what people do at it", async () => {
  const tells = (event: "locked" | "unlocked", method: "remote" | "keypad" | "unknown" = "remote") =>
    actuator.causeOf(door, { at: clock.now(), address: "1", event, method });
  expect(tells("unlocked")).toBeUndefined();
  actuator.begin(attempt("a"));
  await clock.run(0);
  expect(tells("unlocked", "keypad")).toBeUndefined();
  expect(tells("locked")).toBeUndefined();
  // The end has told of it already, as the lock had said where its bolt is.
  expect(tells("unlocked")).toEqual({ attempt: "a", isTold: true });
  answer = after(1_000, { result: "done", confirmed: true });
  actuator.begin(attempt("b"));
  await clock.run(500);
  expect(tells("unlocked", "unknown")).toEqual({ attempt: "b", isTold: false });
  await clock.run(500);
  expect(ended.at(-1)).toMatchObject({ id: "b", isTold: true });
  await clock.run(15_000);
  expect(tells("unlocked")).toBeUndefined();
});

test("what a lock tells after the clock was set back is of nobody, and is told", async () => {
  actuator.begin(attempt("a"));
  await clock.run(0);
  clock.stall(-3_600_000);
  expect(
    actuator.causeOf(door, { at: clock.now(), address: "1", event: "unlocked", method: "remote" }),
  ).toBeUndefined();
});

test("a machine that stood still is told so by the clock, as its timers do not", async () => {
  const isOver: boolean[] = [];
  const asks: Bolt = {
    async unlock(_, over) {
      isOver.push(over?.() ?? true);
      clock.stall(14_000);
      isOver.push(over?.() ?? false);
      throw new LinkError("it is too late", { sent: false });
    },
  };
  lock = lockWith({ bolt: asks });
  actuator.begin(attempt("a"));
  await clock.run(0);
  expect(isOver).toEqual([false, true]);
  expect(ended).toMatchObject([{ id: "a", ...failed("command_too_late") }]);
});

test("a driver that fails before it has anything to move leaves the device as it was", async () => {
  const broken: LockDevice = {
    abilities: () => Promise.reject(new LinkError("not asked")),
    get bolt(): Bolt {
      throw new Error("bug");
    },
  };
  lock = broken;
  actuator.begin(attempt("a"));
  await clock.run(0);
  lock = lockWith({ bolt });
  actuator.begin(attempt("b"));
  await clock.run(0);
  expect(ended).toMatchObject([
    { id: "a", ...failed("outcome_unknown") },
    { id: "b", end: { result: "done" } },
  ]);
});

test("who closes does not wait for a lock, and sends nothing that was not sent", async () => {
  answer = untilAborted;
  actuator.begin(attempt("a"), attempt("b"));
  await clock.run(0);
  await actuator.close();
  expect(ended).toMatchObject([
    { id: "a", ...failed("interrupted") },
    { id: "b", ...failed("interrupted") },
  ]);
  expect(sent).toEqual(["unlock"]);
});
