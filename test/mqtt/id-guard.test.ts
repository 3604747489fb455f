import { beforeEach, expect, test } from "vitest";
import { instant } from "../../agent/domain/instant.ts";
import { IdGuard, type Loss } from "../../agent/mqtt/id-guard.ts";

const minute = 60_000;
let guard: IdGuard;
let now: number;

beforeEach(() => {
  guard = new IdGuard();
  now = 1_750_000_000_000;
});

/** A connection that lasts so long; what its end says. */
function connection(lasts: number, how: Loss): string {
  guard.connected(instant(now));
  now += lasts;
  return guard.lost(instant(now), how);
}

test("IdGuard knows of another agent when the broker says so", () => {
  expect(connection(60 * minute, "taken over")).toBe("new");
  expect(guard.inUseSince(instant(now))).toBe(now);
});

test("IdGuard suspects another agent after three quick losses without a word, one after the other", () => {
  expect([1, 2, 3, 4].map(() => connection(9_000, "unexplained"))).toEqual(["no", "no", "new", "known"]);
});

test("IdGuard suspects nobody where the broker itself is away between the losses", () => {
  for (let loss = 0; loss < 10; loss += 1) {
    expect(connection(1_000, "unexplained")).toBe("no");
    guard.unreachable();
  }
  expect([1, 2, 3].map(() => connection(1_000, "unexplained"))).toEqual(["no", "no", "new"]);
});

test.each([
  ["where a connection lasted between them", [5_000, 5_000, 10_000], "unexplained"],
  ["that something else explains", [1_000], "explained"],
] as const)("IdGuard suspects nobody for losses %s", (_, lasting, how) => {
  const said = Array.from({ length: 10 }, () => lasting.map((lasts) => connection(lasts, how)));
  expect(new Set(said.flat())).toEqual(new Set(["no"]));
  expect(guard.inUseSince(instant(now))).toBeUndefined();
});

test("IdGuard tells it once while two agents relieve each other every five minutes", () => {
  expect(connection(60 * minute, "taken over")).toBe("new");
  const since = now;
  for (let round = 0; round < 5; round += 1) {
    now += 5 * minute;
    expect(connection(5 * minute, "taken over")).toBe("known");
    expect(guard.inUseSince(instant(now))).toBe(since);
  }
});

test("IdGuard forgets when a connection has lasted for ten minutes, and tells anew after that", () => {
  connection(minute, "taken over");
  now += 5 * minute;
  guard.connected(instant(now));
  expect(guard.inUseSince(instant(now + 9 * minute))).toBeDefined();
  expect(guard.inUseSince(instant(now + 10 * minute))).toBeUndefined();
  now += 11 * minute;
  expect(guard.lost(instant(now), "unexplained")).toBe("no");
  expect(guard.inUseSince(instant(now))).toBeUndefined();
  expect(connection(minute, "taken over")).toBe("new");
});
