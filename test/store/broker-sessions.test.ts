import { expect, test } from "vitest";
import { type Instant, later } from "../../agent/domain/instant.ts";
import { StoreDir } from "../support/store-dir.ts";

const name = { broker: "broker.example:8883", clientId: "latchd-gateway-1" };
const minute = 60_000;
const day = 24 * 60 * minute;

test("a session is lost where there was one, with this broker and client id, and is told of for seven days", () => {
  using at = new StoreDir();
  let { sessions } = at.open();
  const connected = (remembered: boolean, of = name): Instant | undefined => sessions.connected(of, remembered, at.now);

  // The first connection ever: there was nothing to lose.
  expect(connected(false)).toBeUndefined();
  at.now = later(at.now, minute);
  sessions.heard(name, at.now);
  // A second early: what was heard may have waited to be read.
  const offline = later(at.now, -1_000);
  ({ sessions } = at.open());
  at.now = later(at.now, 5 * minute);
  expect(connected(false, { ...name, broker: "other.example:1883" })).toBeUndefined();
  expect(connected(false, { ...name, clientId: "latchd-gateway-2" })).toBeUndefined();
  expect(connected(false)).toBe(offline);
  const found = at.now;
  expect(sessions.lost(name, at.now)).toEqual({ offlineSince: offline, at: found });

  at.now = later(at.now, minute);
  expect(connected(true)).toBeUndefined();
  ({ sessions } = at.open());
  expect(sessions.lost(name, at.now)).toEqual({ offlineSince: offline, at: found });
  expect(sessions.lost({ ...name, clientId: "latchd-gateway-2" }, at.now)).toBeUndefined();
  expect(sessions.lost(name, later(found, 7 * day - 1))).toBeDefined();
  expect(sessions.lost(name, later(found, 7 * day))).toBeUndefined();
  expect(connected(false)).toBe(at.now - 1_000);
});
