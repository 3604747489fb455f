import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, toIso } from "../../agent/domain/instant.ts";
import { type Answer, doors, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1"), back = deviceId("door-2")] = doors;
const hour = 3600_000;

let desk: MemoryStore;
/** When each person was granted each door, an hour after the one before. */
let moments: string[];
beforeEach(() => {
  desk = new MemoryStore();
  moments = [];
  for (const who of ["ann", "ben"]) {
    for (const device of doors) {
      desk.now = later(desk.now, hour);
      moments.push(toIso(desk.now));
      desk.ask("user_identities/grant_access_to_device", { user_identity_id: who, device_id: device });
    }
  }
  desk.ask("access_grants/create", { user_identity_id: "ann", device_ids: [door], access_grant_key: "stay" });
  return () => desk[Symbol.dispose]();
});

const list = (of: object): Answer => desk.ask("events/list", of);
const told = z.array(z.looseObject({ number: z.number(), event_id: z.string() }));
const numbers = (of: object): number[] => told.parse(list(of)["events"]).map(({ number }) => number);

test.each<readonly [string, () => object, readonly number[]]>([
  ["all", () => ({}), [1, 2, 3, 4, 5, 6]],
  ["after a number", () => ({ after: 4, limit: 1 }), [5]],
  ["since a moment", () => ({ since: moments[2] }), [3, 4, 5, 6]],
  ["between two moments", () => ({ between: [moments[1], moments[2]] }), [2, 3]],
  ["between two, after a number", () => ({ between: [moments[0], moments[2]], after: 1, limit: 1 }), [2]],
  ["of a type", () => ({ event_type: "access_grant.created" }), [5]],
  [
    "of one of some types",
    () => ({ event_types: ["access_grant.created", "access.accepted"], since: moments[3] }),
    [4, 5, 6],
  ],
  ["of a device", () => ({ device_id: back }), [2, 4]],
  ["of some devices", () => ({ device_ids: [back, door] }), [1, 2, 3, 4, 6]],
  ["of a device and some others", () => ({ device_id: back, device_ids: [door] }), [1, 2, 3, 4, 6]],
  ["of a person", () => ({ user_identity_id: "ben" }), [3, 4]],
  ["of no type", () => ({ event_types: [] }), []],
])("events are listed %s", (_, of, expected) => {
  expect(numbers(of())).toEqual(expected);
});

test("events are listed of an access grant", () => {
  const { access_grant: grant } = desk.ask("access_grants/get", { access_grant_key: "stay" });
  const { access_grant_id: id } = z.looseObject({ access_grant_id: z.string() }).parse(grant);
  expect(numbers({ access_grant_id: id })).toEqual([5, 6]);
  expect(numbers({ access_grant_ids: ["other"] })).toEqual([]);
});

test("an event is found by its id, and one that is not kept is typed", () => {
  const [, second] = told.parse(list({})["events"]);
  expect(desk.ask("events/get", { event_id: second?.event_id ?? "" })).toEqual({ ok: true, event: second });
  expect(desk.ask("events/get", { event_id: "none" }).error?.type).toBe("event_not_found");
});

test.each([
  { since: "yesterday" },
  { between: ["2026-01-01T00:00:00Z"] },
  { between: ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"] },
  { since: "2026-01-01T00:00:00Z", between: ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] },
  { event_types: "access.live" },
  { limit: 501 },
])("a question for events that makes no sense is invalid_input (%j)", (of) => {
  expect(list(of).error?.type).toBe("invalid_input");
});

const plan = (sql: string): string => JSON.stringify(desk.opened.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());

test("a look for an event, or for those of an hour, does not go through the whole journal", () => {
  expect(
    plan("SELECT body FROM journal WHERE json_extract(body, '$.event_id') = 'x' AND number IS NOT NULL"),
  ).toContain("SEARCH journal USING INDEX journal_by_event");
  expect(plan("SELECT body FROM journal INDEXED BY journal_by_time WHERE at BETWEEN 1 AND 2 AND number > 0")).toContain(
    "SEARCH journal USING INDEX journal_by_time",
  );
});
