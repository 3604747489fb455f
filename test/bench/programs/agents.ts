import { mkdirSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { startAgent } from "../../../agent/agent.ts";
import { systemClock } from "../../../agent/clock.ts";
import { loadConfig } from "../../../agent/config.ts";
import { createLog } from "../../../agent/log.ts";
import { drivers } from "../../../drivers/index.ts";
import { doorsOn, upTo } from "../house.ts";

/** So many agents in one process, each with a data directory and a client of its own, as its name says. */
const [, , folder = "", url = "", first = "1", count = "1", doors = "1"] = process.argv;
const log = createLog("warn", false, (line) => void process.stderr.write(line));
for (const number of upTo(Number(count))) {
  const name = `agent-${Number(first) + number - 1}`;
  const home = join(folder, name);
  mkdirSync(home);
  const file = join(home, "config.json");
  const config = {
    agent_id: name,
    broker: url,
    data_dir: "./data",
    http: "off",
    clock: { check: "off" },
    links: { simulated: { driver: "simulated" } },
    devices: doorsOn("simulated", Number(doors)),
  };
  writeFileSync(file, JSON.stringify(config));
  await startAgent(await loadConfig(file, { drivers, commands: [] }), {
    clock: systemClock,
    log,
    drivers,
    monotonic: () => uptime() * 1_000,
  });
}
process.send?.({ ready: true });
