#!/usr/bin/env node
// oxlint-disable-next-line import/no-unassigned-import
import "./quiet.ts";

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { drivers } from "../drivers/index.ts";
import { latchd } from "./cli/program.ts";
import type { Shell } from "./cli/shell.ts";
import { systemClock } from "./clock.ts";
import { table } from "./commands/table.ts";
import { type Fault, faultOf } from "./fault.ts";
import { monotonicBy } from "./monotonic.ts";

const overMqtt = [...table.values()].filter(({ doors }) => doors.includes("mqtt")).map(({ name }) => name);

const shell: Shell = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  people: process.stdout.isTTY,
  cwd: process.cwd(),
  env: process.env,
  clock: systemClock,
  known: { drivers, commands: overMqtt },
  start: async (config, log) => {
    const { startAgent } = await import("./agent.ts");
    return startAgent(config, { clock: systemClock, log, drivers, monotonic: monotonicBy() });
  },
  launch: (words, heard) => {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", heard);
    return {
      ended: new Promise((done) => void child.once("close", () => done())),
      kill: (signal) => void child.kill(signal),
    };
  },
  onSignal: (heard) => {
    const signals = ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) process.on(signal, heard);
    return () => {
      for (const signal of signals) process.off(signal, heard);
    };
  },
};

/** A fault of our own: told without the values that it may carry (Law 9), which Node's own last words would print. */
function crash(error: unknown): never {
  process.stderr.write(`latchd failed, and this is a fault in latchd itself:\n${faultText(faultOf(error))}`);
  process.exit(1);
}

function faultText({ name, message, stack = [], cause }: Fault): string {
  const lines = [`${name}: ${message}`, ...stack.map((line) => `  ${line}`)];
  return `${lines.join("\n")}\n${cause ? `caused by ${faultText(cause)}` : ""}`;
}

// Begun before the configuration is read, which waits for files as this does.
if (process.argv[2] === "run") void import("./agent.ts").catch(crash);

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
// Whoever read our output has gone away: that is no reason to stop.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

latchd(process.argv.slice(2), shell).then((code) => process.exit(code), crash);
