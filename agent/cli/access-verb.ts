import type { Command } from "commander";
import type { z } from "zod";
import { findDevice, type NamedDevice } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import { type Receipt, watch } from "./receipt.ts";
import type { ExitCode, Verb } from "./shell.ts";

/** The person and the device that a verb was called with. */
interface Named {
  readonly person: string;
  readonly device: NamedDevice;
}

/** What is to be told, and the exit code where that is not 0. */
type Told = string | { readonly text: string; readonly exit: ExitCode };

/** A verb that changes what a person may use, and waits until the lock follows. */
interface AccessVerb<Reply> {
  readonly name: string;
  readonly description: string;
  /** What `--no-wait` does not wait for. */
  readonly waitsUntil: string;
  /** The command that it sends. */
  readonly command: string;
  readonly reply: z.ZodType<Reply>;
  /** Told at once, without waiting, where that is the end of it. */
  ended(reply: Reply, named: Named): Told | undefined;
  /** Told with `--no-wait`. */
  accepted(named: Named): Told;
  isSettled(state: string | undefined): boolean;
  /** @param receipt after waiting; undefined where there is none (any more). */
  settled(receipt: Receipt | undefined, named: Named): Told;
}

interface Options extends DoorOptions {
  readonly wait: boolean;
  readonly asOf?: string;
}

/** Adds the verb to the command line. */
export function addAccessVerb<Reply>(program: Command, verb: Verb, of: AccessVerb<Reply>): void {
  withDoorOptions(program.command(of.name))
    .description(of.description)
    .argument("<user_identity_id>", "the person, by the id that your system uses")
    .argument("<device>", "the door, by its device_id or its name")
    .option("--as-of <instant or number>", "how new this is by your own count; an older grant changes nothing")
    .option("--no-wait", `do not wait (up to 10 s) until ${of.waitsUntil}`)
    .addHelpText("after", `\nExample:\n  $ latchd ${of.name} f3a328b4-dd04-4370-9000-d52b7a01b0bf "Front door"`)
    .action(async (person: string, device: string, options: Options) => {
      const told = await change(of, verb, person, device, options);
      verb.out(typeof told === "string" ? told : told.text);
      verb.exit(typeof told === "string" ? 0 : told.exit);
    });
}

async function change<Reply>(
  of: AccessVerb<Reply>,
  verb: Verb,
  person: string,
  deviceText: string,
  options: Options,
): Promise<Told> {
  const door = new Door(options, verb);
  const named = { person, device: await findDevice(door, deviceText) };
  const pair = { user_identity_id: person, device_id: named.device.id };
  const reply = await door.askFor(of.command, { ...pair, ...newness(options.asOf) }, of.reply);
  if (door.raw) return "";
  const ended = of.ended(reply, named);
  if (ended !== undefined) return ended;
  if (!options.wait) return of.accepted(named);
  return of.settled(await watch(door, verb.clock, pair, (state) => of.isSettled(state)), named);
}

const newness = (text: string | undefined): { readonly as_of?: string | number } =>
  text === undefined ? {} : { as_of: /^\d+$/.test(text) ? Number(text) : text };
