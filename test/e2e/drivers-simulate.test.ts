import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
import { readMemory } from "../../simulator/memory-file.ts";
import { entry, never } from "../drivers/bench.ts";
import { startBroker } from "../support/broker.ts";
import { hurriedClock, RecordingHost } from "../support/host.ts";

test("simulator/main.ts is a zigbee2mqtt with locks, at which things happen by command", async () => {
  await using broker = await startBroker("aedes");
  using host = new RecordingHost(hurriedClock(1));
  const main = new URL("../../simulator/main.ts", import.meta.url).pathname;
  const given = ["--import", "tsx", main, "--broker", broker.url, "--lock", "front", "--lock", "back"];
  const simulator = spawn(process.execPath, given, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: simulator.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  const tell = (what: object): boolean => simulator.stdin.write(`${JSON.stringify(what)}\n`);
  expect(await said()).toMatchObject({ happened: "started", locks: [{ name: "front" }, { name: "back" }] });

  await using link = await zigbee2mqtt.open(zigbee2mqtt.options.parse({ url: broker.url }), host);
  const { memory } = link.lock("back");
  const outcome = await memory?.write(entry("04711147"), slotName("3"), never());
  expect(outcome).toMatchObject({ result: "stored", proof: "read_back" });
  tell({ lock: "back", act: "type", digits: "04711147" });
  expect(await said()).toMatchObject({ happened: "done", lock: "back", told: { action: "unlock" }, slots: [3] });
  expect(await host.reported("unlocked")).toMatchObject({ address: "back", slot: "3" });
  tell({ lock: "back", act: "fault", fault: "says_yes_stores_nothing" });
  expect(await said()).toMatchObject({ happened: "done", act: "fault" });
  expect(await memory?.write(entry("46372819"), slotName("4"), never())).toMatchObject({ result: "refused" });
  tell({ lock: "back", act: "mend", fault: "says_yes_stores_nothing" });
  expect(await said()).toMatchObject({ happened: "done", act: "mend", slots: [3] });
  expect(await memory?.write(entry("46372819"), slotName("4"), never())).toMatchObject({ result: "stored" });
  tell({ lock: "back", act: "fault", fault: "def" });
  expect(await said()).toMatchObject({ happened: "error" });
  tell({ lock: "front", act: "dance" });
  expect(await said()).toMatchObject({ happened: "error" });

  simulator.stdin.end();
  expect(await said()).toEqual({ happened: "stopped" });
  expect(await once(simulator, "exit")).toEqual([0, null]);
});

test("simulator/main.ts with a memory: what a lock holds outlives the process, and a record tells of it", async () => {
  await using broker = await startBroker("aedes");
  using host = new RecordingHost(hurriedClock(1));
  const folder = mkdtempSync(join(tmpdir(), "latchd-simulator-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "memory.json");
  const main = new URL("../../simulator/main.ts", import.meta.url).pathname;
  const misfortunes = ["--delay", "5-50", "--lose", "0", "--late", "1", "--seed", "5"];
  const run = (...more: string[]): ChildProcessByStdio<Writable, Readable, null> => {
    const given = ["--import", "tsx", main, "--broker", broker.url, "--lock", "front", "--record", "--memory", file];
    const child = spawn(process.execPath, [...given, ...more], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  const first = run(...misfortunes);
  const lines = createInterface({ input: first.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  expect(await said()).toMatchObject({ happened: "started" });
  await using link = await zigbee2mqtt.open(zigbee2mqtt.options.parse({ url: broker.url, timeout_ms: 1_000 }), host);
  const { memory } = link.lock("front");
  await host.reported("online");
  // The write is given up, is not there when it is looked for, and arrives after all.
  const outcome = await memory?.write(entry("04711147"), slotName("3"), never());
  expect(outcome).toMatchObject({ result: "unconfirmed" });
  expect(await said()).toMatchObject({ happened: "stored", lock: "front", slot: "3", code: "04711147" });
  const before = host.events.length;
  first.kill("SIGKILL");
  await once(first, "exit");

  const second = run();
  await host.reported("online", before);
  expect(await memory?.read?.(slotName("3"), never())).toMatchObject({ state: "known" });
  second.stdin.end();
  await once(second, "exit");
  expect(readMemory(file)).toMatchObject({ front: { chip: { entries: { 3: { value: "04711147" } } } } });
});
