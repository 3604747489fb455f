import type { Exposure } from "../driver.ts";
import { type BridgeInfo, type Device, optionsOf } from "./codec-bridge.ts";

/** A lock of ours: by the address in our configuration, and as zigbee2mqtt has it. */
export interface Addressed {
  readonly address: string;
  readonly device: Device;
}

/** The ways in which this zigbee2mqtt, as it is configured, lets codes out. */
export function exposuresOf(info: BridgeInfo, locks: readonly Addressed[], baseTopic: string): readonly Exposure[] {
  if (locks.length === 0) return [];
  const ofLocks = locks.flatMap((lock) => exposuresOfLock(lock, info, baseTopic));
  return [...ofLocks, ...exposuresOfLog(info, locks, baseTopic)];
}

function exposuresOfLock({ address, device }: Addressed, info: BridgeInfo, baseTopic: string): Exposure[] {
  const options = optionsOf(info, device.ieee);
  const topic = `${baseTopic}/${device.name}`;
  const saysPins = device.exposesPins && options.expose_pin === true;
  return [
    ...(saysPins
      ? [
          {
            address,
            problem: `codes that we read back are published in clear on ${topic} (expose_pin)`,
            cure: `let the broker's ACL give ${topic} to zigbee2mqtt and latchd only; or set "expose_pin": false in this link and in zigbee2mqtt: codes are then proven by occupancy`,
          },
        ]
      : []),
    ...(saysPins && options.retain === true
      ? [
          {
            address,
            problem: `the broker keeps the last message on ${topic}, with the codes in it`,
            cure: `set "retain": false for ${device.name} in zigbee2mqtt, and publish an empty retained message on ${topic}`,
          },
        ]
      : []),
    ...(saysPins && !(options.filtered_cache ?? []).includes("users")
      ? [
          {
            address,
            problem: "zigbee2mqtt keeps codes in clear in its state.json, and repeats them in every message",
            cure: `set "filtered_cache": ["users"] for ${device.name} in zigbee2mqtt`,
          },
        ]
      : []),
  ];
}

function exposuresOfLog({ config }: BridgeInfo, locks: readonly Addressed[], baseTopic: string): Exposure[] {
  const { advanced } = config;
  const levels = advanced.log_namespaced_levels ?? {};
  const levelOf = (namespace: string): string => levels[namespace] ?? levels["z2m"] ?? advanced.log_level ?? "info";
  const outputs = (advanced.log_output ?? ["console", "file"]).join(", ");
  const saysPins = locks.some(({ device }) => device.exposesPins && config.devices[device.ieee]?.expose_pin === true);
  const copied = levelOf("z2m:mqtt");
  const herdsman = levels["zh:controller:endpoint"] ?? levels["zh"] ?? advanced.log_level;
  return [
    {
      problem: `a write that times out is published with its code in clear on ${baseTopic}/bridge/logging`,
      cure: `let the broker's ACL give ${baseTopic}/bridge/logging to zigbee2mqtt and latchd only`,
    },
    ...(outputs === ""
      ? []
      : [
          {
            problem: `a write that times out is logged with its code in clear (${outputs})`,
            cure: 'set "advanced.log_output": [] in zigbee2mqtt, or protect its log as you would its codes',
          },
        ]),
    ...((saysPins && copied === "info") || copied === "debug"
      ? [
          {
            problem: `every message, with codes in clear, is copied to ${baseTopic}/bridge/logging${outputs === "" ? "" : ` and to the log (${outputs})`}`,
            cure: 'set "advanced.log_namespaced_levels": {"z2m:mqtt": "warning"} in zigbee2mqtt',
          },
        ]
      : []),
    ...(herdsman === "debug"
      ? [
          {
            problem: `every write is logged with its code in clear${outputs === "" ? "" : ` (${outputs})`}`,
            cure: 'set "advanced.log_level": "info" in zigbee2mqtt',
          },
        ]
      : []),
    ...(herdsman === "debug" && advanced.log_debug_to_mqtt_frontend === true
      ? [
          {
            problem: `every write is published with its code in clear on ${baseTopic}/bridge/logging`,
            cure: 'set "advanced.log_debug_to_mqtt_frontend": false in zigbee2mqtt',
          },
        ]
      : []),
  ];
}
