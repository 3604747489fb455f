import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Config, loadConfig } from "../../agent/config.ts";
import { drivers } from "../../drivers/index.ts";
import { Desk } from "./desk.ts";

const written = (scenario: object): string => {
  const folder = mkdtempSync(join(tmpdir(), "latchd-scenario-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "scenario.json");
  writeFileSync(file, JSON.stringify(scenario));
  return file;
};
const timeline = [{ restart: {} }];

test("simulate runs latchd on a configuration with a link for each lock", async () => {
  await using desk = await Desk.open();
  const words: string[][] = [];
  const loaded: Promise<Config>[] = [];
  desk.launch = (given) => {
    words.push([...given]);
    loaded.push(loadConfig(given[1] ?? "", { drivers, commands: [] }));
    return { ended: Promise.resolve(), kill: () => undefined };
  };
  const locks = { front: { memory: "keyed", time_zone: "Europe/Zurich", faults: [{ fault: "slow" }] }, back: {} };
  await desk.call("simulate", written({ locks, timeline, seed: 3 }), "--seed", "9");
  expect(words).toEqual([["run", expect.stringMatching(/config\.json$/)]]);
  const [config] = await Promise.all(loaded);
  expect(config?.links).toEqual(
    new Map([
      ["front", { driver: "simulated", options: expect.objectContaining({ memory: "keyed", seed: 9 }) as unknown }],
      ["back", { driver: "simulated", options: expect.objectContaining({ memory: "numbered", seed: 9 }) as unknown }],
    ]),
  );
  expect(config?.devices).toMatchObject([
    { deviceId: "front", timeZone: "Europe/Zurich", parts: { memory: { link: "front", address: "front" } } },
    { deviceId: "back", timeZone: "UTC", parts: { memory: { link: "back", address: "back" } } },
  ]);
});

test("simulate says so where its latchd ends by itself, and leaves nothing behind", async () => {
  await using desk = await Desk.open();
  let folder = "";
  desk.launch = (given) => {
    folder = join(given[1] ?? "", "..");
    return { ended: Promise.resolve(), kill: () => undefined };
  };
  expect(await desk.call("simulate", written({ locks: { front: {} }, timeline }))).toMatchObject({
    exit: 1,
    err: "latchd ended, and nobody has told it to\n",
  });
  expect(() => readFileSync(join(folder, "config.json"))).toThrow("ENOENT");
  expect(desk.signals.size).toBe(0);
});

test("simulate of a file that is none, or with a seed that is none, starts nothing", async () => {
  await using desk = await Desk.open();
  expect(await desk.call("simulate", "nowhere.json")).toMatchObject({
    exit: 2,
    err: expect.stringContaining("cannot read the scenario /nowhere/nowhere.json") as string,
  });
  expect(await desk.call("simulate", written({ locks: { front: {} }, timeline }), "--seed", "x")).toMatchObject({
    exit: 2,
  });
});

test("simulate --help tells what a scenario has", async () => {
  await using desk = await Desk.open();
  const { exit, out } = await desk.call("simulate", "--help");
  expect(exit).toBe(0);
  for (const word of ["locks", "timeline", "grant", "fault", "kill", "expect", "--seed", "--json"])
    expect(out).toContain(word);
});
