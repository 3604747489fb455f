import { expect, test } from "vitest";
import { z } from "zod";
import { invalidInput } from "../../agent/commands/refusal.ts";
import { noWindow, scheduleToWire, windowAfter, windowParameters } from "../../agent/commands/schedule.ts";
import { instant } from "../../agent/domain/instant.ts";

const parameters = z.object(windowParameters);
const now = instant(Date.parse("2026-06-01T12:00:00Z"));
const day = { days: ["mon"], from: "08:00", to: "18:00" };

/** The field that is complained about, and how. */
function problem(given: object): string {
  const { success, data, error } = parameters.safeParse(given);
  try {
    if (!success) throw invalidInput(error.issues);
    windowAfter(data, noWindow, now);
    return "none";
  } catch (refusal) {
    return refusal instanceof Error ? refusal.message : "";
  }
}

test.each([
  [{}],
  [{ starts_at: null, ends_at: null, schedule: null }],
  [{ starts_at: "2020-01-01T00:00:00+02:00", ends_at: "2026-06-01T12:00:00.001Z" }],
  [{ schedule: [day, { ...day, from: "18:00", to: "20:00" }] }],
  [{ schedule: [{ days: ["sun"], from: "22:00", to: "06:00" }, day] }],
  [{ schedule: [{ days: ["mon"], from: "00:00", to: "24:00" }] }],
  [{ schedule: Array.from({ length: 48 }, (_, at) => ({ days: ["mon"], from: half(at), to: half(at + 1) })) }],
])("%j is a window", (given) => {
  expect(problem(given)).toBe("none");
});

function half(at: number): string {
  return `${String(Math.floor(at / 2)).padStart(2, "0")}:${at % 2 === 0 ? "00" : "30"}`;
}

test.each([
  [{ starts_at: "2027-02-30T00:00:00Z" }, /starts_at/],
  [{ starts_at: "2027-02-03" }, /starts_at/],
  [{ starts_at: 1_750_000_000 }, /starts_at/],
  [{ ends_at: "2026-06-01T12:00:00Z" }, /Must be in the future for "ends_at"/],
  [{ starts_at: "2027-01-02T00:00:00Z", ends_at: "2027-01-01T00:00:00Z" }, /Must be after starts_at for "ends_at"/],
  [{ starts_at: "2027-01-02T00:00:00Z", ends_at: "2027-01-02T00:00:00Z" }, /ends_at/],
  [{ schedule: [] }, /schedule/],
  [{ schedule: [{ ...day, days: [] }] }, /schedule\.0\.days/],
  [{ schedule: [{ ...day, days: ["mon", "mon"] }] }, /Must not name mon twice for "schedule\.0\.days\.1"/],
  [{ schedule: [{ ...day, days: ["monday"] }] }, /schedule\.0\.days\.0/],
  [{ schedule: [{ ...day, from: "8:00" }] }, /schedule\.0\.from/],
  [{ schedule: [{ ...day, from: "24:00" }] }, /schedule\.0\.from/],
  [{ schedule: [{ ...day, to: "24:01" }] }, /schedule\.0\.to/],
  [{ schedule: [{ ...day, to: "08:00" }] }, /schedule\.0\.to/],
  [{ schedule: [{ ...day, until: "20:00" }] }, /until/],
  [{ schedule: [day, { ...day, from: "17:59", to: "19:00" }] }, /Must not overlap schedule\.0.*for "schedule\.1"/],
  [{ schedule: [{ days: ["sun"], from: "22:00", to: "09:00" }, day] }, /overlap/],
  [
    {
      schedule: [
        { days: ["mon", "tue"], from: "22:00", to: "22:30" },
        { days: ["mon"], from: "21:00", to: "23:00" },
      ],
    },
    /overlap/,
  ],
  [{ schedule: Array.from({ length: 1000 }, () => day) }, /at most 50/],
])("%j names the field", (given, message) => {
  expect(problem(given)).toMatch(message);
});

test("a schedule is shown as it was given, and what is not named stays", () => {
  const given = [
    { days: ["mon", "sun"], from: "22:00", to: "06:00" },
    { days: ["wed"], from: "00:00", to: "24:00" },
  ];
  const window = windowAfter(parameters.parse({ schedule: given }), noWindow, now);
  expect(scheduleToWire(window.weekly ?? [])).toEqual(given);
  const later = windowAfter(parameters.parse({ ends_at: "2027-01-01T00:00:00Z" }), window, now);
  expect(later).toEqual({ ...window, endsAt: Date.parse("2027-01-01T00:00:00Z") });
  expect(windowAfter(parameters.parse({ schedule: null }), later, now).weekly).toBeUndefined();
});
