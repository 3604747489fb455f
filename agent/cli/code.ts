import type { Command } from "commander";
import { z } from "zod";
import { findDevice } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { ExitCode, Verb } from "./shell.ts";

const reply = z.object({
  ok: z.literal(true),
  credentials: z.array(z.looseObject({ kind: z.string(), code: z.unknown() })),
});

/** `latchd code`: what somebody is to type or show. One of the commands that reveal (WIRE, "Telling a PIN"). */
export function code(program: Command, verb: Verb): void {
  withDoorOptions(program.command("code"))
    .description("print the code that opens a device for somebody, and nothing else")
    .argument("<user_identity_id>", "the person, by the id that your system uses")
    .argument("<device>", "the door, by its device_id or its name")
    .addHelpText("after", '\nExample:\n  $ latchd code f3a328b4-dd04-4370-9000-d52b7a01b0bf "Front door"')
    .action(async (person: string, device: string, options: DoorOptions) => {
      verb.exit(await tellCode(verb, person, device, options));
    });
}

async function tellCode(verb: Verb, person: string, deviceText: string, options: DoorOptions): Promise<ExitCode> {
  const door = new Door(options, verb);
  const device = await findDevice(door, deviceText);
  const parameters = { user_identity_id: person, device_id: device.id };
  const { credentials } = await door.askFor("credentials/get", parameters, reply);
  if (door.raw) return 0;
  const told = credentials.filter((one) => one.code !== null && one.code !== undefined);
  for (const one of told) verb.out(one.kind === "pin" ? `${textOf(one.code)}\n` : `${one.kind} ${textOf(one.code)}\n`);
  if (told.length > 0) return 0;
  verb.err(`there is no code of ${person} for ${device.name} (yet): latchd list shows why\n`);
  return 1;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
