import { expect, test } from "vitest";
import { openInMemory, World } from "../support/world.ts";

test("commands that keep coming do not keep a lock from being written", async () => {
  const locks = [{ memory: "numbered", readBack: "full", slots: 60 }] as const;
  using world = new World({ seed: 1, locks, atOnce: 1 }, new Map(), openInMemory());
  for (let person = 0; person < 50; person++) {
    const pair = { user_identity_id: `person-${person}`, device_id: world.device(0) };
    world.ask("user_identities/grant_access_to_device", pair);
    await world.clock.run(400);
  }
  expect(world.locks[0]?.held().length).toBeGreaterThan(5);
});
