import { expect, test } from "vitest";
import { slotName } from "../../../agent/domain/slot.ts";
import { limitsOf } from "../../../drivers/zigbee2mqtt/limits.ts";

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
const caps = { numOfPinUsersSupported: 3, minPinLen: 4, maxPinLen: 6 };

test("limitsOf() are the lock's own word, its slots counted from 0", () => {
  const { limits, users, assumed } = limitsOf(device, caps, true);
  const pins = { slots: ["0", "1", "2"].map(slotName), lengths: [4, 5, 6], alphabet: "0123456789", rules: [] };
  expect(limits).toEqual({
    kinds: new Map([["pin", pins]]),
    windows: "none",
    readBack: "full",
    cost: { read: "battery", write: "battery" },
    settles: 120_000,
  });
  expect({ users, assumed }).toEqual({ users: 3, assumed: false });
});

test("limitsOf() of a lock that zigbee2mqtt queues for says for how long", () => {
  expect(limitsOf({ ...device, pollControl: true }, caps, true).limits.settles).toBe(86_400_000);
  expect(limitsOf(device, caps, true).limits.settles).toBe(120_000);
});

test("limitsOf() takes lengths that come the wrong way round", () => {
  const { limits } = limitsOf(device, { ...caps, minPinLen: 6, maxPinLen: 4 }, true);
  expect(limits.kinds.get("pin")?.lengths).toEqual([4, 5, 6]);
});

test.each([{}, { numOfPinUsersSupported: 0 }, { numOfPinUsersSupported: 65_535 }, { numOfPinUsersSupported: 2.5 }])(
  "limitsOf() assumes what nearly all locks take where the lock says %j",
  (said) => {
    const { users, assumed, limits } = limitsOf(device, said, false);
    expect({ users, assumed }).toEqual({ users: 10, assumed: true });
    expect(limits.kinds.get("pin")?.lengths).toEqual([4, 5, 6, 7, 8]);
    expect(limits.readBack).toBe("occupancy");
  },
);
