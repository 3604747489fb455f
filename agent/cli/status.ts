import type { Command } from "commander";
import { z } from "zod";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { Verb } from "./shell.ts";

const status = z.object({ ok: z.literal(true), agent: z.record(z.string(), z.unknown()) });
const branch = z.record(z.string(), z.unknown());

/** `latchd status`: how the agent is. */
export function statusVerb(program: Command, verb: Verb): void {
  withDoorOptions(program.command("status"))
    .description("show how the agent is: broker, links, what is still to be done")
    .addHelpText("after", "\nExample:\n  $ latchd status --data /var/lib/latchd")
    .action(async (options: DoorOptions) => {
      const door = new Door(options, verb);
      const { agent } = await door.askFor("agent/status", {}, status);
      if (door.raw) return;
      const lines = leaves(agent, "");
      const width = Math.max(0, ...lines.map(([name]) => name.length));
      for (const [name, text] of lines) verb.out(`${name.padEnd(width)}  ${text}\n`);
    });
}

/** Every value with the path to it: what is told of the agent may grow without a change here. */
function leaves(value: unknown, path: string): [name: string, text: string][] {
  const entries = branchesOf(value);
  if (!entries) return [[path, textOf(value)]];
  if (entries.length === 0) return path === "" ? [] : [[path, "none"]];
  return entries.flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

function branchesOf(value: unknown): [key: string, inner: unknown][] | undefined {
  if (Array.isArray(value)) return value.map((inner: unknown, index) => [String(index + 1), inner]);
  const parsed = branch.safeParse(value);
  return parsed.success ? Object.entries(parsed.data) : undefined;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? value : JSON.stringify(value);
}
