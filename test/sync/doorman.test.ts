import { afterEach, beforeEach, expect, test } from "vitest";
import type { ActionAttempt } from "../../agent/domain/action-attempt.ts";
import type { DoorRule } from "../../agent/domain/door-rule.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import type { Store } from "../../agent/store/store.ts";
import { Actuator } from "../../agent/sync/actuator.ts";
import { Doorman } from "../../agent/sync/doorman.ts";
import { type ActOutcome, LinkError, type LinkEvent } from "../../drivers/driver.ts";
import { configured, MemoryStore } from "../support/memory-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const lobby = deviceId("door-1");
const told = new Set(["lock.unlocked", "lock.access_denied", "action_attempt.unlock_door.failed"]);
const quiet = (): void => undefined;
const never = new LinkError("the reader does not answer");

/** The store, a doorman and an actuator as they are, before a reader and a bolt that do as they are told. */
class Entrance extends MemoryStore {
  readonly clock = new VirtualClock();
  readonly answers: string[] = [];
  readonly moved: ActionAttempt[] = [];
  readonly warned: string[] = [];
  move: (signal: AbortSignal) => Promise<ActOutcome> = async () => ({ result: "done", confirmed: false });
  /** Before that nothing that comes in now can have been presented. */
  since: Instant | undefined;
  isReaderDeaf = false;
  readonly door: Store;
  readonly actuator: Actuator;
  readonly doorman: Doorman;

  constructor(rule: DoorRule = "pin_or_card") {
    super();
    const settings = { rule, pinLength: undefined, lockOut: { count: 3, for: 60_000 } } as const;
    this.door = this.reopened([configured(lobby, { doorman: settings })]);
    const log = {
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: (_: object, text: string) => void this.warned.push(text),
      error: fail,
    };
    const parts = { clock: this.clock, monotonic: () => this.clock.now(), log, committed: quiet, failed: fail };
    this.actuator = new Actuator({
      ...parts,
      end: (...ended) => this.door.attempts.end(...ended),
      lockOf: () => ({
        abilities: () => Promise.reject(never),
        bolt: { unlock: (signal) => this.move(signal) },
      }),
    });
    this.doorman = new Doorman({
      ...parts,
      doors: new Map([[lobby, settings]]),
      book: this.door.doors,
      begin: (attempt) => {
        this.moved.push(attempt);
        this.actuator.begin(attempt);
      },
      saidAt: () => this.since ?? this.clock.now(),
      goodFor: 10_000,
      readerOf: () => ({
        answer: async (_, decision) => {
          this.answers.push(decision);
          if (this.isReaderDeaf) throw never;
        },
      }),
    });
    for (const [who, bits, digits] of [
      ["ann", "aa", "4711"],
      ["bob", "bb", "0815"],
    ] as const) {
      this.say("credentials/set", { user_identity_id: who, kind: "card", value: { format: "raw8", bits } });
      this.say("credentials/set", { user_identity_id: who, kind: "pin", value: digits });
      this.say("user_identities/grant_access_to_device", { user_identity_id: who, device_id: lobby });
    }
  }

  say(name: string, parameters: object): void {
    this.now = this.clock.now();
    this.perform(name, JSON.stringify(parameters), {}, true, this.door);
  }

  show(bits: string, of: { stale?: true; at?: Instant; reader?: string } = {}): Promise<void> {
    return this.asked({
      event: "presented",
      credential: { kind: "card", format: "raw8", bits: new Secret(bits) },
      ...of,
    });
  }

  type(keys: string, of: { stale?: true; reader?: string } = {}): Promise<void> {
    return this.asked({ event: "keys", digits: new Secret(keys), ...of });
  }

  async asked(event: object, device = lobby): Promise<void> {
    this.now = this.clock.now();
    this.doorman.asked(device, { at: this.clock.now(), address: "lobby", ...event } as LinkEvent & { event: "keys" });
    await this.clock.run(0);
  }

  /** What was told since the grants, in short. */
  told(): readonly unknown[] {
    return this.door.records
      .eventsOf({ after: 0, limit: 500 })
      .filter(({ event_type: type }) => told.has(String(type)))
      .map(({ event_type: type, user_identity_id: who, method, reason_code: reason, error }) =>
        JSON.parse(JSON.stringify([String(type).split(".").at(-1), who, method ?? error, reason])),
      );
  }
}

function fail(error: unknown): never {
  throw error;
}

let at: Entrance;
beforeEach(() => {
  at = new Entrance();
});
afterEach(async () => {
  await Promise.all([at.doorman.close(), at.actuator.close()]);
  at[Symbol.dispose]();
});

test("who shows a card or enters a PIN is let in, by name and with how they came, and never with the code", async () => {
  await at.show("aa");
  await at.type("08");
  await at.clock.run(4_000);
  await at.type("15#");
  expect(at.answers).toEqual(["admit", "admit"]);
  expect(at.told()).toEqual([
    ["unlocked", "ann", "card", null],
    ["unlocked", "bob", "keycode", null],
  ]);
  expect(at.picture(["credentials", "user_identities"])).not.toMatch(/(?<![\w-])(4711|0815)(?![\w-])/);
});

test("nobody else is, is told so, and is an event", async () => {
  await at.show("cc");
  await at.type("47*11#");
  expect(at.answers).toEqual(["deny", "ignored", "deny"]);
  expect(at.moved).toEqual([]);
  expect(at.told()).toEqual([
    ["access_denied", null, "card", "unknown_code"],
    ["access_denied", null, "keycode", "unknown_code"],
  ]);
});

test("after three wrong codes in a row none is taken at that reader for a minute, while cards are, and other readers take codes", async () => {
  for (const wrong of ["1111#", "2222#", "12345678901234567#"]) await at.type(wrong);
  await at.type("4711#");
  expect(at.told().at(-1)).toEqual(["access_denied", null, "keycode", "too_many_attempts"]);
  expect(at.warned).toHaveLength(1);
  await at.type("4711#", { reader: "1" });
  expect(at.answers.at(-1)).toBe("admit");
  await at.clock.run(59_999);
  await at.type("4711#");
  expect(at.answers.at(-1)).toBe("deny");
  await at.show("aa");
  expect(at.answers.at(-1)).toBe("admit");
  await at.type("4711#");
  expect(at.answers.at(-1)).toBe("deny");
  await at.clock.run(1);
  await at.type("4711#");
  expect(at.answers.at(-1)).toBe("admit");
});

test("a lock-out is not ended by more wrong codes, nor by what is no code at all", async () => {
  for (const wrong of ["1111#", "2222#", "3333#", "12345678901234567#"]) await at.type(wrong);
  await at.type("4711#");
  expect(at.moved).toEqual([]);
  expect(at.told().map((line) => [line].flat().at(-1))).toEqual([
    "unknown_code",
    "unknown_code",
    "unknown_code",
    "too_many_attempts",
    "too_many_attempts",
  ]);
});

test("where card and PIN are wanted, a PIN that was typed before a lock-out is not taken in it", async () => {
  using both = new Entrance("card_and_pin");
  await both.type("4711#");
  for (const wrong of ["12345678901234567#", "12345678901234567#", "12345678901234567#"]) await both.type(wrong);
  await both.show("aa");
  expect(both.moved).toEqual([]);
  expect(both.told().at(-1)).toEqual(["access_denied", null, "card", "too_many_attempts"]);
  await both.doorman.close();
});

test("with a card of his own nobody gets more tries at the codes of others, and with a code of his own he does", async () => {
  for (const wrong of ["1111#", "2222#"]) await at.type(wrong);
  await at.type("4711#");
  for (const wrong of ["3333#", "4444#"]) await at.type(wrong);
  await at.show("aa");
  await at.type("5555#");
  await at.type("4711#");
  expect(at.told().at(-1)).toEqual(["access_denied", null, "keycode", "too_many_attempts"]);
});

test("what was shown before the reader was connected is written down, and neither answered nor let in", async () => {
  await at.show("aa", { stale: true });
  await at.type("4711#", { stale: true });
  expect([at.answers, at.moved]).toEqual([[], []]);
  expect(at.told()).toEqual([
    ["access_denied", null, "card", "stale"],
    ["access_denied", null, "keycode", "stale"],
  ]);
});

test("nobody is let in for what was shown too long ago, or before the process stood still", async () => {
  await at.show("aa", { at: instant(at.clock.now() - 10_000) });
  at.since = instant(at.clock.now() - 30_000);
  await at.show("aa");
  expect(at.moved).toEqual([]);
  expect(at.told().map((line) => [line].flat().at(-1))).toEqual(["too_late", "too_late"]);
});

test("a bolt that does not answer leaves open whether the door is, and that is told with who wanted in", async () => {
  at.move = async () => ({ result: "unknown" });
  await at.show("aa");
  expect(at.told()).toEqual([["failed", "ann", { type: "outcome_unknown", detail: null }, null]]);
  at.move = () => Promise.reject(new LinkError("the strike is away", { sent: false }));
  await at.show("bb");
  expect(at.told().at(-1)).toMatchObject(["failed", "bob", { type: "device_offline" }, null]);
});

test("of whom it is not known whether the door has opened as latchd was killed, that is told with their name after its start", async () => {
  at.move = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(never)));
  await at.type("0815#");
  at.door.attempts.interrupt();
  expect(at.told()).toEqual([["failed", "bob", { type: "interrupted", detail: null }, null]]);
});

test("a reader that asks where nobody is to answer is told of once, with what to set", async () => {
  const elsewhere = deviceId("door-2");
  for (const keys of ["4711", "#"]) await at.asked({ event: "keys", digits: new Secret(keys) }, elsewhere);
  expect(at.warned).toEqual([expect.stringContaining("nobody is to answer")]);
  expect([at.answers, at.moved, at.told()]).toEqual([[], [], []]);
});

test("a bolt that could not be told in ten seconds is not told any more", async () => {
  let isTold = false;
  at.move = (signal) =>
    new Promise((_, reject) => {
      isTold = true;
      signal.addEventListener("abort", () => reject(new LinkError("given up", { sent: false })));
    });
  await at.show("aa");
  expect(isTold).toBe(true);
  await at.clock.run(10_000);
  expect(at.told()).toMatchObject([["failed", "ann", { type: "command_too_late" }, null]]);
});

test("a reader that takes no answer keeps nobody out", async () => {
  at.isReaderDeaf = true;
  await at.show("aa");
  expect(at.told()).toEqual([["unlocked", "ann", "card", null]]);
});

test("a bolt that tells of itself is not told twice, and what it tells is of who was let in", async () => {
  at.move = async () => {
    const cause = at.actuator.causeOf(lobby, {
      at: at.clock.now(),
      address: "x",
      event: "unlocked",
      method: "unknown",
    });
    expect(cause).toMatchObject({ isTold: false, presenter: { identity: "ann", kind: "card" } });
    return { result: "done", confirmed: true };
  };
  await at.show("aa");
  expect(at.told()).toEqual([]);
  expect(at.door.records.device(lobby)?.locked).toBe(false);
});

test("where card and PIN are wanted, the second must come within ten seconds, and be of the same person", async () => {
  using both = new Entrance("card_and_pin");
  await both.show("aa");
  expect(both.answers).toEqual([]);
  await both.type("4711#");
  await both.show("aa");
  await both.clock.run(10_000);
  await both.type("4711#");
  expect(both.answers).toEqual(["admit"]);
  await both.show("bb");
  expect(both.told()).toEqual([
    ["unlocked", "ann", "card", null],
    ["access_denied", null, "card", "wrong_pair"],
  ]);
  await both.doorman.close();
});
