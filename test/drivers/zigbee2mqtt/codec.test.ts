import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../../agent/domain/secret.ts";
import { slotName } from "../../../agent/domain/slot.ts";
import {
  decodeBridgeState,
  decodeDevices,
  decodeFailure,
  decodeInfo,
  decodeResponse,
  missingOptions,
  optionsOf,
} from "../../../drivers/zigbee2mqtt/codec-bridge.ts";
import { happenings, nothingYet } from "../../../drivers/zigbee2mqtt/codec-event.ts";
import {
  boltProperty,
  capsProperty,
  contentsOf,
  decodeAvailability,
  decodeState,
  encodeGet,
  encodePin,
  type LockState,
  placeIn,
  slotOf,
  userOf,
  verdictOn,
} from "../../../drivers/zigbee2mqtt/codec-lock.ts";

const decoders = {
  decodeState,
  decodeAvailability,
  decodeBridgeState,
  decodeDevices,
  decodeInfo,
  decodeResponse,
  decodeFailure,
};
const digits = fc.stringMatching(/^\d{4,8}$/);

describe.each(Object.entries(decoders))("%s()", (_, decode) => {
  test("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (text) => {
          expect(() => decode(text)).not.toThrow();
        },
      ),
    );
  });
});

test("encodePin() sends a PIN as a string, with its leading zeros", () => {
  fc.assert(
    fc.property(fc.nat(249), digits, (user, pin) => {
      expect(JSON.parse(encodePin(user, new Secret(pin)))).toEqual({ pin_code: { user, pin_code: pin } });
    }),
  );
});

test("encodePin() without a PIN clears, and encodeGet() always names its slot", () => {
  expect(encodePin(3, undefined)).toBe('{"pin_code":{"user":3,"pin_code":null}}');
  expect(encodeGet(0)).toBe('{"pin_code":{"user":0}}');
});

test("userOf() takes back what slotOf() gives, and nothing else", () => {
  fc.assert(fc.property(fc.nat(999), (user) => userOf(slotOf(user)) === user));
  for (const name of ["", "01", "-1", "1.5", "1e2", " 1", "x", "100000"])
    expect(userOf(slotName(name))).toBeUndefined();
});

const answer = (text: string): NonNullable<LockState["users"]>[string] | undefined => decodeState(text)?.users?.["3"];

describe("contentsOf()", () => {
  test.each([
    ['{"users":{"3":{"status":"available","pin_code":""}}}', "empty"],
    ['{"users":{"3":{"status":"available"}}}', "empty"],
    ['{"users":{"3":{"status":"enabled","pin_code":"0471"}}}', "known"],
    ['{"users":{"3":{"status":"disabled","pin_code":"0471"}}}', "known"],
    ['{"users":{"3":{"status":"enabled","pin_code":"****"}}}', "opaque"],
    ['{"users":{"3":{"status":"enabled","pin_code":""}}}', "opaque"],
    ['{"users":{"3":{"status":"enabled"}}}', "opaque"],
    ['{"users":{"3":{"status":"not_supported_255","pin_code":""}}}', "unreadable"],
  ])("of %s is %s", (text, state) => {
    const said = answer(text);
    expect(said && contentsOf(said).state).toBe(state);
  });

  test("of a PIN that lost its zeros as a number is no answer", () => {
    expect(answer('{"users":{"3":{"status":"enabled","pin_code":471}}}')).toBeUndefined();
  });
});

describe("verdictOn()", () => {
  const sent = { kind: "pin", digits: new Secret("04711147") } as const;
  test.each([
    [{ status: "enabled", pin_code: "04711147" }, "same"],
    [{ status: "enabled", pin_code: "4711147" }, "other"],
    [{ status: "disabled", pin_code: "04711147" }, "disabled"],
    [{ status: "enabled", pin_code: "********" }, "masked"],
    [{ status: "enabled" }, "masked"],
    [{ status: "disabled" }, "disabled"],
    [{ status: "available", pin_code: "" }, "empty"],
    [{ status: "not_supported_255" }, "unreadable"],
  ])("%j is %s", (said, verdict) => {
    expect(verdictOn(said, sent)).toBe(verdict);
  });
});

const happened = (message: object): unknown =>
  happenings(decodeState(JSON.stringify(message)) ?? {}, nothingYet).happened;
const log = (message: string): string => JSON.stringify({ level: "error", message });

describe("happenings()", () => {
  const keypad = { action_source: 0, action_source_name: "keypad" };

  test.each([
    [
      { action: "unlock", action_user: 4, ...keypad },
      { event: "unlocked", method: "keypad", slot: "4" },
    ],
    [
      { action: "unlock", action_user: 0, action_source_name: "rfid" },
      { event: "unlocked", method: "card", slot: "0" },
    ],
    [
      { action: "lock", action_user: null, action_source_name: "rf" },
      { event: "locked", method: "remote" },
    ],
    [
      { action: "unlock", action_user: 65535, action_source_name: "manual" },
      { event: "unlocked", method: "manual" },
    ],
    [
      { action: "unlock", action_source_name: "fingerprint" },
      { event: "unlocked", method: "unknown" },
    ],
    [
      { action: "auto_lock", action_user: null, ...keypad },
      { event: "locked", method: "automatic" },
    ],
    [
      { action: "manual_unlock", action_source_name: "manual" },
      { event: "unlocked", method: "manual" },
    ],
    [
      { action: "unlock_failure_invalid_pin_or_id", ...keypad },
      { event: "denied", reason: "unknown_code" },
    ],
    [
      { action: "unlock_failure_invalid_schedule", action_user: 7, ...keypad },
      { event: "denied", reason: "schedule", slot: "7" },
    ],
    [
      { action: "pin_code_added", action_user: 12, action_source_name: "rf" },
      { event: "changed", slot: "12" },
    ],
    [
      { action: "pin_code_deleted", action_user: 12, ...keypad },
      { event: "changed", slot: "12", by: "owner" },
    ],
    [{ battery: 50.5 }, { event: "battery", level: 0.505 }],
    [{ lock_state: "not_fully_locked", state: "UNLOCK" }, { event: "jammed" }],
  ])("of %j", (message, event) => {
    expect(happened(message)).toEqual([event]);
  });

  test.each([
    { action: "pin_code_deleted", action_user: null, ...keypad },
    { action: "master_code_changed", action_user: 1 },
    { state: "LOCK", lock_state: "locked" },
    { action: "", linkquality: 100 },
  ])("of %j: none", (message) => {
    expect(happened(message)).toEqual([]);
  });

  test("tells what is repeated only when it is another", () => {
    const stuck = { battery: 80, lock_state: "not_fully_locked" };
    const first = happenings(stuck, nothingYet);
    expect(first.happened).toHaveLength(2);
    const second = happenings(stuck, first.now);
    expect(second.happened).toEqual([]);
    const freed = happenings({ battery: 79, lock_state: "locked" }, second.now);
    expect(freed.happened).toEqual([{ event: "battery", level: 0.79 }]);
    expect(happenings(stuck, freed.now).happened).toHaveLength(2);
  });
});

describe("decodeFailure()", () => {
  test("tells what failed, and nothing of its text, which may hold a PIN", () => {
    const text = log(
      `z2m: Publish 'set' 'pin_code' to 'hall/front door' failed: 'Error: ZCL command 0x00/1 closuresDoorLock.setPinCode({"userid":12,"pincodevalue":"12121212"}, {}) failed (Timeout - 4660 - 1 - 10 after 10000ms)'`,
    );
    const failure = decodeFailure(text);
    expect(failure).toEqual({ lock: "hall/front door", verb: "set", key: "pin_code", why: "other" });
    expect(JSON.stringify(failure)).not.toContain("12121212");
  });

  test.each([
    ["z2m: Publish 'set' 'read' to 'a' failed: 'Error: read failed (Status 'UNSUPPORTED_ATTRIBUTE')'", "unsupported"],
    ["z2m: Publish 'get' 'pin_code' to 'a' failed: 'Error: userId must be in range for device'", "other"],
  ])("of %s", (message, why) => {
    expect(decodeFailure(log(message))?.why).toBe(why);
  });

  test("of any other line is nothing", () => {
    expect(decodeFailure(log("z2m: Entity 'x' is unknown"))).toBeUndefined();
    expect(decodeFailure(log("z2m:mqtt: MQTT publish: topic 'a', payload '{}'"))).toBeUndefined();
  });
});

describe("missingOptions()", () => {
  test("asks for what is lacking, and keeps the owner's own filters", () => {
    expect(missingOptions({}, true)).toEqual({
      expose_pin: true,
      filtered_cache: ["users", capsProperty, boltProperty],
    });
    expect(missingOptions({ filtered_cache: ["battery"], expose_pin: true }, true)).toEqual({
      filtered_cache: ["battery", "users", capsProperty, boltProperty],
    });
    expect(missingOptions({ filtered_cache: ["users", capsProperty, boltProperty] }, false)).toBeUndefined();
    expect(
      missingOptions({ filtered_cache: ["users", capsProperty, boltProperty], expose_pin: true }, true),
    ).toBeUndefined();
  });

  test("is of the options in force: a device's own before those of all", () => {
    const config = {
      advanced: {},
      device_options: { retain: true, expose_pin: true },
      devices: { a: { retain: false } },
    };
    expect(optionsOf({ config }, "a")).toEqual({ retain: false, expose_pin: true });
    expect(optionsOf({ config }, "b")).toEqual({ retain: true, expose_pin: true });
  });
});

test("decodeDevices() leaves out what it cannot make sense of, and takes the rest", () => {
  const lock = {
    ieee_address: "0x1",
    friendly_name: "front_door",
    power_source: "Battery",
    definition: {
      model: "M",
      vendor: "V",
      exposes: [{ type: "lock", features: [] }, { property: "pin_code" }],
      options: [{ name: "expose_pin" }],
    },
    endpoints: { 1: { clusters: { input: ["genPollCtrl"] } } },
  };
  expect(decodeDevices(JSON.stringify([null, { ieee_address: 3 }, lock]))).toEqual([
    {
      ieee: "0x1",
      name: "front_door",
      model: "V M",
      battery: true,
      pins: true,
      exposesPins: true,
      pollControl: true,
      bolt: false,
    },
  ]);
});

/** What zigbee2mqtt says of a device with these clusters. */
const deviceWith = (input: readonly string[], type = "lock"): string =>
  JSON.stringify([
    {
      ieee_address: "0x1",
      friendly_name: "front_door",
      definition: { exposes: [{ type, features: [] }] },
      endpoints: { 1: { clusters: { input } } },
    },
  ]);

test("decodeDevices() finds a bolt where there is a lock of that cluster, without Poll Control", () => {
  const found = [
    deviceWith(["closuresDoorLock"]),
    deviceWith(["closuresDoorLock", "genPollCtrl"]),
    deviceWith(["genOnOff"]),
    deviceWith(["closuresDoorLock"], "switch"),
  ].map((text) => decodeDevices(text)?.[0]?.bolt);
  expect(found).toEqual([true, false, false, false]);
});

test("where a bolt is, is taken from the lock's own attribute", () => {
  expect([0, 1, 2, undefined].map((lockState) => placeIn({ lockState }))).toEqual([
    "between",
    "locked",
    "unlocked",
    "between",
  ]);
});
