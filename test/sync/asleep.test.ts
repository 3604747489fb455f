import { expect, test } from "vitest";
import { deviceId } from "../../agent/domain/ids.ts";
import { House } from "../support/house.ts";

const door = deviceId("door-0");
const minute = 60_000;

test("what a lock has said that it can do stays true while it sleeps, and over a restart: flags, and the PIN that is chosen", async () => {
  using house = new House(1, 1);
  house.grant("ann", door);
  await house.clock.run(minute);
  const able = {
    devices: [
      {
        capabilities_supported: ["lock", "access_code"],
        can_program_online_access_codes: true,
        properties: { supported_code_lengths: [6], max_active_codes_supported: 20 },
      },
    ],
  };
  expect(house.ask("devices/list", {})).toMatchObject(able);

  house.moods.set(door, "deaf");
  await house.restart();
  house.grant("ben", door);
  await house.clock.run(10 * minute);
  expect(house.ask("devices/list", {})).toMatchObject(able);
  expect(house.ask("devices/list", {})).toMatchObject({ devices: [{ properties: { online: false } }] });
  // His PIN is there, and can be told to him, before the lock has it.
  expect(house.ask("access/get", { user_identity_id: "ben", device_id: door })).toMatchObject({
    receipt: { state: "waiting", credentials: [{ kind: "pin", reason: "lock_away" }] },
  });
  expect(house.ask("credentials/get", { user_identity_id: "ben", device_id: door })).toMatchObject({
    credentials: [{ code: expect.stringMatching(/^\d{6}$/) }],
  });
});
