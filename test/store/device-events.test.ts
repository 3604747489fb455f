import { beforeEach, expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import type { Store } from "../../agent/store/store.ts";
import { doors, keypad, MemoryStore } from "../support/memory-store.ts";

const [door = deviceId("door-1")] = doors;
let desk: MemoryStore;
let store: Store;
beforeEach(() => {
  desk = new MemoryStore();
  ({ store } = desk);
  store.rounds.learn(door, keypad());
  return () => desk[Symbol.dispose]();
});

const told = (): unknown[] => desk.events().map((event) => event["event_type"]);
const open = (since = desk.now): void =>
  store.rounds.setBreaker(door, { state: "open", since, tries: 1, next: desk.now });
const news = (of: object): void => store.rounds.happened(door, { news: of, suspect: undefined, events: [] });

test("a device is told to be connected and disconnected in turn, and silence of a moment is not told", () => {
  store.rounds.heard(door, false);
  open();
  expect(told()).toEqual(["device.breaker_opened"]);
  store.rounds.setBreaker(door, undefined);
  store.rounds.heard(door, true);
  store.rounds.heard(door, false);
  store.rounds.heard(door, true);
  expect(told().slice(2)).toEqual(["device.connected"]);
  store.rounds.heard(door, false);
  open();
  news({ online: false });
  expect(told().slice(3)).toEqual(["device.disconnected", "device.breaker_opened"]);
  expect(desk.events()[3]).toMatchObject({
    device_id: door,
    connected_account_id: null,
    error_code: "device_disconnected",
    device_errors: [],
    code: null,
  });
  news({ online: true });
  news({ online: false });
  expect(told().slice(5)).toEqual(["device.connected", "device.disconnected"]);
});

test("a lock that answers and proves nothing is left alone, and connected all the same", () => {
  store.rounds.heard(door, true);
  open();
  expect(told()).toEqual(["device.connected", "device.breaker_opened"]);
});

test("over a restart what was told is known, and nothing is told twice", () => {
  store.rounds.heard(door, true);
  store = desk.reopened(doors);
  store.rounds.heard(door, true);
  expect(told()).toEqual(["device.connected"]);
  store = desk.reopened(doors);
  open();
  expect(told()).toEqual(["device.connected", "device.disconnected", "device.breaker_opened"]);
});

test("of a battery is told what changes its status, and once that it is low", () => {
  for (const battery of [0.9, 0.8, 0.5, 0.3, 0.25, 0.08, 0.9, 0.05]) news({ battery });
  const statuses = desk.events().flatMap((event) => event["battery_status"] ?? []);
  expect(statuses).toEqual(["full", "good", "low", "critical", "full", "critical"]);
  expect(told().filter((type) => type === "device.low_battery")).toHaveLength(2);
});
