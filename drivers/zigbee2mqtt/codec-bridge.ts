import { z } from "zod";
import { decode } from "../shared/decode.ts";
import { boltProperty, capsProperty } from "./codec-lock.ts";

/*
 * What goes to and comes from zigbee2mqtt itself, under `<base>/bridge/` (reference: lock-interfaces, 1.1). Pure.
 */

const bridgeState = z.object({ state: z.enum(["online", "offline"]) });

/** Reads `bridge/state`. */
export const decodeBridgeState = (text: string): "online" | "offline" | undefined => decode(text, bridgeState)?.state;

const expose = z.object({ type: z.string().optional(), property: z.string().optional(), name: z.string().optional() });
const device = z.object({
  ieee_address: z.string(),
  friendly_name: z.string(),
  power_source: z.string().optional().catch(undefined),
  definition: z
    .object({
      model: z.string().optional().catch(undefined),
      vendor: z.string().optional().catch(undefined),
      exposes: z.array(expose).catch([]),
      options: z.array(expose).catch([]),
    })
    .nullish()
    .catch(undefined),
  endpoints: z.record(z.string(), z.object({ clusters: z.object({ input: z.array(z.string()) }) })).catch({}),
});
const devices = z.array(z.unknown());

/** A device that zigbee2mqtt has, as far as it matters to us. */
export interface Device {
  readonly ieee: string;
  readonly name: string;
  readonly model: string | undefined;
  readonly battery: boolean;
  /** It takes PINs. */
  readonly pins: boolean;
  /** It can be locked and unlocked, and what does not reach it then never does. */
  readonly bolt: boolean;
  /** It has the option to say them when asked. */
  readonly exposesPins: boolean;
  /** It sleeps, and what cannot be sent to it is queued and sent later (lock-interfaces, 1.3.5). */
  readonly pollControl: boolean;
}

/** Reads `bridge/devices`, leaving out what it cannot make sense of: undefined where it is no list. */
export function decodeDevices(text: string): readonly Device[] | undefined {
  return decode(text, devices)?.flatMap((item) => {
    const { data } = device.safeParse(item);
    return data ? [deviceOf(data)] : [];
  });
}

const deviceOf = (data: z.infer<typeof device>): Device => {
  const { definition } = data;
  const clusters = new Set(Object.values(data.endpoints).flatMap(({ clusters: { input } }) => input));
  const pollControl = clusters.has("genPollCtrl");
  const isLock = definition?.exposes.some(({ type }) => type === "lock") ?? false;
  const model = [definition?.vendor, definition?.model].filter((part) => part !== undefined).join(" ");
  return {
    ieee: data.ieee_address,
    name: data.friendly_name,
    model: model === "" ? undefined : model,
    battery: data.power_source === "Battery",
    pins: definition?.exposes.some(({ property }) => property === "pin_code") ?? false,
    exposesPins: definition?.options.some(({ name }) => name === "expose_pin") ?? false,
    pollControl,
    // zigbee2mqtt keeps what it could not deliver to one with Poll Control for a day: the door would open then (Law 10).
    bolt: isLock && clusters.has("closuresDoorLock") && !pollControl,
  };
};

const deviceOptions = z.object({
  expose_pin: z.boolean().optional().catch(undefined),
  filtered_cache: z.array(z.string()).optional().catch(undefined),
  retain: z.boolean().optional().catch(undefined),
});
export type DeviceOptions = z.infer<typeof deviceOptions>;
const level = z.enum(["error", "warning", "info", "debug"]);
const info = z.object({
  version: z.string().optional().catch(undefined),
  config: z.object({
    advanced: z
      .object({
        output: z.string().optional().catch(undefined),
        log_level: level.optional().catch(undefined),
        log_output: z.array(z.string()).optional().catch(undefined),
        log_namespaced_levels: z.record(z.string(), level).optional().catch(undefined),
        log_debug_to_mqtt_frontend: z.boolean().optional().catch(undefined),
      })
      .catch({}),
    device_options: deviceOptions.optional().catch(undefined),
    devices: z.record(z.string(), deviceOptions).catch({}),
  }),
});
/** What we take from `bridge/info`. */
export type BridgeInfo = z.infer<typeof info>;
export const decodeInfo = (text: string): BridgeInfo | undefined => decode(text, info);

/** The options in force for a device: its own, else those of all. */
export const optionsOf = ({ config }: BridgeInfo, ieee: string): DeviceOptions => ({
  ...config.device_options,
  ...config.devices[ieee],
});

/** What must not be kept by zigbee2mqtt and said again: only then is a message that holds it an answer. */
const uncached = ["users", capsProperty, boltProperty];
const isUncached = (filter: readonly string[], property: string): boolean => filter.includes(property);

/** The options that must change before a lock's answers can be believed: undefined where none. */
export function missingOptions(held: DeviceOptions, exposePin: boolean): DeviceOptions | undefined {
  const filter = held.filtered_cache ?? [];
  const lacking = uncached.filter((property) => !isUncached(filter, property));
  const cache = lacking.length > 0 ? { filtered_cache: [...filter, ...lacking] } : undefined;
  const shown = exposePin && held.expose_pin !== true ? { expose_pin: true } : undefined;
  return cache || shown ? { ...cache, ...shown } : undefined;
}

/** Payload of `bridge/request/device/options`. */
export const encodeOptions = (id: string, options: DeviceOptions, transaction: string): string =>
  JSON.stringify({ id, options, transaction });

const response = z.object({ status: z.string(), transaction: z.string().optional().catch(undefined) });
export type BridgeResponse = z.infer<typeof response>;
export const decodeResponse = (text: string): BridgeResponse | undefined => decode(text, response);

const logged = z.object({ level: z.string(), message: z.string() });
const failed = /^z2m: Publish '(set|get)' '(pin_code|read)' to '(.+?)' failed: '/;

/** That zigbee2mqtt could not do what a message asked for. */
export interface Failure {
  readonly lock: string;
  readonly verb: "set" | "get";
  readonly key: "pin_code" | "read";
  readonly why: "unsupported" | "other";
}

/** Reads `bridge/logging`. Its text may hold a PIN in clear, so nothing of it is handed on. */
export function decodeFailure(text: string): Failure | undefined {
  const { message } = decode(text, logged) ?? {};
  const [, verb, key, lock] = (message === undefined ? null : failed.exec(message)) ?? [];
  if (message === undefined || lock === undefined) return undefined;
  return {
    lock,
    verb: verb === "get" ? "get" : "set",
    key: key === "read" ? "read" : "pin_code",
    why: message.includes("UNSUPPORTED_ATTRIBUTE") ? "unsupported" : "other",
  };
}
