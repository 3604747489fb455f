import { Argument, type Command } from "commander";
import { z } from "zod";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import { CommandError, type ExitCode, type Verb } from "./shell.ts";

const reply = z.looseObject({ ok: z.literal(true), effect: z.enum(["opened", "denied", "done", "refused"]) });

interface Act {
  /** The words that it takes, and how many of them at least and at most. */
  readonly takes: string;
  readonly count: readonly [least: number, most: number];
  readonly example: string;
  readonly says: string;
  /** What the command is told beside the lock. */
  readonly parameters: (...words: readonly (string | undefined)[]) => object;
  /** Where it is not called as the act is. */
  readonly command?: (word: string | undefined) => string;
}

const acts = {
  type: {
    takes: "<digits>",
    count: [1, 1],
    example: "4711",
    says: "type digits (at a reader: and # behind them), and see whether it opens",
    parameters: (digits) => ({ digits }),
  },
  card: {
    takes: "<format> <bits>",
    count: [2, 2],
    example: "wiegand26 2d8f07",
    says: "show a card",
    parameters: (format, bits) => ({ format, bits }),
  },
  program: {
    takes: "<digits> [slot]",
    count: [1, 2],
    example: "4711 7",
    says: "as its owner: put a code into slot 7, or without it into a free one",
    parameters: (digits, slot) => ({ digits, slot }),
  },
  delete: {
    takes: "<slot>|all",
    count: [1, 1],
    example: "7",
    says: "as its owner: delete slot 7, or all of them with: delete all",
    parameters: (slot) => (slot === "all" ? {} : { slot }),
    command: (slot) => (slot === "all" ? "delete_all" : "delete"),
  },
  reset: {
    takes: "",
    count: [0, 0],
    example: "",
    says: "as its owner: set it back to how it was when it was new",
    parameters: () => ({}),
  },
  power: { takes: "", count: [0, 0], example: "", says: "pull the power, and put it back", parameters: () => ({}) },
  battery: {
    takes: "<level>",
    count: [1, 1],
    example: "0.2",
    says: "put in a battery that is as full as that, 0 to 1",
    parameters: (level) => ({ level: Number(level) }),
  },
} as const satisfies Readonly<Record<string, Act>>;
type ActName = keyof typeof acts;

/** `latchd act`: somebody stands before a simulated lock. */
export function act(program: Command, verb: Verb): void {
  const lines = Object.entries(acts).map(
    ([name, { example, says }]) => `  $ latchd act front-door ${`${name} ${example}`.padEnd(22)} # ${says}`,
  );
  withDoorOptions(program.command("act"))
    .description("stand before a simulated lock: type digits, show a card, or lay hands on it")
    .argument("<lock>", "the simulated lock, by its address or its device_id")
    .addArgument(new Argument("<act>", "what you do").choices(Object.keys(acts)))
    .argument("[what...]", "with what: see the examples")
    .addHelpText(
      "after",
      `\nExamples:\n${lines.join("\n")}\n\nThe exit code is 0 where the lock opens or does it, 1 where it does not.`,
    )
    .action(async (lock: string, name: ActName, what: readonly string[], options: DoorOptions) => {
      verb.exit(await standBefore(verb, lock, name, what, options));
    });
}

async function standBefore(
  verb: Verb,
  lock: string,
  name: ActName,
  what: readonly string[],
  options: DoorOptions,
): Promise<ExitCode> {
  const { takes, count, parameters, command }: Act = acts[name];
  const [least, most] = count;
  if (what.length < least || what.length > most) {
    throw new CommandError(2, `call it as: latchd act <lock> ${`${name} ${takes}`.trim()}`);
  }
  const door = new Door(options, verb);
  const { effect } = await door.askFor(`act/${command?.(what[0]) ?? name}`, { lock, ...parameters(...what) }, reply);
  if (!door.raw) verb.out(`${effect}\n`);
  return effect === "opened" || effect === "done" ? 0 : 1;
}
