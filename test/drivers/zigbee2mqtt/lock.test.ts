import { expect, test } from "vitest";
import { Bridge } from "../../../drivers/zigbee2mqtt/bridge.ts";
import { ZigbeeLock } from "../../../drivers/zigbee2mqtt/lock.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const quiet = (): void => undefined;
const log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

test("a name that zigbee2mqtt gives to another lock is told as that lock coming online, once", () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const locks: ZigbeeLock[] = [];
  const bridge = new Bridge(clock, 1_000, {
    publish: async () => undefined,
    changed: () => {
      for (const lock of locks) lock.tell();
    },
  });
  const devices = (ieee: string): void =>
    bridge.hear(
      "bridge/devices",
      JSON.stringify([{ ieee_address: ieee, friendly_name: "front_door", endpoints: {} }]),
      true,
    );
  locks.push(
    new ZigbeeLock({
      address: "front_door",
      bridge,
      host: { clock, log },
      timeout: 1_000,
      exposePin: true,
      closing: new AbortController().signal,
      publish: async () => undefined,
      report: ({ event }) => void told.push(event),
    }),
  );
  bridge.hear("bridge/state", JSON.stringify({ state: "online" }), true);
  devices("0x01");
  devices("0x01");
  expect(told).toEqual(["online"]);
  devices("0x02");
  devices("0x02");
  expect(told).toEqual(["online", "online"]);
  bridge.close();
});
