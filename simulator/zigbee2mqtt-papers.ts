import type { Request } from "./zigbee-door.ts";
import type { PersonaDevice } from "./zigbee2mqtt-device.ts";

/** What zigbee2mqtt says of itself and its devices on its retained topics, as far as anyone here reads it. Pure. */

/** JSON with the keys in order, as zigbee2mqtt writes all of its messages. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** `bridge/devices`. */
export const describe = (devices: readonly PersonaDevice[]): object[] => [
  {
    ieee_address: "0x00124b00deadbeef",
    friendly_name: "Coordinator",
    type: "Coordinator",
    supported: true,
    disabled: false,
    endpoints: { 1: { clusters: { input: [], output: [] } } },
  },
  ...devices.map(({ ieee, name, pollControl }) => ({
    ieee_address: ieee,
    friendly_name: name,
    type: "EndDevice",
    supported: true,
    disabled: false,
    power_source: "Battery",
    model_id: "YRD256 TSDB",
    manufacturer: "Yale",
    definition: {
      model: "YRD256HA20BP",
      vendor: "Yale",
      description: "Assure lock SL",
      exposes: [
        {
          type: "lock",
          features: [
            { name: "state", property: "state" },
            { name: "lock_state", property: "lock_state" },
          ],
        },
        ...["battery", "pin_code", "action", "action_source_name", "action_user"].map((property) => ({
          name: property,
          property,
        })),
      ],
      options: [{ name: "expose_pin", property: "expose_pin", type: "binary" }],
    },
    endpoints: {
      1: {
        clusters: {
          input: [
            "genBasic",
            "genPowerCfg",
            "genIdentify",
            "genAlarms",
            "genTime",
            ...(pollControl ? ["genPollCtrl"] : []),
            "closuresDoorLock",
          ],
          output: ["genTime", "genOta"],
        },
      },
    },
  })),
];

/** `bridge/info`. */
export const bridgeInfo = (
  devices: readonly PersonaDevice[],
  baseTopic: string,
  advanced: Readonly<Record<string, unknown>>,
): object => ({
  version: "2.14.1",
  log_level: "info",
  restart_required: false,
  config: {
    version: 5,
    advanced: {
      cache_state: true,
      cache_state_persistent: true,
      last_seen: "disable",
      log_debug_to_mqtt_frontend: false,
      log_level: "info",
      log_namespaced_levels: {},
      log_output: ["console"],
      output: "json",
      ...advanced,
    },
    availability: { enabled: true },
    device_options: {},
    devices: Object.fromEntries(devices.map(({ ieee, name, options }) => [ieee, { friendly_name: name, ...options }])),
    mqtt: { base_topic: baseTopic, include_device_information: false },
  },
});

/** The real one's text for a request that was not answered, code and all. */
export function timedOut({ ieee }: PersonaDevice, request: Request, transaction: number): string {
  const settings =
    '{"timeout":10000,"disableResponse":false,"disableRecovery":false,"disableDefaultResponse":true,"direction":0,"reservedBits":0,"writeUndiv":false}';
  return `Error: ZCL command ${ieee}/1 closuresDoorLock.${request.to}(${payloadOf(request)}, ${settings}) failed (Timeout - 4660 - 1 - ${transaction} after 10000ms)`;
}

const payloadOf = (request: Request): string => {
  switch (request.to) {
    case "setPinCode":
      return JSON.stringify({ userid: request.user, userstatus: 1, usertype: 0, pincodevalue: request.pin });
    case "clearPinCode":
    case "getPinCode":
      return JSON.stringify({ userid: request.user });
    case "lockDoor":
    case "unlockDoor":
      return JSON.stringify({ pincodevalue: { type: "Buffer", data: [] } });
    case "read":
      return JSON.stringify(request.attributes);
  }
};
