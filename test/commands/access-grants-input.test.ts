import assert from "node:assert/strict";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../agent/commands/table.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { later, toIso } from "../../agent/domain/instant.ts";
import { type Answer, doors, keypad, MemoryStore } from "../support/memory-store.ts";
import { blankImage } from "../support/world.ts";

const [door = deviceId("door-1"), back = deviceId("door-2")] = doors;
const hour = 3600_000;
const image = blankImage();

let house: MemoryStore;
beforeEach(() => {
  house = new MemoryStore(undefined, image);
  for (const device of doors) house.store.rounds.learn(device, keypad({ identity: `lock of ${device}` }));
  return () => house[Symbol.dispose]();
});

const ask = (name: string, parameters: object): Answer => house.ask(`access_grants/${name}`, parameters);
const at = (ms: number): string => toIso(later(house.now, ms));
const grantIn = (answer: Answer): Record<string, unknown> => JSON.parse(JSON.stringify(answer))["access_grant"];
const key = "stay-17";
const updated = (change: object): Answer => ask("update", { access_grant_key: key, ...change });

/** The access grant as it is kept, whatever columns that has. */
function row(): Record<string, unknown> {
  const found = house.opened.db.prepare("SELECT * FROM access_grants WHERE valid_to IS NULL").get();
  const { row: _, valid_from: _from, ...kept } = z.record(z.string(), z.unknown()).parse(found);
  return kept;
}
const but = (names: ReadonlySet<string | undefined>, all: Record<string, unknown>): [string, unknown][] =>
  Object.entries(all).filter(([name]) => !names.has(name));
/** A grant that says something in every member that it can have. */
const createFull = (): Record<string, unknown> =>
  grantIn(
    ask("create", {
      user_identity_id: "anna",
      device_ids: [door, back],
      name: "One",
      access_grant_key: key,
      starts_at: at(hour),
      ends_at: at(4 * hour),
      schedule: [{ days: ["mon"], from: "08:00", to: "09:00" }],
      allow_external_modification: true,
      requested_access_methods: [{ mode: "code", code: "4711" }],
    }),
  );

function shapeOf(name: string): Readonly<Record<string, unknown>> {
  const parameters = table.get(name)?.parameters;
  assert(parameters instanceof z.ZodObject, `${name} takes an object`);
  return parameters.shape;
}
const shape = shapeOf("access_grants/update");
const isRefused = (field: unknown): boolean => field instanceof z.ZodOptional && field.unwrap() instanceof z.ZodNever;
/** Which one it is, and how new the update. */
const selectors = new Set(["access_grant_id", "access_grant_key", "as_of"]);
const refused = Object.keys(shape).filter((name) => isRefused(shape[name]));
const changeable = Object.keys(shape).filter((name) => !selectors.has(name) && !refused.includes(name));

describe("an update", () => {
  /** For each field that it takes: its column, and what it may be changed to. A field without a case fails below. */
  const cases = new Map<string, { readonly column: string; readonly to: () => readonly unknown[] }>([
    ["starts_at", { column: "starts_at", to: () => [at(2 * hour), null] }],
    ["ends_at", { column: "ends_at", to: () => [at(9 * hour), null] }],
    ["name", { column: "name", to: () => ["Other", null] }],
    ["schedule", { column: "weekly", to: () => [[{ days: ["tue"], from: "10:00", to: "11:00" }], null] }],
  ]);
  /** Of what is shown: what follows from other members. */
  const derived = new Set(["display_name", "display_status"]);

  /** Every choice of fields, and of what they are changed to. */
  function changes(): Record<string, unknown>[] {
    let all: Record<string, unknown>[] = [{}];
    for (const [field, { to }] of cases) {
      all = all.flatMap((change) => [change, ...to().map((value) => ({ ...change, [field]: value }))]);
    }
    return all.filter((change) => Object.keys(change).length > 0);
  }

  test("every field that an update takes has a case", () => {
    expect([...cases.keys()].toSorted()).toEqual(changeable.toSorted());
    expect(changes().length).toBe(3 ** cases.size - 1);
  });

  test("an update changes what it names, and keeps all else: in what is shown, in what is kept, and on the doors", () => {
    // Not what follows from the times of the grant, or tells of it.
    const ofIt = ["access_grants", "grants", "choices", "journal", "outbox", "outbox_events", "sqlite_sequence"];
    const rest = (): string => house.picture([...ofIt, "clock", "requests"]);
    for (const change of changes()) {
      const before = createFull();
      const [kept, others] = [row(), rest()];
      const named = Object.keys(change);
      const columns = new Set(named.map((field) => cases.get(field)?.column));
      const after = grantIn(updated(change));
      const told = new Set([...named, ...derived]);
      const what = JSON.stringify(change);
      expect(but(told, after), `after ${what}`).toEqual(but(told, before));
      expect(but(columns, row()), `after ${what}`).toEqual(but(columns, kept));
      // A start that is taken away is now.
      for (const field of named) {
        expect(after[field], `after ${what}`).toEqual(change[field] ?? (field === "starts_at" ? at(0) : null));
      }
      expect(grantIn(ask("get", { access_grant_key: key }))).toEqual(after);
      expect(rest(), `after ${what}`).toBe(others);
      expect(house.store.records.grants({}).map(({ device }) => device)).toEqual(doors);
      ask("delete", { access_grant_key: key });
    }
  });

  test("what can be created can be updated, or the update says what to do instead", () => {
    const created = Object.keys(shapeOf("access_grants/create"));
    expect(created.filter((name) => !Object.hasOwn(shape, name))).toEqual([]);
    expect(refused.length).toBeGreaterThan(3);
  });

  test.each(refused)("an update that names %s is refused, whatever it says, and changes nothing", (field) => {
    createFull();
    const before = house.picture(["requests", "clock"]);
    for (const value of [[back], "ben", true, null, {}, [{ mode: "code" }]]) {
      const { error } = updated({ name: "x", [field]: value });
      expect(error).toMatchObject({
        type: "invalid_input",
        validation_errors: { [field]: { _errors: [expect.anything()] } },
      });
      expect(error?.message).toMatch(/^Cannot be changed: .+ for /);
    }
    expect(house.picture(["requests", "clock"])).toBe(before);
  });

  test("an update of the devices says to delete and to create", () => {
    createFull();
    const { error } = updated({ device_ids: [door] });
    expect(error?.message).toBe('Cannot be changed: delete it, and create one with the other devices for "device_ids"');
  });

  test("an update of nothing that is there, or of two at once, is typed", () => {
    const { access_grant_id: id } = createFull();
    expect(ask("update", { access_grant_key: "other", name: "x" }).error?.type).toBe("access_grant_not_found");
    for (const which of [{}, { access_grant_id: id, access_grant_key: "other" }]) {
      expect(ask("update", { ...which, name: "x" }).error).toMatchObject({
        type: "invalid_input",
        validation_errors: { access_grant_id: { _errors: ["Give either access_grant_id or access_grant_key"] } },
      });
    }
  });
});

const day = { days: ["mon"], from: "08:00", to: "18:00" };
/** The member that is named, and a window that is none. */
const wrong: readonly (readonly [place: string, window: () => object])[] = [
  ["starts_at", () => ({ starts_at: "2027-02-30T00:00:00Z" })],
  ["starts_at", () => ({ starts_at: "2027-02-29T00:00:00Z" })],
  ["starts_at", () => ({ starts_at: "2027-13-01T00:00:00Z" })],
  ["starts_at", () => ({ starts_at: "2027-01-01T24:30:00Z" })],
  ["starts_at", () => ({ starts_at: "2027-01-01T00:00:00" })],
  ["starts_at", () => ({ starts_at: "2027-01-01" })],
  ["starts_at", () => ({ starts_at: 1_750_000_000_000 })],
  ["starts_at", () => ({ starts_at: "" })],
  ["ends_at", () => ({ ends_at: "2027-04-31T00:00:00Z" })],
  ["ends_at", () => ({ ends_at: "never" })],
  ["ends_at", () => ({ ends_at: at(-1) })],
  ["ends_at", () => ({ ends_at: at(0) })],
  ["ends_at", () => ({ starts_at: at(2 * hour), ends_at: at(hour) })],
  ["ends_at", () => ({ starts_at: at(2 * hour), ends_at: at(2 * hour) })],
  ["schedule", () => ({ schedule: [] })],
  ["schedule", () => ({ schedule: "mon 08:00-18:00" })],
  ["schedule", () => ({ schedule: Array.from({ length: 1000 }, () => day) })],
  [
    "schedule",
    () => ({
      schedule: Array.from({ length: 51 }, (_, from) => ({ days: ["mon"], from: clock(from), to: clock(from + 1) })),
    }),
  ],
  ["schedule.0", () => ({ schedule: ["mon"] })],
  ["schedule.0", () => ({ schedule: [{ ...day, time_zone: "Mars/Olympus" }] })],
  ["schedule.0.days", () => ({ schedule: [{ ...day, days: [] }] })],
  ["schedule.0.days", () => ({ schedule: [{ from: "08:00", to: "18:00" }] })],
  ["schedule.0.days.0", () => ({ schedule: [{ ...day, days: ["monday"] }] })],
  ["schedule.0.days.1", () => ({ schedule: [{ ...day, days: ["mon", "mon"] }] })],
  ["schedule.1.days.2", () => ({ schedule: [day, { ...day, days: ["tue", "wed", "tue"] }] })],
  ["schedule.0.from", () => ({ schedule: [{ ...day, from: "8:00" }] })],
  ["schedule.0.from", () => ({ schedule: [{ ...day, from: "24:00" }] })],
  ["schedule.0.to", () => ({ schedule: [{ ...day, to: "24:01" }] })],
  ["schedule.0.to", () => ({ schedule: [{ ...day, to: "08:00" }] })],
  ["schedule.0.to", () => ({ schedule: [{ ...day, to: null }] })],
  ["schedule.1", () => ({ schedule: [day, day] })],
  ["schedule.1", () => ({ schedule: [day, { ...day, from: "17:59", to: "19:00" }] })],
  ["schedule.1", () => ({ schedule: [{ days: ["sun"], from: "22:00", to: "09:00" }, day] })],
];
function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** What is said of a member, by its place. */
function saidOf(place: string, { error }: Answer): unknown {
  const trees = z.record(z.string(), z.unknown());
  let tree = trees.parse(error?.validation_errors);
  for (const name of place.split(".")) tree = trees.parse(tree[name] ?? {});
  return tree["_errors"];
}

describe("a window that is none", () => {
  test.each(wrong.map(([place, window], number) => ({ number, place, window })))(
    "is invalid_input that names $place, in a create and an update, and nothing is kept of it ($number)",
    ({ place, window }) => {
      createFull();
      const before = house.picture(["requests"]);
      const answers = [
        ask("create", { user_identity_id: "ben", device_ids: [door], ...window() }),
        updated({ name: "x", ...window() }),
      ];
      for (const answer of answers) {
        expect(answer.error?.type).toBe("invalid_input");
        expect(saidOf(place, answer)).toEqual([expect.stringMatching(/./)]);
        expect(answer.error?.message).toContain(place);
      }
      expect(house.picture(["requests"])).toBe(before);
    },
  );

  test("an update that would end before it starts names what it has named", () => {
    createFull();
    expect(saidOf("ends_at", updated({ ends_at: at(hour / 2) }))).toEqual(["Must be after starts_at"]);
    expect(saidOf("starts_at", updated({ starts_at: at(5 * hour) }))).toEqual(["Must be before ends_at"]);
    expect(updated({ starts_at: at(5 * hour), ends_at: at(6 * hour) }).ok).toBe(true);
    house.now = later(house.now, 7 * hour);
    for (const start of [null, at(-8 * hour), at(hour)]) {
      expect(saidOf("starts_at", updated({ starts_at: start }))).toEqual(["Must be before ends_at"]);
    }
  });
});
