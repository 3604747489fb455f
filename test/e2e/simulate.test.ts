import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { faultNames } from "../../simulator/fault.ts";
import { isLong } from "../support/long.ts";
import { until } from "./mqtt-support.ts";
import { AgentProcess } from "./support/agent-process.ts";
import { embedded, frontDoor, person } from "./support/doors.ts";
import { receiptsOf } from "./support/receipts.ts";

const program = join(import.meta.dirname, "../../dist/agent/main.js");
const scenarios = join(import.meta.dirname, "../../simulator/scenarios");
const files = readdirSync(scenarios);

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `latchd simulate` as somebody would. Its temporary data are below a folder of ours. */
async function simulate(
  words: readonly string[],
  during?: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Run> {
  const temporary = mkdtempSync(join(tmpdir(), "latchd-e2e-"));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const child = spawn(process.execPath, [program, "simulate", ...words], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    if (out.includes("started")) during?.((signal) => child.kill(signal));
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  await once(child, "close");
  // Nothing is left of the house.
  expect(readdirSync(temporary)).toEqual([]);
  return { code: child.exitCode, out, err };
}

const written = (scenario: object): string => {
  const folder = mkdtempSync(join(tmpdir(), "latchd-scenario-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "scenario.json");
  writeFileSync(file, JSON.stringify(scenario));
  return file;
};

test.each(isLong ? files : files.filter((file) => file === "lies.json"))(
  "the scenario %s goes as it is to go",
  { timeout: 600_000 },
  async (file) => {
    const { code, out, err } = await simulate([join(scenarios, file)]);
    process.stdout.write(`${file}: ${out.split("\n").at(-2) ?? ""}\n`);
    expect({ code, err, missed: out.split("\n").filter((line) => line.includes("NOT")) }).toEqual({
      code: 0,
      err: "",
      missed: [],
    });
    expect(out).toMatch(/all \d+ expectations held\n$/);
    // The PINs that the owner and visitors have in it.
    for (const pin of ["918273", "271828"]) expect(out).not.toContain(pin);
  },
);

test("every fault is in one of the scenarios that latchd comes with", () => {
  const all = files.map((file) => readFileSync(join(scenarios, file), "utf8")).join("\n");
  expect(faultNames.filter((name) => !all.includes(`"fault": "${name}"`))).toEqual([]);
});

const line = z.looseObject({ seconds: z.number(), kind: z.string() });

test("latchd simulate says with its exit code, and in JSON, what was not as expected", async () => {
  const file = written({
    locks: { front: { timeout_ms: 300 } },
    timeline: [
      { fault: { lock: "front", fault: "deaf" } },
      { grant: { person: "ann", lock: "front" } },
      { within: 1, expect: { person: "ann", lock: "front", receipt: "live" } },
      { mend: { lock: "front", fault: "deaf" } },
      { power: { lock: "front" } },
      { within: 20, expect: { person: "ann", lock: "front", receipt: "live", opens: true } },
      { type: { lock: "front", person: "ann", opens: false } },
    ],
  });
  const { code, out } = await simulate([file, "--json", "--seed", "5"]);
  expect(code).toBe(1);
  const lines = out
    .trim()
    .split("\n")
    .map((text) => line.parse(JSON.parse(text)));
  expect(lines[0]).toMatchObject({ kind: "agent", is: "started", seed: 5 });
  expect(lines.filter(({ kind }) => kind === "expected")).toMatchObject([
    { held: false, person: "ann", lock: "front", receipt: "live", found: { receipt: "waiting" } },
    { held: true, opens: true },
  ]);
  expect(lines).toContainEqual(expect.objectContaining({ kind: "strike", lock: "front", fault: "deaf" }));
  expect(lines).toContainEqual(expect.objectContaining({ kind: "event", event_type: "access.live", person: "ann" }));
  expect(lines).toContainEqual(expect.objectContaining({ kind: "step", step: "type", failed: "opened" }));
  expect(lines.at(-1)).toMatchObject({ kind: "end", held: 1, missed: 2 });
});

test("latchd simulate that is told to stop takes its latchd with it", async () => {
  const file = written({ locks: { front: {} }, timeline: [{ at: 60, grant: { person: "ann", lock: "front" } }] });
  const { code, err } = await simulate([file], (kill) => kill("SIGTERM"));
  expect({ code, err }).toEqual({ code: 1, err: "stopped before its end\n" });
});

test("latchd simulate of a file that cannot be used says what is wrong with it, and starts nothing", async () => {
  const file = written({ locks: { front: {} }, timeline: [{ at: 1, grnt: { person: "ann", lock: "front" } }] });
  const { code, out, err } = await simulate([file]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain('timeline[0].grnt: there is no such option; did you mean "grant"?');
});

test("a fault of a running agent's lock is begun and ended at the command line, and outlives the agent", async () => {
  const { config } = await embedded({ timeout_ms: 300 });
  const agent = await new AgentProcess(config).start();
  const fault = async (...words: string[]) => agent.cli("fault", "front-door", ...words, "--data", agent.dataDir);
  expect(await fault("says_yes_stores_nothing", "--to", "write")).toMatchObject({
    code: 0,
    out: expect.stringContaining("says_yes_stores_nothing  to=write") as string,
  });
  await agent.kill("SIGKILL");
  await agent.start();
  expect((await fault()).out).toContain("says_yes_stores_nothing");
  const pair = { user_identity_id: person, device_id: frontDoor };
  await agent.ask("user_identities/grant_access_to_device", pair);
  const state = async (): Promise<unknown> => (await receiptsOf(agent, frontDoor)).map((receipt) => receipt.state);
  await until("it is seen that the lock keeps nothing", async () => JSON.stringify(await state()) === '["refused"]');
  expect(agent.codes("front-door").size).toBe(0);
  expect(await fault("says_yes_stores_nothing", "off")).toMatchObject({ out: "Nothing is wrong with front-door.\n" });
  // Whatever the owner does there makes latchd look again.
  await agent.cli("act", "front-door", "program", "48151623", "--data", agent.dataDir);
  await until("it is live", async () => JSON.stringify(await state()) === '["live"]');
  expect(agent.stdout + agent.stderr).not.toContain("48151623");
});
