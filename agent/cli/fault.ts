import { Argument, type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { type FaultName, faultNames, faults, requestKinds } from "../../simulator/fault.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { Verb } from "./shell.ts";
import { table } from "./table.ts";

const running = z.looseObject({ fault: z.string() });
const reply = z.object({ ok: z.literal(true), faults: z.array(running) });

interface FaultOptions extends DoorOptions {
  readonly share?: number;
  readonly seconds?: number;
  readonly to?: readonly string[];
  readonly ms?: readonly number[];
  readonly bySeconds?: number;
  readonly of?: string;
  readonly overSeconds?: number;
}

/** `latchd fault`: how a simulated lock goes wrong from now on. */
export function fault(program: Command, verb: Verb): void {
  const width = Math.max(...faultNames.map((name) => name.length));
  const book = faultNames.map((name) => `  ${name.padEnd(width)}  ${faults[name].says}`);
  withDoorOptions(program.command("fault"))
    .description("let a simulated lock go wrong, or end that; without a fault, list those that it has")
    .argument("<lock>", "the simulated lock, by its address or its device_id")
    .addArgument(new Argument("[fault]", "what goes wrong").choices(faultNames))
    .addArgument(new Argument("[on]", "whether it begins or ends").choices(["on", "off"]).default("on"))
    .option("--share <share>", "of all that it may spoil, this share, such as 0.3", numberOf)
    .option("--seconds <seconds>", "ends by itself after so long", numberOf)
    .option("--to <kinds>", `only of what is asked for this, with commas: ${requestKinds.join(", ")}`, listOf)
    .option("--ms <least-most>", "slow, executes_late: how long it takes, such as 500-2000", rangeOf)
    .option("--by-seconds <seconds>", "clock_skewed: how far ahead its clock is, such as -3600", numberOf)
    .option("--of <which>", 'wipes_windows_on_update: "all" windows, or that of what is "written"')
    .option("--over-seconds <seconds>", "battery_dying: how long a full one lasts", numberOf)
    .addHelpText(
      "after",
      `\nA lock that:\n${book.join("\n")}\n\nExamples:\n  $ latchd fault front-door loses_replies --share 0.3\n  $ latchd fault front-door loses_replies off\n  $ latchd fault front-door`,
    )
    .action(async (lock: string, name: FaultName | undefined, on: "on" | "off", options: FaultOptions) => {
      await change(verb, lock, name, on === "on", options);
    });
}

async function change(
  verb: Verb,
  lock: string,
  name: FaultName | undefined,
  on: boolean,
  options: FaultOptions,
): Promise<void> {
  const door = new Door(options, verb);
  const { share, seconds, to, ms, bySeconds: by_seconds, of, overSeconds: over_seconds } = options;
  const setting = { fault: name, share, seconds, to, ms, by_seconds, of, over_seconds };
  const { faults: has } =
    name === undefined
      ? await door.askFor("simulate/look", { lock }, reply)
      : await door.askFor("simulate/fault", { lock, on, ...(on ? setting : { fault: name }) }, reply);
  if (door.raw) return;
  if (has.length === 0) return verb.out(`Nothing is wrong with ${lock}.\n`);
  const rows = has.map(({ fault: is, ...rest }) => [is, optionsText(rest), sayings.get(is) ?? ""]);
  verb.out(table(["FAULT", "WITH", "A LOCK THAT"], rows));
}

const sayings: ReadonlyMap<string, string> = new Map(faultNames.map((name) => [name, faults[name].says]));

const optionsText = (options: object): string =>
  Object.entries(options)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");

function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

const listOf = (text: string): readonly string[] => text.split(",").map((word) => word.trim());

function rangeOf(text: string): readonly number[] {
  const [, least, most] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (least === undefined || most === undefined) throw new InvalidArgumentError("It must be as 500-2000.");
  return [Number(least), Number(most)];
}
