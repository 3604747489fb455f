import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { slotName } from "../../agent/domain/slot.ts";
import zigbee2mqtt from "../../drivers/zigbee2mqtt/index.ts";
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
  tell({ lock: "front", act: "dance" });
  expect(await said()).toMatchObject({ happened: "error" });

  simulator.stdin.end();
  expect(await said()).toEqual({ happened: "stopped" });
  expect(await once(simulator, "exit")).toEqual([0, null]);
});
