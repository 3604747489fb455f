import { beforeEach, expect, test } from "vitest";
import { answering } from "../agent/answering.ts";
import { CatchUp } from "../agent/catch-up.ts";
import { deviceId } from "../agent/domain/ids.ts";
import { carryOut, type IntakeParts, mqttIntake } from "../agent/intake.ts";
import { type Arrival, committedAtOnce, type Intake } from "../agent/mqtt/inbox.ts";
import { commandTopic, partsOn, topics } from "./support/answering-agent.ts";
import { doors, keypad, MemoryStore } from "./support/memory-store.ts";
import { rest, VirtualClock } from "./support/virtual-clock.ts";

const grant = "user_identities/grant_access_to_device";
const revoke = "user_identities/revoke_access_to_device";

let desk: MemoryStore;
let clock: VirtualClock;
let parts: IntakeParts;
let intake: Intake;
let failures: unknown[];
let catchUp: CatchUp;
/** How many commands were still to be carried out when a bolt was moved. */
let moved: number[];

beforeEach(() => {
  desk = new MemoryStore();
  failures = [];
  moved = [];
  open();
  // The first hundred of many are carried out at once.
  void intake.accept(hundred());
  return () => desk[Symbol.dispose]();
});

/** As after a restart, where the configuration names other devices perhaps. */
function open(devices = doors): void {
  const store = desk.reopened(devices);
  // Whoever slept before does not wake any more.
  clock = new VirtualClock();
  catchUp = new CatchUp({
    backlog: store.backlog,
    carryOut: () => carryOut(own),
    clock,
    failed: (error) => failures.push(error),
  });
  const own: IntakeParts = partsOn(store, {
    now: () => desk.now,
    catchUp,
    committed: ({ attempts }) => {
      if (attempts.length > 0) moved.push(store.backlog.size);
    },
  });
  parts = own;
  intake = mqttIntake(own, topics, { codes: "never", commands: ["*"] });
  own.catchUp.start();
}

const arrival = (id: string, of: object = {}, name = grant, more: Partial<Arrival> = {}): Arrival => ({
  topic: commandTopic(name),
  payload: Buffer.from(
    JSON.stringify({ request_id: id, user_identity_id: `person-${id}`, device_id: "door-1", ...of }),
  ),
  retained: false,
  ...more,
});
const burst = (name: string): Arrival[] => Array.from({ length: committedAtOnce }, (_, at) => arrival(`${name}-${at}`));
/** Nobody waits for what they ask. */
const hundred = (): Arrival[] =>
  burst("").map((each) => ({ ...each, topic: commandTopic("access/list"), payload: Buffer.from("{}") }));
const waiting = (): number => parts.store.backlog.size;
const people = (): readonly string[] => parts.store.records.grants({}).map(({ identity }) => identity);
const replies = (id: string): readonly unknown[] =>
  parts.store.outbox.next(new Set(), 1_000, { topic: `reply/${id}` }).map(({ payload }) => JSON.parse(payload));
const conflict = { ok: false, error: { type: "request_id_conflict" } };
async function settle(): Promise<void> {
  await clock.run(500);
  for (let turn = 0; turn < 20; turn += 1) await rest();
}

test("a burst is answered at once, and carried out later; a few are carried out at once, and the first hundred", async () => {
  void intake.accept(burst("a").slice(1));
  expect([waiting(), people().length]).toEqual([0, committedAtOnce - 1]);
  void intake.accept(hundred());
  void intake.accept(burst("b"));
  expect([waiting(), people().length]).toEqual([committedAtOnce, committedAtOnce - 1]);
  expect(replies("b-99")).toEqual([{ ok: true }]);
  void intake.accept([arrival("c")]);
  expect(waiting()).toBe(committedAtOnce + 1);
  await settle();
  expect([waiting(), people().length]).toEqual([0, 2 * committedAtOnce]);
});

test("a revoke right behind a burst ends revoked, and what comes behind that waits for it", async () => {
  void intake.accept(burst("a"));
  const revoked = intake.accept([arrival("r", { user_identity_id: "person-a-7" }, revoke)]);
  const others = intake.accept([...burst("b"), arrival("r")]);
  expect(waiting()).toBe(committedAtOnce);
  await Promise.all([revoked, others]);
  expect(people()).not.toContain("person-a-7");
  expect(people()).toHaveLength(2 * committedAtOnce - 1);
  expect(replies("r")).toMatchObject([{ ok: true }, conflict]);
});

test("a burst that waits behind a revoke is answered first when it is its turn, and what comes behind that waits for it", async () => {
  void intake.accept(burst("a"));
  const revoked = intake.accept([arrival("r", { user_identity_id: "person-a-7" }, revoke)]);
  const answered = intake.accept(burst("b"));
  const second = intake.accept([arrival("s", { user_identity_id: "person-b-7" }, revoke)]);
  await Promise.all([revoked, answered]);
  expect(replies("b-99")).toEqual([{ ok: true }]);
  expect(waiting()).toBe(committedAtOnce);
  expect(people()).not.toContain("person-b-0");
  expect(replies("s")).toEqual([]);
  await second;
  expect(waiting()).toBe(0);
  expect(people()).not.toContain("person-b-7");
  expect(people()).toHaveLength(2 * committedAtOnce - 2);
});

test("an id that is used twice in a burst is used once, and the second is refused", async () => {
  const twice = [...burst("a"), arrival("a-0", { user_identity_id: "ann" })];
  await intake.accept(twice);
  expect(people()).not.toContain("ann");
  expect(replies("a-0")).toMatchObject([{ ok: true }, conflict]);
});

test("what cannot be carried out any more after a restart is told, with the command", async () => {
  void intake.accept(burst("a"));
  open(doors.slice(1));
  await settle();
  expect(waiting()).toBe(0);
  expect(people()).toEqual([]);
  const told = desk.events();
  expect(told).toHaveLength(committedAtOnce);
  expect(told[0]).toMatchObject({
    event_type: "command.refused",
    command: grant,
    error: { type: "device_not_found", message: expect.stringContaining("door-1") },
  });
  expect(told[0]).not.toHaveProperty("ok");
});

test("what holds much that is to be echoed is not answered first", async () => {
  const reply = { responseTopic: "access/gateway-1/reply/a", correlation: Buffer.alloc(1_025) };
  await intake.accept([...burst("a"), arrival("b", {}, grant, reply)]);
  expect(waiting()).toBe(0);
  void intake.accept([...burst("b"), arrival("c", {}, grant, { ...reply, correlation: Buffer.alloc(1_024) })]);
  expect(waiting()).toBe(committedAtOnce + 1);
});

/** What is to be answered first is not committed: nothing says so before the commit. */
const failLate = (): void =>
  void desk.opened.db.exec(`
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER late AFTER INSERT ON backlog BEGIN INSERT INTO children VALUES (1); END`);

test("where a burst is not committed after all, nobody is told of it", () => {
  failLate();
  expect(() => intake.accept(burst("a"))).toThrow("FOREIGN KEY");
  expect(parts.store.outbox.waiting).toBe(0);
  expect(replies("a-0")).toEqual([]);
  open();
  expect(waiting()).toBe(0);
});

test("where a burst is not committed after all, nobody waits for it for ever, and all before it is for the next start", async () => {
  void intake.accept(burst("a"));
  failLate();
  expect(() => intake.accept(burst("b"))).toThrow("FOREIGN KEY");
  await expect(askHttp("access/list", {})).rejects.toThrow("FOREIGN KEY");
  await settle();
  expect(people()).toEqual([]);
  desk.opened.db.exec("DROP TRIGGER late");
  open();
  await settle();
  expect(people()).toHaveLength(committedAtOnce);
  expect(["a-0", "a-99", "b-0"].map(replies)).toEqual([[{ ok: true }], [{ ok: true }], []]);
});

test("where it is the first burst that is not committed, nobody waits for it for ever", async () => {
  failLate();
  expect(() => intake.accept(burst("a"))).toThrow("FOREIGN KEY");
  await expect(askHttp("access/list", {})).rejects.toThrow("FOREIGN KEY");
});

test("where the store fails under what is carried out, all who wait for it are told, and none is acknowledged", async () => {
  void intake.accept(burst("a"));
  desk.opened.db.exec("CREATE TRIGGER full BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'no'); END");
  const [first, second] = [intake.accept([arrival("r", {}, revoke)]), intake.accept([arrival("s")])];
  await expect(first).rejects.toThrow("no");
  await expect(second).rejects.toThrow("no");
  expect(failures).toHaveLength(1);
  // Once more, they are carried out after all.
  desk.opened.db.exec("DROP TRIGGER full");
  open();
  await settle();
  expect(people()).toHaveLength(committedAtOnce);
});

const learnBolt = (): void => void parts.store.rounds.learn(deviceId("door-1"), { ...keypad(), bolt: { locks: true } });
const askHttp = (name: string, parameters: object): Promise<{ readonly body: string }> =>
  answering(parts, () => false)(name, Buffer.from(JSON.stringify(parameters)), {
    door: "http",
    by: "key",
    codes: false,
  });

test("who asks at another door waits for what is answered before, and sees it", async () => {
  void intake.accept(burst("a"));
  const { body } = await askHttp("access/list", {});
  expect(JSON.parse(body).receipts).toHaveLength(committedAtOnce);
});

test("a bolt is not kept waiting, also where it is asked for together with what waits", async () => {
  learnBolt();
  void intake.accept(burst("a"));
  const answer = answering(parts, () => false);
  const ask = (name: string, parameters: object): Promise<{ readonly body: string }> =>
    answer(name, Buffer.from(JSON.stringify(parameters)), { door: "http", by: "key", codes: false });
  const listed = ask("access/list", {});
  const unlocked = await ask("locks/unlock_door", { device_id: "door-1" });
  expect(JSON.parse(unlocked.body)).toMatchObject({ ok: true });
  expect(moved).toEqual([committedAtOnce]);
  await listed;
  expect(waiting()).toBe(0);
});

const unlock = (id: string): Arrival =>
  arrival(id, { user_identity_id: undefined, issued_at: new Date(desk.now).toISOString() }, "locks/unlock_door");

test("a bolt is not kept waiting over MQTT either, nor by who waits for all that, nor in the middle of a burst", async () => {
  learnBolt();
  void intake.accept(burst("a"));
  void intake.accept([unlock("u-1")]);
  const revoked = intake.accept([arrival("r", { user_identity_id: "person-a-7" }, revoke)]);
  void intake.accept([unlock("u-2")]);
  const [first, ...others] = burst("b");
  const mixed = intake.accept([first, unlock("u-3"), ...others, unlock("u-3")].filter((each) => each !== undefined));
  expect(moved).toEqual([committedAtOnce, committedAtOnce, committedAtOnce]);
  await Promise.all([revoked, mixed]);
  await settle();
  expect(["u-1", "u-2", "u-3"].map(replies)).toMatchObject([
    [{ ok: true }],
    [{ ok: true }],
    [{ ok: true }, { ok: true }],
  ]);
  expect(people()).toHaveLength(2 * committedAtOnce - 1);
});

test("where it closes, nobody waits for what is to be carried out: not taken is what comes behind it, and all behind that", async () => {
  for (const name of ["a", "b"]) void intake.accept(burst(name));
  const asked = askHttp("access/list", {});
  // Some of it is carried out.
  await rest();
  const revoked = intake.accept([arrival("r", { user_identity_id: "person-a-7" }, revoke)]);
  const behind = intake.accept([arrival("s")]);
  await catchUp.close();
  const later = intake.accept([arrival("t", { user_identity_id: "person-a-8" }, revoke)]);
  await expect(Promise.all([revoked, behind, later])).resolves.toEqual([false, false, false]);
  expect(JSON.parse((await asked).body)).toMatchObject({ ok: false, error: { type: "agent_closing" } });
  expect(people().length).toBeGreaterThan(0);
  expect(waiting()).toBeGreaterThan(0);
  expect(waiting() + people().length).toBe(2 * committedAtOnce);
  expect(failures).toEqual([]);
});

test("an id that was answered first is used, also for who does not wait", async () => {
  learnBolt();
  void intake.accept(burst("a"));
  const unlocked = await askHttp("locks/unlock_door", { request_id: "a-3", device_id: "door-1" });
  expect(JSON.parse(unlocked.body)).toMatchObject(conflict);
  expect(moved).toEqual([]);
  expect(waiting()).toBe(committedAtOnce);
  await settle();
  expect(people()).toHaveLength(committedAtOnce);
});
