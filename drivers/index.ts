import type { Driver } from "./driver.ts";

/** Every driver, by the name the configuration uses. Loaded only when named, so that an unused one costs nothing. */
export const drivers: Readonly<Record<string, () => Promise<Driver>>> = {
  osdp: async () => (await import("./osdp/index.ts")).default,
  simulated: async () => (await import("./simulated/index.ts")).default,
  zigbee2mqtt: async () => (await import("./zigbee2mqtt/index.ts")).default,
  zwave: async () => (await import("./zwave/index.ts")).default,
};
