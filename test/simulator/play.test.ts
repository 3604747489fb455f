import { expect, test } from "vitest";
import { type House, readAnswer, type Told } from "../../simulator/house.ts";
import { play } from "../../simulator/play.ts";
import { scenario } from "../../simulator/scenario.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

type Reply = Readonly<Record<string, unknown>>;
const ok = { ok: true };
const receipt = (state: string) => ({
  ok: true,
  receipt: { user_identity_id: "ann", device_id: "front", state, credentials: [{ state, evidence: "read_back" }] },
});

const nobody = (): void => undefined;

/** A house that answers by a script, and a time that the test lets pass. */
class ScriptedHouse implements House {
  readonly clock = new VirtualClock(1_790_000_000_000);
  /** Every command but those of who only looks on, with the seconds since the start. */
  readonly asked: [seconds: number, command: string, parameters: object][] = [];
  readonly told: Told[] = [];
  readonly restarts: [how: string, away: number][] = [];
  readonly #answers: Readonly<Record<string, (seconds: number) => Reply | undefined>>;
  readonly #start = this.clock.now();

  constructor(answers: Readonly<Record<string, (seconds: number) => Reply | undefined>> = {}) {
    this.#answers = answers;
  }

  get seconds(): number {
    return (this.clock.now() - this.#start) / 1_000;
  }

  async ask(command: string, parameters: object) {
    if (command !== "events/list" && command !== "access/list") this.asked.push([this.seconds, command, parameters]);
    const answer = this.#answers[command];
    const given: Reply | undefined = answer ? answer(this.seconds) : ok;
    return given && readAnswer(JSON.stringify(given));
  }

  async restart(how: "stop" | "kill", away: number): Promise<void> {
    this.restarts.push([how, away]);
  }

  /** Lets the scenario happen, and time pass until it is over. */
  async play(timeline: readonly object[], more: object = {}) {
    const read = scenario.parse({ locks: { front: {} }, timeline, ...more });
    const ended: unknown[] = [];
    const tell = (told: Told): void => void this.told.push(told);
    const signal = new AbortController().signal;
    const over = play(read, { house: this, clock: this.clock, tell, signal }).then((end) => ended.push(end));
    while (ended.length === 0) await this.clock.run(50);
    await over;
    return ended[0];
  }

  said(kind: Told["kind"]): string[] {
    return this.told.filter((told) => told.kind === kind).map(({ words }) => words);
  }
}

test("play() lets each step happen at its time, or at once after the one before", async () => {
  const house = new ScriptedHouse();
  expect(
    await house.play([
      { grant: { person: "ann", lock: "front" } },
      { at: 2, revoke: { person: "ann", lock: "front" } },
      { at: 2, reset: { lock: "front" } },
      { at: 3.5, kill: { away: 2 } },
      { restart: {} },
    ]),
  ).toEqual({ held: 0, missed: 0 });
  const pair = { user_identity_id: "ann", device_id: "front" };
  expect(house.asked).toEqual([
    [0, "user_identities/grant_access_to_device", pair],
    [2, "user_identities/revoke_access_to_device", pair],
    [2, "act/reset", { lock: "front" }],
  ]);
  expect(house.restarts).toEqual([
    ["kill", 2_000],
    ["stop", 0],
  ]);
});

test("play() begins with the faults that the locks have, and knows of each thing that may happen", async () => {
  const looked = { ok: true, slots: [{ slot: "7", label: "ben", opens: true }] };
  const house = new ScriptedHouse({
    "simulate/look": () => looked,
    "act/program": () => ({ ok: true, effect: "done" }),
    "act/type": () => ({ ok: true, effect: "denied" }),
    "credentials/get": () => ({ ok: true, credentials: [{ kind: "pin", code: "471147" }] }),
    "access/nonsense": () => ({ ok: false, error: { type: "unknown_command", message: "no" } }),
  });
  const lock = "front";
  const outcome = await house.play(
    [
      { grant: { person: "ann", lock, from: 10, until: 20, key: "visit" } },
      { bring: { person: "ann", pin: "471147" } },
      { fault: { lock, fault: "slow", ms: [1, 2] } },
      { mend: { lock, fault: "slow" } },
      { type: { lock, person: "ann", opens: false } },
      { type: { lock, pin: "0000" } },
      { program: { lock, pin: "815815", slot: "3" } },
      { delete: { lock, person: "ben" } },
      { delete: { lock, slot: "2" } },
      { delete_all: { lock } },
      { power: { lock } },
      { battery: { lock, level: 0.3 } },
      { command: { name: "access/nonsense", parameters: { x: 1 }, refused: "unknown_command" } },
    ],
    { locks: { front: { faults: [{ fault: "deaf", seconds: 3 }] } } },
  );
  expect(outcome).toEqual({ held: 0, missed: 0 });
  expect(house.asked.map(([, command, parameters]) => [command, parameters])).toEqual([
    ["simulate/fault", { lock, fault: "deaf", seconds: 3 }],
    [
      "access_grants/create",
      {
        user_identity_id: "ann",
        device_ids: ["front"],
        starts_at: "2026-09-21T14:13:30.000Z",
        ends_at: "2026-09-21T14:13:40.000Z",
        access_grant_key: "visit",
      },
    ],
    ["credentials/set", { user_identity_id: "ann", kind: "pin", value: "471147" }],
    ["simulate/fault", { lock, fault: "slow", ms: [1, 2] }],
    ["simulate/fault", { lock, fault: "slow", on: false }],
    ["credentials/get", { user_identity_id: "ann", device_id: "front" }],
    ["act/type", { lock, digits: "471147" }],
    ["act/type", { lock, digits: "0000" }],
    ["act/program", { lock, digits: "815815", slot: "3" }],
    ["simulate/look", { lock }],
    ["act/delete", { lock, slot: "7" }],
    ["act/delete", { lock, slot: "2" }],
    ["act/delete_all", { lock }],
    ["act/power", { lock }],
    ["act/battery", { lock, level: 0.3 }],
    ["access/nonsense", { x: 1 }],
  ]);
  for (const secret of ["471147", "0000", "815815"]) expect(JSON.stringify(house.told)).not.toContain(secret);
});

test("play() waits for what is to be so at last, and no longer", async () => {
  const house = new ScriptedHouse({ "access/get": (seconds) => receipt(seconds < 1.95 ? "writing" : "live") });
  const live = { person: "ann", lock: "front", receipt: "live", evidence: "read_back" };
  const outcome = await house.play([
    { at: 1, expect: live },
    { by: 1.5, expect: live },
    { within: 5, expect: live },
    { reset: { lock: "front" } },
    { at: 4, expect: live },
  ]);
  expect(outcome).toEqual({ held: 2, missed: 2 });
  expect(house.asked.find(([, command]) => command === "act/reset")?.[0]).toBeCloseTo(2, 0.1);
  expect(house.said("expected")).toEqual([
    "ann front: receipt live, evidence read_back: NOT SO: receipt writing, evidence read_back",
    "ann front: receipt live, evidence read_back: NOT SO: receipt writing, evidence read_back",
    "ann front: receipt live, evidence read_back: so it is",
    "ann front: receipt live, evidence read_back: so it is",
  ]);
});

test("play() looks into a lock for whose codes it holds, and whether it opens", async () => {
  const slots = [
    { slot: "1", label: "ben", opens: false },
    { slot: "2", label: "ann", opens: true },
  ];
  const house = new ScriptedHouse({
    "simulate/look": () => ({ ok: true, slots }),
    "devices/list": () => ({ ok: true, devices: [{ device_id: "front", properties: { battery_level: 0.4 } }] }),
  });
  const lock = "front";
  const outcome = await house.play([
    { expect: { lock, holds: ["ben", "ann"] } },
    { expect: { lock, holds: ["ann"] } },
    { expect: { lock, person: "ann", opens: true } },
    { expect: { lock, person: "ben", opens: true } },
    { expect: { lock, person: "ben", opens: false } },
    { expect: { lock, battery_below: 0.5 } },
    { expect: { lock, battery_below: 0.3 } },
  ]);
  expect(outcome).toEqual({ held: 4, missed: 3 });
});

test("play() counts an event only where it came after the last step that did something", async () => {
  const reset = { event_type: "lock.reset", device_id: "front", number: 1 };
  const again = { event_type: "lock.reset", device_id: "front", number: 2 };
  let count = 0;
  const house = new ScriptedHouse({
    "events/list": (seconds) => ({ ok: true, events: seconds >= 3 ? (count++ === 0 ? [again] : []) : [] }),
    "access/list": () => ({ ok: true, receipts: [{ ...receipt("live").receipt }] }),
  });
  const isReset = { lock: "front", event: "lock.reset" };
  const outcome = await house.play([
    { reset: { lock: "front" } },
    { by: 2, expect: isReset },
    { by: 4, expect: isReset },
    { expect: { ...isReset, lock: "cellar" } },
    { at: 5, power: { lock: "front" } },
    { by: 6, expect: isReset },
  ]);
  expect(outcome).toEqual({ held: 1, missed: 3 });
  expect(house.said("event")).toEqual([`lock.reset ${reset.device_id}`]);
  // What a receipt says is told once.
  expect(house.said("receipt")).toEqual(["live ann front (read_back)"]);
});

test("play() counts a step that goes otherwise than it was to go, and goes on", async () => {
  const house = new ScriptedHouse({
    "user_identities/grant_access_to_device": () => ({
      ok: false,
      error: { type: "invalid_input", message: "no such" },
    }),
    "act/type": () => ({ ok: true, effect: "opened" }),
    "act/reset": () => undefined,
    "credentials/get": () => ({ ok: true, credentials: [] }),
    "simulate/look": () => ({ ok: true, slots: [] }),
  });
  const lock = "front";
  const outcome = await house.play([
    { grant: { person: "ann", lock } },
    { type: { lock, pin: "4711", opens: false } },
    { type: { lock, person: "ann" } },
    { reset: { lock } },
    { delete: { lock, person: "ann" } },
    { command: { name: "access/list", refused: "invalid_input" } },
    { expect: { person: "ann", lock, receipt: "live" } },
  ]);
  expect(outcome).toEqual({ held: 0, missed: 7 });
  expect(house.said("step")).toEqual([
    "grant ann front: NOT AS IT WAS TO BE: no such",
    "type front: NOT AS IT WAS TO BE: opened",
    "type front ann: NOT AS IT WAS TO BE: ann has no PIN for front",
    "reset front: NOT AS IT WAS TO BE: nobody answers",
    "delete front ann: NOT AS IT WAS TO BE: front holds no code of ann",
    "command access/list: NOT AS IT WAS TO BE: it was done",
  ]);
});

test("play() ends with the signal's reason", async () => {
  const house = new ScriptedHouse();
  const stop = new AbortController();
  const read = scenario.parse({ locks: { front: {} }, timeline: [{ at: 60, restart: {} }] });
  const over = play(read, { house, clock: house.clock, tell: nobody, signal: stop.signal }).catch(
    (error: unknown) => error,
  );
  await house.clock.run(200);
  const reason = new Error("enough");
  stop.abort(reason);
  expect(await over).toBe(reason);
  expect(house.clock.asleep).toBe(0);
});
