import { expect, test } from "vitest";
import { Bridge } from "../../../drivers/zigbee2mqtt/bridge.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const told = { publish: async () => undefined, changed: () => undefined };
const { signal } = new AbortController();

test("how zigbee2mqtt is set up is waited for where it is said after its devices, and missed where it is not", async () => {
  const clock = new VirtualClock();
  const bridge = new Bridge(clock, 1_000, told);
  bridge.hear("bridge/state", JSON.stringify({ state: "online" }), true);
  bridge.hear("bridge/devices", "[]", true);
  await bridge.ready(signal);
  const [missed] = await Promise.all([bridge.settings(signal).catch((error: unknown) => error), clock.run(1_001)]);
  expect(String(missed)).toContain("bridge/info");
  const settings = bridge.settings(signal);
  bridge.hear("bridge/info", JSON.stringify({ config: { advanced: {}, devices: {} } }), true);
  expect(await settings).toMatchObject({ config: { devices: {} } });
  expect(await bridge.settings(signal)).toBe(await settings);
});
