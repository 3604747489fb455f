import { expect, test } from "vitest";
import type { Door } from "../../agent/commands/command.ts";
import { performInWorld } from "../../agent/commands/perform.ts";
import { table } from "../../agent/commands/table.ts";
import { deviceId } from "../../agent/domain/ids.ts";
import { worldOf } from "../../agent/world.ts";
import type { Link } from "../../drivers/driver.ts";
import osdp from "../../drivers/osdp/index.ts";
import { OsdpLink } from "../../drivers/osdp/link.ts";
import simulated from "../../drivers/simulated/index.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";
import { keepPromise } from "../support/kept-promise.ts";

/** An agent with a line of readers that is not wired yet, a simulated lock, and a link that does not open. */
async function site() {
  const host = new RecordingHost(hurriedClock(1));
  const options = osdp.options.parse({ port: "/dev/not-there", readers: { 0: {}, 1: { security: "clear" } } });
  const links = new Map<string, Link>([
    ["line", new OsdpLink(options, host, "/nowhere")],
    ["simulated", await simulated.open(simulated.options.parse({}), host)],
  ]);
  const devices = [
    ["front", "line", "0"],
    ["side", "line", "1"],
    ["back", "line", "7"],
    ["shed", "simulated", "shed"],
    ["away", "closed", "away"],
  ] as const;
  const places = devices.map(([device, link, address]) => ({ device: deviceId(device), link, address }));
  const world = worldOf(
    places,
    (name) => links.get(name),
    () => true,
  );
  return {
    links,
    ask: async (name: string, parameters: object, door: Door = "local"): Promise<unknown> => {
      const payload = Buffer.from(JSON.stringify(parameters));
      const call = { name, payload, door, retained: false, replyAddress: "usable", isOpen: true } as const;
      const { body } = await performInWorld(call, world, (error) => {
        throw error;
      });
      keepPromise(name, body);
      return JSON.parse(body);
    },
    async [Symbol.asyncDispose]() {
      for (const link of links.values()) await link[Symbol.asyncDispose]();
      host[Symbol.dispose]();
    },
  };
}
const refused = (type: string, message: string) => ({
  ok: false,
  error: { type, message: expect.stringContaining(message) as string },
});

test("keys are given, and lines watched, from the local door only", async () => {
  const commands = [...table.values()].filter(({ name }) => name.startsWith("osdp/"));
  expect(commands.map(({ name, doors }) => [name, doors])).toEqual([
    ["osdp/pair", ["local"]],
    ["osdp/rotate", ["local"]],
    ["osdp/readdress", ["local"]],
    ["osdp/frames", ["local"]],
  ]);
  await using agent = await site();
  for (const door of ["mqtt", "http"] as const) {
    expect(await agent.ask("osdp/pair", { lock: "front" }, door)).toMatchObject(
      refused("unknown_command", "no command"),
    );
  }
});

test("a lock is named by its device or its address, and who has no keys of ours, or is not there, is told so", async () => {
  await using agent = await site();
  expect(await agent.ask("osdp/rotate", { lock: "front" })).toMatchObject({ ok: true, outcome: "refused" });
  expect(await agent.ask("osdp/rotate", { lock: "0" })).toMatchObject({ detail: expect.stringContaining("offline") });
  expect(await agent.ask("osdp/pair", { lock: "side" })).toMatchObject({ detail: expect.stringContaining("in clear") });
  expect(await agent.ask("osdp/pair", { lock: "back" })).toMatchObject(
    refused("link_failed", 'add "7" to its readers'),
  );
  expect(await agent.ask("osdp/pair", { lock: "shed" })).toMatchObject(refused("no_keys", "given no key"));
  expect(await agent.ask("osdp/rotate", { lock: "shed" })).toMatchObject(refused("no_keys", "given no key"));
  const move = (lock: string, address: number) => agent.ask("osdp/readdress", { lock, address });
  expect(await move("front", 1)).toMatchObject({
    outcome: "refused",
    detail: expect.stringContaining("another reader"),
  });
  expect(await move("front", 5)).toMatchObject({ outcome: "refused", detail: expect.stringContaining("offline") });
  expect(await move("shed", 5)).toMatchObject(refused("no_address", "given no address"));
  expect(await move("front", 127)).toMatchObject(refused("invalid_input", ""));
  expect(await agent.ask("osdp/pair", { lock: "away" })).toMatchObject(refused("link_not_open", "not open"));
  expect(await agent.ask("osdp/rotate", { lock: "nobody" })).toMatchObject(refused("device_not_found", "nobody"));
});

test("a pairing that the end of the agent cuts short is told so", async () => {
  await using agent = await site();
  const pairing = agent.ask("osdp/pair", { lock: "front" });
  await agent.links.get("line")?.[Symbol.asyncDispose]();
  expect(await pairing).toMatchObject(refused("link_failed", "is closed"));
});

test("what is said is told of a link, or of a lock on it, and of no link that does not tell", async () => {
  await using agent = await site();
  const nothing = { ok: true, frames: [], last: 0, missed: 0 };
  expect(await agent.ask("osdp/frames", { line: "line" })).toEqual(nothing);
  expect(await agent.ask("osdp/frames", { line: "front", after: 0 })).toEqual(nothing);
  expect(await agent.ask("osdp/frames", { line: "simulated" })).toMatchObject(refused("no_frames", "none of OSDP"));
  expect(await agent.ask("osdp/frames", { line: "nobody" })).toMatchObject(refused("device_not_found", "nobody"));
});
