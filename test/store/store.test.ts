import { expect, test } from "vitest";
import { userIdentityId } from "../../agent/domain/ids.ts";
import { instant, later } from "../../agent/domain/instant.ts";
import { Secret } from "../../agent/domain/secret.ts";
import { intendWrite, settleWrite } from "../../agent/domain/settle.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";
import { StoreDir } from "../support/store-dir.ts";

const [first, second] = [doors[0] ?? doors[1]!, doors[1] ?? doors[0]!];
const ann = userIdentityId("ann");
const ben = userIdentityId("ben");
const day = 24 * 3600_000;
const pinOf = (digits: string) => ({ kind: "pin", digits: new Secret(digits) }) as const;
const types = (desk: MemoryStore): unknown[] => desk.events().map((event) => event["event_type"]);

/** Writes what is wanted on a device, as a lock that does as it is told. */
function obey({ store, now }: MemoryStore, device = first): void {
  store.rounds.choose(device);
  for (const [at, { id, belief, refusal }] of store.rounds.placements(device).entries()) {
    if (belief.at !== "nowhere" || refusal) continue;
    const slot = slotName(String(at + 1));
    store.rounds.change(device, id, (before) =>
      settleWrite(
        intendWrite(before, slot, now, undefined),
        before,
        { result: "stored", slot, proof: "read_back" },
        now,
        undefined,
      ),
    );
  }
}

const codeOf = (desk: MemoryStore, device = first, identity = ann): string | undefined => {
  const { credentials } = desk.ask("credentials/get", { user_identity_id: identity, device_id: device });
  return Array.isArray(credentials) ? credentials[0]?.code : undefined;
};

test("the past of a grant, a credential and a placement can be read when they are long gone", () => {
  using desk = new MemoryStore();
  desk.store.rounds.learn(first, keypad());
  const from = desk.now;
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id: first });
  obey(desk);
  desk.now = later(from, 5_000);
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: ann, device_id: first });
  const rows = (table: string): unknown[] =>
    desk.opened.db.prepare(`SELECT valid_from, valid_to FROM ${table} ORDER BY row`).all();
  expect(rows("grants")).toEqual([{ valid_from: from, valid_to: desk.now }]);
  // The credential became known when it was live: a row of its own.
  expect(rows("credentials")).toEqual([
    { valid_from: from, valid_to: from },
    { valid_from: from, valid_to: null },
  ]);
  expect(rows("placements").length).toBeGreaterThan(2);
  expect(rows("placements").filter((row) => JSON.stringify(row).includes("null"))).toHaveLength(1);
});

test("the outbox gives replies before events, each in order, and forgets only what was delivered", () => {
  using desk = new MemoryStore();
  const { outbox } = desk.store;
  const put = (rank: "reply" | "event", topic: string): void =>
    outbox.put({ rank, topic, payload: "{}", sealed: false, correlation: Buffer.from([1]) }, desk.now);
  put("event", "e1");
  put("reply", "r1");
  put("event", "e2");
  put("reply", "r2");
  const topics = (inFlight: readonly number[] = [], limit = 10): string[] =>
    outbox.next(new Set(inFlight), limit).map(({ topic }) => topic);
  expect(topics()).toEqual(["r1", "r2", "e1", "e2"]);
  const [r1, r2] = outbox.next(new Set(), 2);
  expect(r1?.correlation).toEqual(Buffer.from([1]));
  expect(topics([r1?.id ?? 0], 2)).toEqual(["r2", "e1"]);
  outbox.delivered([r2?.id ?? 0]);
  expect(topics()).toEqual(["r1", "e1", "e2"]);
  outbox.prune(later(desk.now, 2 * 3600_000), 10);
  expect(topics()).toEqual(["e1", "e2"]);
  expect(outbox.waiting).toBe(2);
});

test("the outbox finds what came after a letter, and what waits on a topic, without looking at all the others", () => {
  using desk = new MemoryStore();
  const { outbox } = desk.store;
  const put = (rank: "reply" | "event", topic: string): void =>
    outbox.put({ rank, topic, payload: "{}", sealed: false, correlation: undefined }, desk.now);
  for (const topic of ["e1", "e2", "e1", "e3"]) put("event", topic);
  put("reply", "r1");
  const found = (...asked: Parameters<typeof outbox.next>): string[] =>
    outbox.next(...asked).map(({ id, topic }) => `${topic} ${id}`);
  expect(found(new Set(), 2, { rank: "event", after: 1 })).toEqual(["e2 2", "e1 3"]);
  expect(found(new Set([2]), 2, { rank: "event", after: 1 })).toEqual(["e1 3", "e3 4"]);
  expect(found(new Set(), 2, { rank: "reply", after: 0 })).toEqual(["r1 5"]);
  expect(found(new Set([1]), 2, { topic: "e1" })).toEqual(["e1 3"]);
  expect(outbox.waitingOn(["e1", "e3", "none"])).toBe(3);
  const plans = [
    "SELECT id FROM outbox WHERE rank = 1 AND id > 7 ORDER BY id LIMIT 9",
    "SELECT id FROM outbox WHERE topic = 'e1' ORDER BY id LIMIT 9",
  ].map((sql) => JSON.stringify(desk.opened.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()));
  for (const plan of plans) expect(plan).toMatch(/SEARCH outbox USING.*INDEX(?!.*TEMP B-TREE)/);
});

test("requests are kept for seven days, and the last 100,000 in any case", () => {
  using desk = new MemoryStore();
  const { replies } = desk.store;
  replies.remember("r-1", "a/b", "{}", { status: 200, body: "old" }, false);
  desk.now = later(desk.now, 8 * day);
  desk.store.prune();
  expect(replies.find("r-1", "a/b", "{}")).toEqual({ status: 200, body: "old" });
  expect(replies.find("r-1", "a/c", "{}")).toBe("conflict");
  expect(replies.find("r-2", "a/b", "{}")).toBeUndefined();
});

const numbers = (store: ReturnType<StoreDir["open"]>): unknown[] =>
  store.records.eventsOf({ after: 0, limit: 500 }).map((event) => event["number"]);
const tell = (store: ReturnType<StoreDir["open"]>): void => store.transaction(() => store.records.event("x", {}));

test("events are numbered without a gap, over restarts and when old ones are pruned", () => {
  using at = new StoreDir();
  let store = at.open();
  tell(store);
  tell(store);
  store = at.open();
  tell(store);
  expect(numbers(store)).toEqual([1, 2, 3]);
  store.outbox.delivered(store.outbox.next(new Set(), 3).map(({ id }) => id));
  at.now = later(at.now, 40 * day);
  store.prune();
  expect(numbers(store)).toEqual([3]);
  store = at.open();
  tell(store);
  expect(numbers(store)).toEqual([3, 4]);
  expect(store.records.eventsOf({ after: 3, limit: 1 })).toMatchObject([
    { number: 4, epoch: store.records.epoch, code: null },
  ]);
});

test("a transaction that fails leaves nothing, and nothing of it is told", () => {
  using desk = new MemoryStore();
  const { store } = desk;
  const picture = desk.picture();
  expect(() =>
    store.transaction(() => {
      store.records.grantDirect(ann, first);
      store.records.event("x", {});
      throw new Error("enough");
    }),
  ).toThrow("enough");
  expect(desk.picture()).toBe(picture);
  expect(store.journal.takeFresh()).toEqual([]);

  store.transaction(() => {
    store.records.event("kept", {});
    expect(() =>
      store.attempt(() => {
        store.records.event("undone", {});
        throw new Error("enough");
      }),
    ).toThrow("enough");
  });
  expect(store.journal.takeFresh().map(({ type }) => type)).toEqual(["kept"]);
});

test("a grant is chosen for when the lock has said what it takes, not before", () => {
  using desk = new MemoryStore();
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id: first });
  desk.store.rounds.choose(first);
  expect(desk.ask("access/list", {})["receipts"]).toMatchObject([
    { state: "waiting", credentials: [{ reason: "abilities_unknown" }] },
  ]);
  desk.store.rounds.learn(first, keypad());
  desk.store.rounds.choose(first);
  expect(desk.store.rounds.placements(first)).toHaveLength(1);
  expect(codeOf(desk)).toMatch(/^\d{6}$/);
});

test("one PIN opens every door that it fits; one that it does not fit gets a second, and the known one stays", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, keypad());
  rounds.learn(second, keypad({ identity: "serial-2" }));
  for (const device_id of doors) {
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id });
    obey(desk, device_id);
  }
  const code = codeOf(desk, first);
  expect(codeOf(desk, second)).toBe(code);
  rounds.learn(second, keypad({ identity: "serial-2", lengths: [4] }));
  obey(desk, second);
  expect(codeOf(desk, first)).toBe(code);
  expect(desk.ask("access/list", { device_id: first })["receipts"]).toMatchObject([{ state: "live" }]);
});

test("what did not fit a lock is taken back into account when its limits change", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, keypad());
  rounds.learn(second, keypad({ identity: "serial-2", lengths: [6] }));
  for (const device_id of doors) {
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id });
  }
  const set = desk.ask("credentials/set", { user_identity_id: ann, kind: "pin", value: "4071" });
  expect(set).toEqual({ ok: true, not_on: [{ device_id: second, reason: "length" }] });
  rounds.choose(second);
  const reason = (): unknown => rounds.placements(second).map(({ refusal }) => refusal?.reason);
  expect(reason()).toEqual(["invalid"]);
  rounds.learn(second, keypad({ identity: "serial-2", lengths: [4, 6] }));
  rounds.choose(second);
  expect(reason()).toEqual([undefined]);
});

test("two people with the same PIN: the first keeps it, the second waits until it is free", () => {
  using desk = new MemoryStore();
  const { rounds, records } = desk.store;
  rounds.learn(first, keypad());
  for (const identity of [ann, ben]) {
    desk.store.transaction(() => records.setOwn(identity, pinOf("4071")));
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: identity, device_id: first });
    obey(desk);
  }
  const reasons = (): unknown[] => rounds.placements(first).map(({ identity, refusal }) => [identity, refusal?.reason]);
  expect(reasons()).toEqual([
    [ann, undefined],
    [ben, "duplicate"],
  ]);
  expect(desk.ask("credentials/set", { user_identity_id: ben, kind: "pin", value: "4072" })).toEqual({ ok: true });
  desk.ask("credentials/set", { user_identity_id: ben, kind: "pin", value: "4071" });
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: ann, device_id: first });
  const gone = rounds.placements(first).find(({ identity }) => identity === ann);
  rounds.change(first, gone?.id ?? rounds.placements(first)[0]!.id, (placement) => ({
    ...placement,
    belief: { at: "nowhere", proof: "read_back" },
  }));
  rounds.choose(first);
  expect(reasons()).not.toContainEqual([ben, "duplicate"]);
});

test("what the lock refused as a duplicate is tried again when the lock has lost the other code", () => {
  using desk = new MemoryStore();
  const { rounds, records } = desk.store;
  rounds.learn(first, keypad());
  for (const identity of [ann, ben]) {
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: identity, device_id: first });
    desk.store.transaction(() => records.setOwn(identity, pinOf("4071")));
  }
  obey(desk);
  const idOf = (identity: string) => rounds.placements(first).find((each) => each.identity === identity)!.id;
  // As a lock that knows the code says, where we did not.
  rounds.change(first, idOf(ben), (now) => ({ ...now, attempts: 1 }));
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: ann, device_id: first });
  rounds.change(first, idOf(ann), (now) => ({ ...now, belief: { at: "nowhere", proof: "read_back" } }));
  expect(rounds.placements(first)).toMatchObject([{ identity: ben, refusal: undefined }]);
});

test("what the lock refused as a duplicate waits on where one of three with that code leaves, and another has it", () => {
  using desk = new MemoryStore();
  const { rounds, records } = desk.store;
  rounds.learn(first, keypad());
  const cyd = "cyd";
  for (const identity of [ann, ben, cyd]) {
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: identity, device_id: first });
    desk.store.transaction(() => records.setOwn(userIdentityId(identity), pinOf("4071")));
  }
  obey(desk);
  const of = (identity: string) => rounds.placements(first).find((each) => each.identity === identity)!;
  for (const identity of [ben, cyd]) rounds.change(first, of(identity).id, (now) => ({ ...now, attempts: 1 }));
  expect([of(ann).belief.at, of(ben).refusal?.reason, of(cyd).refusal?.reason]).toEqual([
    "held",
    "duplicate",
    "duplicate",
  ]);
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: ben, device_id: first });
  expect(rounds.placements(first)).toMatchObject([
    { identity: ann },
    { identity: cyd, refusal: { reason: "duplicate" } },
  ]);
});

test("what the lock has refused as invalid stays that, also while another may have the code", () => {
  using desk = new MemoryStore();
  const { rounds, records } = desk.store;
  rounds.learn(first, keypad());
  const reasonOf = (identity: string): unknown =>
    rounds.placements(first).find((each) => each.identity === identity)?.refusal?.reason;
  const refuse = (identity: string, reason: "invalid" | "duplicate"): void => {
    const { id } = rounds.placements(first).find((each) => each.identity === identity)!;
    rounds.change(first, id, (now) => ({ ...now, attempts: 1, refusal: { reason, detail: undefined } }));
    rounds.choose(first);
  };
  const grant = (identity: string): void => {
    desk.ask("user_identities/grant_access_to_device", { user_identity_id: identity, device_id: first });
    desk.store.transaction(() => records.setOwn(userIdentityId(identity), pinOf("4071")));
    rounds.choose(first);
  };
  grant(ann);
  refuse(ann, "invalid");
  grant(ben);
  // Ben's is on its way, so that nobody else may have it; and all are looked at again, as the lock takes other lengths.
  rounds.learn(first, keypad({ lengths: [4, 7] }));
  rounds.choose(first);
  refuse(ben, "duplicate");
  expect([reasonOf(ann), reasonOf(ben)]).toEqual(["invalid", "duplicate"]);
});

test("granting twice and revoking what never was say ok, and tell nobody", () => {
  using desk = new MemoryStore();
  const pair = { user_identity_id: ann, device_id: first };
  for (let time = 0; time < 2; time++) desk.ask("user_identities/grant_access_to_device", pair);
  expect(types(desk)).toEqual(["access.accepted"]);
  desk.ask("user_identities/revoke_access_to_device", { ...pair, user_identity_id: ben });
  expect(types(desk)).toEqual(["access.accepted"]);
  expect(desk.opened.db.prepare("SELECT count(*) FROM user_identities").pluck().get()).toBe(1);
});

test("interrupt() leaves in doubt what was under way, and nothing waits for its answer", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, keypad());
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id: first });
  rounds.choose(first);
  const [placement] = rounds.placements(first);
  rounds.change(first, placement?.id ?? rounds.placements(first)[0]!.id, (now) =>
    intendWrite(now, slotName("1"), instant(0), undefined),
  );
  const states = (): unknown => desk.ask("access/list", {})["receipts"];
  expect(states()).toMatchObject([{ state: "writing" }]);
  rounds.interrupt();
  expect(states()).toMatchObject([{ state: "unconfirmed" }]);
  expect(types(desk)).toEqual(["access.accepted", "access.unconfirmed"]);
});

test("a code that the owner has written over on a lock that does not tell codes is live no longer, and not ours to clear", () => {
  using desk = new MemoryStore();
  const { rounds } = desk.store;
  rounds.learn(first, keypad({ readBack: "masked" }));
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id: first });
  obey(desk);
  const slot = slotName("1");
  rounds.happened(first, { suspect: slot, foreign: true, events: [] });
  expect(rounds.placements(first)).toMatchObject([{ belief: { at: "nowhere" }, wanted: true }]);
  expect(types(desk)).toEqual([
    "access.accepted",
    "access.live",
    "access_code.set_on_device",
    "access.unconfirmed",
    "access_code.modified_external_to_seam",
  ]);
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: ann, device_id: first });
  expect(rounds.placements(first)).toEqual([]);
});

test("what is to go from a device that is configured no longer stays in the debt, and its standing message is taken back", () => {
  using desk = new MemoryStore();
  desk.store.rounds.learn(first, keypad());
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id: first });
  obey(desk);
  desk.ask("user_identities/revoke_access_to_device", { user_identity_id: ann, device_id: first });
  const after = desk.reopened([second]);
  expect(after.records.debts()).toMatchObject([{ device: first, count: 1 }]);
  expect(after.formerDevices()).toEqual([first]);
});

test("one own PIN is not given to two people on a lock that is full for the moment", () => {
  using desk = new MemoryStore();
  desk.store.rounds.learn(first, keypad());
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ann, device_id: first });
  desk.ask("user_identities/grant_access_to_device", { user_identity_id: ben, device_id: first });
  expect(desk.ask("credentials/set", { user_identity_id: ann, kind: "pin", value: "4071" })).toEqual({ ok: true });
  desk.store.rounds.choose(first);
  desk.store.rounds.refuseRoom(desk.store.rounds.placements(first).map(({ id }) => id));
  expect(desk.ask("credentials/set", { user_identity_id: ben, kind: "pin", value: "4071" })).toMatchObject({
    ok: false,
    error: { type: "duplicate_access_code" },
  });
});

test("of two PINs that a lock has refused neither is tried again, in turn and for ever: a third is made", () => {
  using house = new MemoryStore();
  const { rounds } = house.store;
  rounds.learn(first, keypad());
  house.ask("user_identities/grant_access_to_device", { user_identity_id: "ann", device_id: first });
  const tried = new Set<string>();
  for (let time = 0; time < 3; time++) {
    rounds.choose(first);
    const wanted = rounds.placements(first).filter((placement) => placement.wanted);
    expect(wanted).toHaveLength(1);
    for (const { id, credential } of wanted) {
      expect(tried).not.toContain(credential);
      tried.add(credential);
      // A person may know it by now: so it stays theirs, for other doors.
      house.ask("credentials/get", { user_identity_id: "ann" });
      const refusal = { reason: "duplicate", detail: undefined } as const;
      rounds.change(first, id, (placement) => ({ ...placement, attempts: 1, refusal }));
    }
  }
});
