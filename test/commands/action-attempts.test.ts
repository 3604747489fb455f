import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Context } from "../../agent/commands/command.ts";
import { type ActionAttempt, failedFor } from "../../agent/domain/action-attempt.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, toIso } from "../../agent/domain/instant.ts";
import type { Store } from "../../agent/store/store.ts";
import { type Answer, configured, keypad, MemoryStore } from "../support/memory-store.ts";
import { performOn } from "../support/perform-on.ts";
import { agentFacts } from "../support/world.ts";

const [both, opens, none, apart, unmet, without] = ["both", "opens", "none", "apart", "unmet", "without"].map(deviceId);
let desk: MemoryStore;
let store: Store;
let operated: ActionAttempt[];
let trusted: boolean;

beforeEach(() => {
  desk = new MemoryStore();
  store = desk.reopened([
    ...[both, opens, none, unmet].map((id = deviceId("")) => configured(id)),
    configured(deviceId("apart"), { bolt: "apart" }),
    configured(deviceId("without"), { bolt: "none" }),
  ]);
  const learn = (id = deviceId(""), bolt?: { locks: boolean }): void =>
    void store.rounds.learn(id, { ...keypad({ identity: `serial-${id}` }), ...(bolt ? { bolt } : {}) });
  learn(both, { locks: true });
  learn(opens, { locks: false });
  learn(none);
  learn(without, { locks: true });
  operated = [];
  trusted = true;
  return () => desk[Symbol.dispose]();
});

function ask(name: string, parameters: object, door: Context["door"] = "http"): Answer {
  const facts = agentFacts();
  const context = {
    now: desk.now,
    by: "key ab12",
    agent: () => ({ ...facts, clock: { ...facts.clock, trusted } }),
    operate: (attempt: ActionAttempt) => void operated.push(attempt),
  };
  return JSON.parse(performOn(store, { name, payload: JSON.stringify(parameters), door }, context).reply.body);
}
const shown = z.object({ action_attempt: z.looseObject({ action_attempt_id: z.string() }) });
const idIn = (answer: Answer): string => shown.parse(answer).action_attempt.action_attempt_id;
const get = (id: string): unknown => ask("action_attempts/get", { action_attempt_id: id })["action_attempt"];
const limited = (name: string, parameters: object): Answer => {
  const scope = { commands: ["*"], devices: [deviceId("opens")], codes: false };
  const of = { name, payload: JSON.stringify(parameters), door: "http", scope } as const;
  return JSON.parse(performOn(store, of, { now: desk.now, devices: scope.devices }).reply.body);
};
const asked = (of: object): Answer => ask("locks/unlock_door", { device_id: both, ...of }, "mqtt");
const error = (answer: Answer): string | undefined => answer.error?.type;
const ended = (): string[] =>
  desk.events().flatMap(({ event_type: type }) => (String(type).startsWith("access") ? [] : [String(type)]));

test("an unlock is answered at once, handed on once, and journalled with who wanted it", () => {
  const answer = ask("locks/unlock_door", { device_id: both });
  const id = idIn(answer);
  expect(answer).toEqual({
    ok: true,
    action_attempt: { action_attempt_id: id, action_type: "UNLOCK_DOOR", status: "pending", result: null, error: null },
  });
  expect(operated).toEqual([
    { id, device: both, act: "unlock", createdAt: desk.now, deadline: later(desk.now, 10_000) },
  ]);
  expect(get(id)).toEqual(answer["action_attempt"]);
  const [noted] = store.records.journalOf(deviceId("both"), desk.now, desk.now, 1);
  expect(noted).toMatchObject({ type: "action_attempt.created", action_attempt_id: id, by: "key ab12" });
});

test("what came of it is told as Seam has it, with one event, and once more if it is asked twice", () => {
  const [done, unsure, refused] = [1, 2, 3].map(() => idIn(ask("locks/unlock_door", { device_id: both })));
  const [first, second, third] = operated;
  if (!first || !second || !third) throw new Error("nothing was handed on");
  store.attempts.end(first, { result: "done", confirmed: true }, false);
  store.attempts.end(second, { result: "done", confirmed: false }, false);
  store.attempts.end(third, failedFor("lock_refused", "jammed"), false);
  store.attempts.end(third, { result: "done", confirmed: true }, false);
  expect(get(String(done))).toMatchObject({
    status: "success",
    result: { was_confirmed_by_device: true },
    error: null,
  });
  expect(get(String(unsure))).toMatchObject({ status: "success", result: { was_confirmed_by_device: false } });
  expect(get(String(refused))).toMatchObject({
    status: "error",
    result: null,
    error: { type: "lock_refused", message: "The lock has refused (jammed)" },
  });
  expect(ended()).toEqual([
    "action_attempt.unlock_door.succeeded",
    "lock.unlocked",
    "action_attempt.unlock_door.succeeded",
    "action_attempt.unlock_door.failed",
  ]);
  expect(desk.events().find(({ event_type: type }) => type === "lock.unlocked")).toMatchObject({
    device_id: both,
    method: "remote",
    action_attempt_id: done,
  });
  expect(store.records.device(deviceId("both"))?.locked).toBe(false);
});

test("where the lock has told that it was unlocked it is not told again", () => {
  ask("locks/lock_door", { device_id: both });
  const [attempt] = operated;
  if (attempt) store.attempts.end(attempt, { result: "done", confirmed: true }, true);
  expect(ended()).toEqual(["action_attempt.lock_door.succeeded"]);
  expect(store.records.device(deviceId("both"))?.locked).toBe(true);
});

test("an attempt that is found unfinished at start is closed as interrupted, and not handed on", () => {
  const id = idIn(ask("locks/unlock_door", { device_id: both }));
  operated = [];
  store.attempts.interrupt();
  store.attempts.interrupt();
  expect(get(id)).toMatchObject({ status: "error", error: { type: "interrupted" } });
  expect(ended()).toEqual(["action_attempt.unlock_door.failed"]);
  expect(operated).toEqual([]);
});

test("a device that cannot be moved from afar is told apart from one that is not there, and from one that may", () => {
  expect(error(ask("locks/unlock_door", { device_id: "nowhere" }))).toBe("device_not_found");
  expect(error(ask("locks/unlock_door", { device_id: none }))).toBe("not_supported");
  expect(error(ask("locks/unlock_door", { device_id: without }))).toBe("not_supported");
  expect(error(ask("locks/lock_door", { device_id: opens }))).toBe("not_supported");
  expect(error(ask("action_attempts/get", { action_attempt_id: "nothing" }))).toBe("action_attempt_not_found");
  expect(operated).toEqual([]);
  for (const id of [opens, apart, unmet]) expect(ask("locks/unlock_door", { device_id: id }).ok).toBe(true);
  expect(operated.map(({ device }) => device)).toEqual([opens, apart, unmet]);
});

test.each([
  [both, true, true],
  [opens, true, false],
  [none, false, false],
  [apart, false, false],
  [unmet, false, false],
  [without, false, false],
])("the flags of %s promise what is known of it", (id, unlocks, locks) => {
  expect(ask("devices/get", { device_id: id })["device"]).toMatchObject({
    can_remotely_unlock: unlocks,
    can_remotely_lock: locks,
  });
});

test("over MQTT it must say which command it is and when it was said; what comes too late moves nothing", () => {
  const said = (ms: number): string => toIso(later(desk.now, ms));
  expect(asked({ issued_at: said(0) }).error).toMatchObject({
    type: "invalid_input",
    message: "request_id is required",
  });
  expect(asked({ request_id: "a" }).error).toMatchObject({ type: "invalid_input", message: "issued_at is required" });
  for (const of of [
    { issued_at: said(-10_000) },
    { issued_at: said(5_001) },
    { issued_at: said(0), expires_at: said(-1) },
  ]) {
    expect(asked({ request_id: "b", ...of }).error).toMatchObject({ type: "command_too_late" });
  }
  expect(operated).toEqual([]);
  const first = asked({ request_id: "c", issued_at: said(-4_000), expires_at: said(2_000) });
  expect(operated).toMatchObject([{ deadline: later(desk.now, 2_000) }]);
  // The same message again: the same answer, and the bolt is not moved again.
  expect(asked({ request_id: "c", issued_at: said(-4_000), expires_at: said(2_000) })).toEqual(first);
  expect(operated.length).toBe(1);
});

test("while the clock is not believed nothing is unlocked, and over HTTP a door can be locked", () => {
  trusted = false;
  expect(error(ask("locks/unlock_door", { device_id: both }))).toBe("clock_untrusted");
  const said = { request_id: "a", issued_at: toIso(desk.now) };
  expect(error(ask("locks/unlock_door", { device_id: both, ...said }, "mqtt"))).toBe("clock_untrusted");
  expect(error(ask("locks/lock_door", { device_id: both, ...said }, "mqtt"))).toBe("clock_untrusted");
  expect(ask("locks/lock_door", { device_id: both }).ok).toBe(true);
  expect(operated.map(({ act }) => act)).toEqual(["lock"]);
});

test("a retained command moves nothing", () => {
  const payload = JSON.stringify({ device_id: both, request_id: "a", issued_at: toIso(desk.now) });
  const of = { name: "locks/unlock_door", payload, door: "mqtt", retained: true } as const;
  const { reply } = performOn(store, of, { now: desk.now, operate: (attempt) => void operated.push(attempt) });
  expect(JSON.parse(reply.body)).toMatchObject({ error: { type: "retained_command_refused" } });
  expect(operated).toEqual([]);
});

test("attempts are forgotten after thirty days", () => {
  const id = idIn(ask("locks/unlock_door", { device_id: both }));
  store.attempts.interrupt();
  desk.now = later(desk.now, 31 * 24 * 3600_000);
  while (store.prune()) {}
  expect(error(ask("action_attempts/get", { action_attempt_id: id }))).toBe("action_attempt_not_found");
});

test("who has a key for some devices opens these, hears what came of it, and of no other", () => {
  const mine = idIn(limited("locks/unlock_door", { device_id: opens }));
  const other = idIn(ask("locks/unlock_door", { device_id: both }));
  expect(limited("action_attempts/get", { action_attempt_id: mine }).ok).toBe(true);
  expect(error(limited("action_attempts/get", { action_attempt_id: other }))).toBe("action_attempt_not_found");
  expect(error(limited("locks/unlock_door", { device_id: both }))).toBe("insufficient_scope");
});

test("what may have been said before this process stood still is too old, where it does not say when it was said", () => {
  const of = (door: Context["door"], more: object = {}): string | undefined => {
    const payload = JSON.stringify({ device_id: both, ...more });
    const context = { now: desk.now, saidAt: later(desk.now, -14_000), operate: () => void operated.push() };
    const { reply } = performOn(store, { name: "locks/unlock_door", payload, door }, context);
    return error(JSON.parse(reply.body));
  };
  expect(of("http")).toBe("command_too_late");
  expect(of("local")).toBe("command_too_late");
  expect(of("http", { issued_at: toIso(desk.now) })).toBeUndefined();
});

test("what is undone after all moves nothing", () => {
  const failing = {
    ...store,
    replies: {
      find: () => undefined,
      has: () => false,
      remember: () => {
        throw new Error("bug");
      },
    },
  };
  const payload = JSON.stringify({ device_id: both, request_id: "a" });
  const bugs: unknown[] = [];
  const context = { now: desk.now, operate: (attempt: ActionAttempt) => void operated.push(attempt) };
  performOn(failing, { name: "locks/unlock_door", payload, door: "http" }, context, (bug) => bugs.push(bug));
  expect(bugs.length).toBe(1);
  expect(operated).toEqual([]);
});
