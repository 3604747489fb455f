import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { Verb } from "./shell.ts";

const reply = z.looseObject({
  ok: z.literal(true),
  outcome: z.enum(["done", "unchanged", "refused", "unknown"]),
  detail: z.string(),
});
const outcomes = {
  done: "Done",
  unchanged: "Nothing has changed",
  refused: "Nothing was changed",
  unknown: "It is not known yet",
} as const;

interface PairOptions extends DoorOptions {
  readonly seconds: number;
}

const usualSeconds = 120;
const [leastSeconds, mostSeconds] = [5, 600] as const;
const marginMs = 15_000;
const lastAddress = 126;

/** `latchd osdp pair`, `rotate` and `readdress`: what a reader is given. */
export function osdpKeys(verbs: Command, verb: Verb): void {
  withDoorOptions(verbs.command("pair"))
    .description("give a reader that waits to be installed a key of its own, made by latchd")
    .argument("<reader>", "the reader, by its device_id or its address")
    .option("--seconds <seconds>", `how long to try, ${leastSeconds} to ${mostSeconds}`, secondsOf, usualSeconds)
    .addHelpText(
      "after",
      `
Bring the reader into its install mode, as its maker says. Its key goes to it under a key that everybody knows: whoever
listens on the line meanwhile has it. So pair a reader on the bench, or where nobody else can be on its wires.`,
    )
    .action(async (lock: string, options: PairOptions) => {
      const door = new Door(options, verb);
      const { seconds } = options;
      if (!door.raw) verb.out(`Trying for ${seconds} s: ${lock} has to be in its install mode.\n`);
      const told = await door.askFor("osdp/pair", { lock, seconds }, reply, seconds * 1_000 + marginMs);
      tell(told, door, verb);
    });
  withDoorOptions(verbs.command("rotate"))
    .description("give a reader another key, under the one that it has")
    .argument("<reader>", "the reader, by its device_id or its address")
    .addHelpText(
      "after",
      "\nBoth keys are kept until the reader has proven which of them it has: no power cut loses it.",
    )
    .action(async (lock: string, options: DoorOptions) => {
      const door = new Door(options, verb);
      tell(await door.askFor("osdp/rotate", { lock }, reply), door, verb);
    });
  withDoorOptions(verbs.command("readdress"))
    .description("give a reader another address on its line")
    .argument("<reader>", "the reader, by its device_id or its address")
    .argument("<address>", "its new address, 0 to 126", addressOf)
    .addHelpText(
      "after",
      "\nNew readers are all at address 0: connect one, pair it, give it its address; then the next one.",
    )
    .action(async (lock: string, address: number, options: DoorOptions) => {
      const door = new Door(options, verb);
      tell(await door.askFor("osdp/readdress", { lock, address }, reply), door, verb);
    });
}

function tell({ outcome, detail }: z.infer<typeof reply>, door: Door, verb: Verb): void {
  if (!door.raw) verb.out(`${outcomes[outcome]}: ${detail}.\n`);
  verb.exit(outcome === "done" ? 0 : 1);
}

function addressOf(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= lastAddress) return Number(text);
  throw new InvalidArgumentError(`It must be a number from 0 to ${lastAddress}.`);
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= leastSeconds && seconds <= mostSeconds) return seconds;
  throw new InvalidArgumentError(`It must be a whole number from ${leastSeconds} to ${mostSeconds}.`);
}
