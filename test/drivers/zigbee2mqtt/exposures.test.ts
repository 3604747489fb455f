import { expect, test } from "vitest";
import type { BridgeInfo } from "../../../drivers/zigbee2mqtt/codec-bridge.ts";
import { exposuresOf } from "../../../drivers/zigbee2mqtt/exposures.ts";

const device = {
  ieee: "0x1",
  name: "front_door",
  model: undefined,
  battery: true,
  pins: true,
  exposesPins: true,
  bolt: true,
  pollControl: false,
};
type Advanced = BridgeInfo["config"]["advanced"];
type Options = BridgeInfo["config"]["devices"][string];
const cures = (advanced: Advanced, options: Options, all: BridgeInfo["config"]["device_options"] = {}): string =>
  exposuresOf(
    { config: { advanced, device_options: all, devices: { "0x1": options } } },
    [{ address: "front_door", device }],
    "zigbee2mqtt",
  )
    .map(({ cure }) => cure)
    .join("\n");

const quiet: Advanced = { log_level: "warning", log_output: [] };
const careful: Options = { expose_pin: false, filtered_cache: ["users"] };

test("exposuresOf() one that is configured with care leaves what cannot be ended but by the broker", () => {
  expect(cures(quiet, careful)).toBe(
    "let the broker's ACL give zigbee2mqtt/bridge/logging to zigbee2mqtt and latchd only",
  );
});

const leaks: [Advanced, Options, string][] = [
  [quiet, { ...careful, expose_pin: true }, '"expose_pin": false'],
  [quiet, { ...careful, expose_pin: true, retain: true }, '"retain": false'],
  [quiet, { expose_pin: true }, '"filtered_cache": ["users"]'],
  [{ ...quiet, log_output: ["file"] }, careful, '"advanced.log_output": []'],
  [{ log_level: "info" }, { ...careful, expose_pin: true }, '{"z2m:mqtt": "warning"}'],
  [{ ...quiet, log_level: "debug" }, careful, '{"z2m:mqtt": "warning"}'],
  [{ ...quiet, log_level: "debug" }, careful, '"advanced.log_level": "info"'],
  [
    { ...quiet, log_level: "debug", log_debug_to_mqtt_frontend: true },
    careful,
    '"advanced.log_debug_to_mqtt_frontend": false',
  ],
];
test.each(leaks)("exposuresOf() %j and %j has a cure", (advanced, options, cure) => {
  expect(cures(advanced, options)).toContain(cure);
  expect(cures(quiet, careful)).not.toContain(cure);
});

test("exposuresOf() counts options for all devices, and levels for a part of the log", () => {
  expect(cures(quiet, { filtered_cache: ["users"] }, { expose_pin: true, retain: true })).toContain('"retain": false');
  const tamed: Advanced = { log_level: "info", log_namespaced_levels: { "z2m:mqtt": "warning" } };
  expect(cures(tamed, { ...careful, expose_pin: true })).not.toContain("z2m:mqtt");
});

test("exposuresOf() a zigbee2mqtt without a lock of ours is none of our business", () => {
  expect(exposuresOf({ config: { advanced: {}, devices: {} } }, [], "zigbee2mqtt")).toEqual([]);
});
