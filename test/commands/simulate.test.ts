import { expect, test } from "vitest";
import type { World } from "../../agent/commands/command.ts";
import { type Call, performInWorld } from "../../agent/commands/perform.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { instant } from "../../agent/domain/instant.ts";
import { slotName } from "../../agent/domain/slot.ts";
import { worldOf } from "../../agent/world.ts";
import simulated from "../../drivers/simulated/index.ts";
import { entry, never } from "../drivers/bench.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";
import { keepPromise } from "../support/kept-promise.ts";

const call = (name: string, parameters: object): Call => ({
  name,
  payload: Buffer.from(JSON.stringify(parameters)),
  door: "local",
  retained: false,
  replyAddress: "usable",
  isOpen: true,
});

/** A world with one simulated lock, and somebody who asks. */
async function house() {
  const host = new RecordingHost(hurriedClock(1));
  const link = await simulated.open(simulated.options.parse({ windows: "dates" }), host);
  const devices = [
    { device: deviceId("device-1"), link: "simulated", address: "front-door" },
    { device: deviceId("device-2"), link: "real", address: "back-door" },
    { device: deviceId("device-3"), link: "away", address: "side-door" },
  ];
  const real = {
    lock: (address: string) => link.lock(address),
    atOnce: 1 as const,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const links = new Map([
    ["simulated", link],
    ["real", real],
  ]);
  const world: World = worldOf(
    devices,
    (name) => links.get(name),
    () => true,
  );
  return {
    link,
    ask: async (name: string, parameters: object): Promise<unknown> => {
      const { body } = await performInWorld(call(name, parameters), world, (error) => {
        throw error;
      });
      keepPromise(name, body);
      return JSON.parse(body);
    },
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      host[Symbol.dispose]();
    },
  };
}

test("simulate/fault begins a fault and ends it, by the lock's device or address", async () => {
  await using at = await house();
  const deaf = { fault: "deaf", seconds: 60 };
  expect(await at.ask("simulate/fault", { lock: "front-door", ...deaf })).toEqual({ ok: true, faults: [deaf] });
  expect(await at.ask("simulate/look", { lock: "device-1" })).toMatchObject({ ok: true, faults: [deaf] });
  expect(await at.ask("simulate/fault", { lock: "device-1", fault: "deaf", on: false })).toEqual({
    ok: true,
    faults: [],
  });
});

test("simulate/look tells what a lock really holds, without a code, and whether it opens", async () => {
  await using at = await house();
  const [startsAt, endsAt] = [instant(1_790_000_040_000), instant(1_790_000_100_000)];
  const when = { startsAt, endsAt, weekly: undefined, zone: "UTC" };
  const { memory } = at.link.lock("front-door");
  await memory?.write({ ...entry("91827364"), when }, slotName("1"), never());
  await memory?.write(entry("46372819"), slotName("2"), never());
  const told = await at.ask("simulate/look", { lock: "front-door" });
  const of = { kind: "pin", label: "test", disabled: false, schedule: null };
  expect(told).toEqual({
    ok: true,
    slots: [
      { slot: "1", ...of, starts_at: "2026-09-21T14:14:00.000Z", ends_at: "2026-09-21T14:15:00.000Z", opens: false },
      { slot: "2", ...of, starts_at: null, ends_at: null, opens: true },
    ],
    locked: true,
    battery_level: 1,
    faults: [],
  });
});

test.each([
  ["simulate/fault", { lock: "front-door", fault: "slw" }, "invalid_input", /^fault: Invalid option/],
  ["simulate/fault", { lock: "front-door", fault: "executes_late" }, "invalid_input", /settles_seconds/],
  ["simulate/fault", { lock: "front-door" }, "invalid_input", /^fault is required/],
  ["simulate/fault", { lock: "back-door", fault: "deaf" }, "not_simulated", /real/],
  ["simulate/look", { lock: "back-door" }, "not_simulated", /real/],
  ["act/reset", { lock: "back-door" }, "not_simulated", /real/],
  ["simulate/look", { lock: "side-door" }, "link_not_open", /away/],
  ["act/power", { lock: "nowhere" }, "device_not_found", /nowhere/],
  ["act/battery", { lock: "front-door", level: 3 }, "invalid_input", /level/],
])("%s with %j is refused, and says why", async (name, parameters, type, message) => {
  await using at = await house();
  expect(await at.ask(name, parameters)).toMatchObject({
    ok: false,
    error: { type, message: expect.stringMatching(message) as string },
  });
});

test("act/* is what somebody does at the lock", async () => {
  await using at = await house();
  const lock = "front-door";
  expect(await at.ask("act/program", { lock, digits: "4711", slot: "7" })).toEqual({ ok: true, effect: "done" });
  expect(await at.ask("act/program", { lock, digits: "4711" })).toEqual({ ok: true, effect: "refused" });
  expect(await at.ask("act/type", { lock, digits: "4711" })).toEqual({ ok: true, effect: "opened" });
  expect(await at.ask("act/delete", { lock, slot: "7" })).toEqual({ ok: true, effect: "done" });
  expect(await at.ask("act/type", { lock, digits: "4711" })).toEqual({ ok: true, effect: "denied" });
  for (const name of ["act/delete_all", "act/reset", "act/power"])
    expect(await at.ask(name, { lock })).toEqual({ ok: true, effect: "done" });
  expect(await at.ask("act/battery", { lock, level: 0.3 })).toEqual({ ok: true, effect: "done" });
  expect(await at.ask("simulate/look", { lock })).toMatchObject({ battery_level: 0.3, slots: [] });
});
