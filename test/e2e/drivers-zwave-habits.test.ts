import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import { entry, never } from "../drivers/bench.ts";
import { eventually, hurriedClock, RecordingHost } from "../support/host.ts";
import { ZwaveHouse } from "../support/zwave-bench.ts";
import { socatSkipReason, zwaveLocks } from "../support/zwave-far-end.ts";

const { userCode2, userCredential, timed1, timed2 } = zwaveLocks;
const slot = slotName("3");

describe.skipIf(socatSkipReason())("over zwave-js", () => {
  let house: ZwaveHouse;
  beforeAll(async () => {
    house = await ZwaveHouse.open([userCode2, userCredential, timed1, timed2]);
  });
  afterAll(() => house[Symbol.asyncDispose]());
  beforeEach(async () => {
    for (const lock of [userCode2, userCredential]) await house.far.act(lock, { act: "forget" });
  });

  test("what the owner has put into a User Credential lock is neither written over nor cleared", async () => {
    using host = new RecordingHost(hurriedClock(1));
    await using link = await house.connect(host);
    const { memory } = link.lock(userCredential);
    await host.reported("online");
    await house.far.act(userCredential, { act: "program", slot: 3, digits: "73910428" });
    const before = await house.far.look(userCredential);
    expect(await memory?.write(entry("40117390"), slot, never())).toMatchObject({ reason: "forbidden" });
    expect(await memory?.clear(slot, never())).toMatchObject({ result: "refused", reason: "forbidden" });
    expect(await house.far.look(userCredential)).toEqual(before);
    expect(house.far.asked.filter((each) => each.lock === userCredential && each.asked !== "read")).toEqual([]);
  });

  test("a lock goes wrong by the names that the simulated lock has for it", async () => {
    using host = new RecordingHost(hurriedClock(1));
    await using link = await house.connect(host);
    const { memory } = link.lock(userCode2);
    await host.reported("online");
    const act = (what: Parameters<typeof house.far.act>[1]) => house.far.act(userCode2, what);
    await act({ act: "fault", fault: "says_yes_stores_nothing" });
    expect(await memory?.write(entry("40117390"), slot, never())).toMatchObject({ result: "refused" });
    await act({ act: "mend", fault: "says_yes_stores_nothing" });
    await act({ act: "fault", fault: "loses_replies", to: ["read"] });
    expect(await memory?.write(entry("40117390"), slot, never())).toMatchObject({ result: "unconfirmed" });
    await act({ act: "mend", fault: "loses_replies" });
    expect(await memory?.read?.(slot, never())).toMatchObject({ state: "known" });
    await expect(act({ act: "fault", fault: "clock_skewed" })).rejects.toThrow("cannot be so");
    await expect(act({ act: "fault", fault: "deaf", share: 0.5 })).rejects.toThrow("cannot be so");
  });

  test("a lock whose capabilities zwave-js was killed before it kept is asked for them anew", async () => {
    using whole = new RecordingHost(hurriedClock(1));
    using cut = new RecordingHost(hurriedClock(1));
    const kept = join(cut.state.directory, "zwave-js");
    mkdirSync(kept, { recursive: true });
    const values = readdirSync(house.known).filter((name) => name.endsWith(".values.jsonl"));
    expect(values).toHaveLength(1);
    for (const name of values) writeFileSync(join(kept, name), "");
    const told = [];
    for (const host of [whole, cut]) {
      await using link = await house.connect(host);
      const locks = [userCredential, userCode2, timed1, timed2].map((address) => link.lock(address));
      await host.reported("online");
      const memories = [];
      for (const lock of locks) memories.push((await lock.abilities(never())).memory);
      told.push(memories);
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[0]?.map((memory) => memory?.kinds.get("pin")?.slots)).toMatchObject([
      { length: 20 },
      { length: 30 },
      { length: 8 },
      { length: 8 },
    ]);
  });

  test("what happens at a lock is told, over a serial bridge too", async () => {
    using host = new RecordingHost(hurriedClock(1));
    await using link = await house.connect(host, { port: house.far.url });
    link.lock(userCode2);
    await host.reported("online");
    const from = host.events.length;
    await house.far.act(userCode2, { act: "program", slot: 3, digits: "73910428" });
    await house.far.act(userCode2, { act: "type", digits: "73910428" });
    for (const event of [11, 12, 0x32]) await house.far.act(userCode2, { act: "notify", event });
    await house.far.act(userCode2, { act: "battery", level: 40 });
    await eventually("all of it", () => (host.events.length >= from + 6 ? true : undefined));
    expect(host.events.slice(from)).toMatchObject([
      { event: "changed", slot: "3" },
      { event: "unlocked", method: "keypad", slot: "3" },
      { event: "jammed" },
      { event: "all_deleted" },
      { event: "denied", reason: "unknown_code" },
      { event: "battery", level: 0.4 },
    ]);
  });

  test("whose PIN has opened a User Credential lock is told, though zwave-js leaves what the lock says of it as bytes", async () => {
    using host = new RecordingHost(hurriedClock(1));
    await using link = await house.connect(host);
    link.lock(userCredential);
    await host.reported("online");
    await house.far.act(userCredential, { act: "program", slot: 3, digits: "73910428" });
    await house.far.act(userCredential, { act: "type", digits: "73910428" });
    expect(await host.reported("unlocked")).toMatchObject({ address: userCredential, method: "keypad", slot: "3" });
  });
});
