import { expect, test } from "vitest";
import { later } from "../../agent/domain/instant.ts";
import type { Store } from "../../agent/store/store.ts";
import { doors, MemoryStore } from "../support/memory-store.ts";
import { performOn } from "../support/perform-on.ts";
import { StoreDir } from "../support/store-dir.ts";

const grant = "user_identities/grant_access_to_device";
const revoke = "user_identities/revoke_access_to_device";
const pair = { user_identity_id: "ann", device_id: doors[0] };
const day = 24 * 3600_000;

/** Every order of one or more grants and one or more revokes, up to six in all. */
const orders: readonly (readonly ("grant" | "revoke")[])[] = Array.from({ length: 5 }, (_, at) => at + 2).flatMap(
  (length) =>
    Array.from({ length: 2 ** length }, (_, bits) =>
      Array.from({ length }, (_none, at) => ((bits >> at) & 1 ? ("grant" as const) : ("revoke" as const))),
    ).filter((order) => new Set(order).size === 2),
);

const cases = [
  { kind: "numbers", withIds: false, asOf: { grant: 1, revoke: 2 } },
  { kind: "the same number", withIds: true, asOf: { grant: 7, revoke: 7 } },
  {
    kind: "instants",
    withIds: true,
    asOf: { grant: "2025-06-01T10:00:00+02:00", revoke: "2025-06-01T08:00:00.000000001Z" },
  },
  {
    kind: "the same instant",
    withIds: false,
    asOf: { grant: "2025-06-01T10:00:00+02:00", revoke: "2025-06-01T08:00:00Z" },
  },
] as const;

/** The n-th message of an order, sent by a person of its own. */
function send(store: Store, now: MemoryStore["now"], order: number, at: number, of: (typeof cases)[number]): void {
  const command = orders[order]?.[at];
  if (!command) return;
  const parameters = {
    ...(of.withIds ? { request_id: `${command}-${order}` } : {}),
    user_identity_id: `person-${order}`,
    device_id: doors[0],
    as_of: of.asOf[command],
  };
  const { reply } = performOn(
    store,
    { name: command === "grant" ? grant : revoke, payload: JSON.stringify(parameters) },
    { now },
  );
  expect(command === "revoke" ? [200] : [200, 409]).toContain(reply.status);
}

/** What is left when all orders are through: half of them begin with the grant, and in no other is it carried out. */
const allRevoked = { granted: [], placed: [], accepted: orders.length / 2, gone: orders.length / 2 };

function left(store: Store): object {
  const told = store.records.eventsOf({ after: 0, limit: 10_000 }).map((event) => event["event_type"]);
  const count = (type: string): number => told.filter((each) => each === type).length;
  return {
    granted: store.records.grants({}),
    placed: store.records.placements({}),
    accepted: count("access.accepted"),
    gone: count("access.gone"),
  };
}

test("every order is tried", () => {
  expect(orders).toHaveLength(2 + 6 + 14 + 30 + 62);
});

test.each(cases)(
  "a grant and a later revoke end revoked in every order, each its own commit: $kind, request_id $withIds",
  (of) => {
    using desk = new MemoryStore();
    for (const [order, messages] of orders.entries()) {
      for (const at of messages.keys()) send(desk.store, desk.now, order, at, of);
    }
    expect(left(desk.store)).toEqual(allRevoked);
  },
);

test.each(cases)(
  "a grant and a later revoke end revoked in every order, in one commit: $kind, request_id $withIds",
  (of) => {
    using desk = new MemoryStore();
    desk.store.transaction(() => {
      for (const [order, messages] of orders.entries()) {
        for (const at of messages.keys()) send(desk.store, desk.now, order, at, of);
      }
    });
    expect(left(desk.store)).toEqual(allRevoked);
  },
);

test.each(cases)(
  "a grant and a later revoke end revoked in every order, over restarts: $kind, request_id $withIds",
  (of) => {
    using dir = new StoreDir();
    for (let at = 0; at < 6; at++) {
      const store = dir.open();
      dir.now = later(dir.now, 4 * day);
      store.transaction(() => {
        for (const order of orders.keys()) send(store, dir.now, order, at, of);
      });
      store.prune();
    }
    expect(left(dir.open())).toEqual(allRevoked);
  },
);

test("a stale grant is superseded, told so, and changes nothing", () => {
  using desk = new MemoryStore();
  desk.ask(grant, { ...pair, as_of: 5 });
  const picture = desk.picture();
  const { reply } = desk.perform(grant, JSON.stringify({ request_id: "r-1", ...pair, as_of: 4 }));
  expect(reply.status).toBe(409);
  expect(JSON.parse(reply.body)).toEqual({
    ok: false,
    error: { type: "superseded", message: expect.stringContaining("5") as string, newest_as_of: 5 },
  });
  expect(desk.picture()).toBe(picture);
});

test("a superseded grant that nobody waits for is told as command.refused", () => {
  using desk = new MemoryStore();
  desk.ask(revoke, { ...pair, as_of: 5 });
  desk.perform(grant, JSON.stringify({ ...pair, as_of: 5 }), { door: "mqtt", replyAddress: "none" });
  expect(desk.events()).toMatchObject([
    { event_type: "command.refused", command: grant, error: { type: "superseded", newest_as_of: 5 } },
  ]);
});

test("a revoke is carried out however old it is, and what is newer than all that was seen grants again", () => {
  using desk = new MemoryStore();
  expect(desk.ask(grant, { ...pair, as_of: 5 })).toEqual({ ok: true });
  expect(desk.ask(revoke, { ...pair, as_of: 1 })).toEqual({ ok: true });
  expect(desk.ask("access/list", {})["receipts"]).toEqual([]);
  expect(desk.ask(grant, { ...pair, as_of: 4 }).error?.type).toBe("superseded");
  // As new as the newest, and no revoke was: the publisher's last word.
  expect(desk.ask(grant, { ...pair, as_of: 5 })).toEqual({ ok: true });
});

test("without as_of the last to arrive wins, and what was seen is not forgotten over it", () => {
  using desk = new MemoryStore();
  desk.ask(grant, { ...pair, as_of: 5 });
  desk.ask(revoke, pair);
  expect(desk.ask(grant, { ...pair, as_of: 5 }).error?.type).toBe("superseded");
  expect(desk.ask(grant, pair)).toEqual({ ok: true });
  expect(desk.ask(grant, { ...pair, as_of: 5 }).error?.type).toBe("superseded");
  expect(desk.ask(grant, { ...pair, as_of: 6 })).toEqual({ ok: true });
  expect(desk.ask("access/list", {})["receipts"]).toHaveLength(1);
});

test("a revoke of what never was leaves no identity and no event, only what a late grant is told by", () => {
  using desk = new MemoryStore();
  const picture = desk.picture(["marks"]);
  expect(desk.ask(revoke, { ...pair, as_of: 5 })).toEqual({ ok: true });
  expect(desk.picture(["marks"])).toBe(picture);
  expect(desk.ask(grant, { ...pair, as_of: 4 }).error?.type).toBe("superseded");
  expect(desk.ask(grant, { ...pair, user_identity_id: "ben", as_of: 4 })).toEqual({ ok: true });
  expect(desk.ask(grant, { ...pair, device_id: doors[1], as_of: 4 })).toEqual({ ok: true });
});

test("a revoke is known for 90 days, the newest of a grant as long as it stands", () => {
  using desk = new MemoryStore();
  const ben = { ...pair, user_identity_id: "ben" };
  desk.ask(revoke, { ...pair, as_of: 5 });
  desk.ask(revoke, { ...ben, as_of: 5 });
  desk.ask(grant, { ...ben, as_of: 6 });
  desk.now = later(desk.now, 90 * day);
  desk.store.prune();
  expect(desk.ask(grant, { ...pair, as_of: 4 }).error?.type).toBe("superseded");
  desk.now = later(desk.now, 1);
  desk.store.prune();
  expect(desk.ask(grant, { ...pair, as_of: 4 })).toEqual({ ok: true });
  expect(desk.ask(grant, { ...ben, as_of: 5 }).error?.type).toBe("superseded");
});

test("a grant that cannot be compared with what was seen is invalid_input, naming it; a revoke is carried out", () => {
  using desk = new MemoryStore();
  desk.ask(grant, { ...pair, as_of: 5 });
  const { error } = desk.ask(grant, { ...pair, as_of: "2025-06-01T10:00:00Z" });
  expect(error).toMatchObject({
    type: "invalid_input",
    validation_errors: { as_of: { _errors: [expect.any(String)] } },
  });
  expect(error?.message).toContain("compared with 5");
  expect(desk.ask(revoke, { ...pair, as_of: "2025-06-01T10:00:00Z" })).toEqual({ ok: true });
  expect(desk.ask("access/list", {})["receipts"]).toEqual([]);
  expect(desk.ask(grant, { ...pair, as_of: 6 }).error?.type).toBe("invalid_input");
  expect(desk.ask(grant, { ...pair, as_of: "2025-06-01T10:00:01Z" })).toEqual({ ok: true });
});

test("a grant from the far future is refused, so that it does not shut out all that follow; a revoke is carried out", () => {
  using desk = new MemoryStore();
  desk.ask(grant, pair);
  const { error } = desk.ask(grant, { ...pair, as_of: "2099-01-01T00:00:00Z" });
  expect(error?.type).toBe("invalid_input");
  expect(error?.message).toContain("2025-06-15T15:06:40.000Z");
  expect(desk.ask(revoke, { ...pair, as_of: "2099-01-01T00:00:00Z" })).toEqual({ ok: true });
  expect(desk.ask("access/list", {})["receipts"]).toEqual([]);
});

test.each([-1, 1.5, 2 ** 53, "5", "2026-01-31", "2026-01-31T09:30:00", "soon", null, true, {}])(
  "as_of %j is invalid_input for a grant and for a revoke",
  (wrong) => {
    using desk = new MemoryStore();
    for (const command of [grant, revoke]) {
      const { error } = desk.ask(command, { ...pair, as_of: wrong });
      expect(error).toMatchObject({ type: "invalid_input", validation_errors: { as_of: {} } });
      expect(error?.message).toContain("Must be an instant with its offset");
    }
  },
);

test("access grants, their updates and their ends say how new they are, too: for each of their devices, and in whatever order", () => {
  using desk = new MemoryStore();
  const both = { user_identity_id: "ann", device_ids: [doors[0], doors[1]], access_grant_key: "k" };
  expect(desk.ask("access_grants/create", { ...both, as_of: 5 })).toMatchObject({ ok: true });
  const update = (asOf: number): unknown =>
    desk.ask("access_grants/update", { access_grant_key: "k", name: `as of ${asOf}`, as_of: asOf });
  expect(update(4)).toMatchObject({ error: { type: "superseded", newest_as_of: 5 } });
  expect(desk.ask("access_grants/get", { access_grant_key: "k" })).toMatchObject({ access_grant: { name: null } });
  expect(update(6)).toMatchObject({ ok: true });

  // Where one of its devices has seen something newer, it is carried out on none of them.
  desk.ask(revoke, { user_identity_id: "ann", device_id: doors[1], as_of: 8 });
  expect(update(7)).toMatchObject({ error: { type: "superseded", newest_as_of: 8 } });
  expect(desk.ask(grant, { ...pair, as_of: 7 })).toEqual({ ok: true });

  // An end is carried out whatever it says; what is late, or comes again, makes no new one.
  expect(desk.ask("access_grants/delete", { access_grant_key: "k", as_of: 3 })).toEqual({ ok: true });
  expect(desk.ask("access_grants/create", { ...both, as_of: 5 })).toMatchObject({ error: { type: "superseded" } });
  expect(desk.ask("access_grants/create", { ...both, as_of: 9 })).toMatchObject({ ok: true });
  expect(desk.ask("access_grants/delete", { access_grant_key: "k", as_of: 10 })).toEqual({ ok: true });
  expect(desk.ask("access_grants/create", { ...both, as_of: 10 })).toMatchObject({ error: { type: "superseded" } });
  expect(desk.ask("access_grants/create", { ...both, as_of: "soon" })).toMatchObject({
    error: { type: "invalid_input", validation_errors: { as_of: {} } },
  });
});

test("the end of an access grant that does not say how new it is says nothing of the other grants of its pairs", () => {
  using desk = new MemoryStore();
  desk.ask(grant, { ...pair, as_of: 5 });
  desk.ask("access_grants/create", { user_identity_id: "ann", device_ids: [doors[0]], access_grant_key: "k" });
  expect(desk.ask("access_grants/delete", { access_grant_key: "k" })).toEqual({ ok: true });
  expect(desk.ask(grant, { ...pair, as_of: 5 })).toEqual({ ok: true });
});
