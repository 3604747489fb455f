import { Argument, type Command } from "commander";
import { z } from "zod";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import { CommandError, type ExitCode, type Verb } from "./shell.ts";

const reply = z.looseObject({ ok: z.literal(true), effect: z.enum(["opened", "denied"]) });

/** `latchd act`: somebody stands before a simulated lock. */
export function act(program: Command, verb: Verb): void {
  withDoorOptions(program.command("act"))
    .description("stand before a simulated lock: type digits or show a card, and see whether it opens")
    .argument("<lock>", "the simulated lock, by its address or its device_id")
    .addArgument(new Argument("<act>", "what you do").choices(["type", "card"]))
    .argument("<what...>", "type: the digits; card: its format and its bits")
    .addHelpText(
      "after",
      "\nExamples:\n  $ latchd act front-door type 4711\n  $ latchd act front-door card wiegand26 01001101110100010111001010\n\nThe exit code is 0 where the lock opens, 1 where it does not.",
    )
    .action(async (lock: string, kind: "type" | "card", what: readonly string[], options: DoorOptions) => {
      verb.exit(await standBefore(verb, lock, kind, what, options));
    });
}

async function standBefore(
  verb: Verb,
  lock: string,
  kind: "type" | "card",
  [first = "", second, ...rest]: readonly string[],
  options: DoorOptions,
): Promise<ExitCode> {
  const complete = kind === "type" ? second === undefined : second !== undefined && rest.length === 0;
  if (!complete) {
    const usage = kind === "type" ? "act <lock> type <digits>" : "act <lock> card <format> <bits>";
    throw new CommandError(2, `call it as: latchd ${usage}`);
  }
  const door = new Door(options, verb);
  const parameters = kind === "type" ? { lock, digits: first } : { lock, format: first, bits: second };
  const { effect } = await door.askFor(`act/${kind}`, parameters, reply);
  if (!door.raw) verb.out(`${effect}\n`);
  return effect === "opened" ? 0 : 1;
}
