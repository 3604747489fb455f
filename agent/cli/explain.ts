import type { Command } from "commander";
import { z } from "zod";
import { findDevice } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { ExitCode, Verb } from "./shell.ts";

const reply = z.object({
  ok: z.literal(true),
  explanation: z.looseObject({ decision: z.string(), text: z.string() }),
});

interface Options extends DoorOptions {
  readonly at?: string;
}

/** `latchd explain`: why somebody may, or may not, open a door. */
export function explain(program: Command, verb: Verb): void {
  withDoorOptions(program.command("explain"))
    .description("say why somebody may or may not open a device: now, at a time that is past, or at one to come")
    .argument("<user_identity_id>", "the person, by the id that your system uses")
    .argument("<device>", "the door, by its device_id or its name")
    .option("--at <instant>", "another time than now, with its offset: 2026-01-31T09:30:00Z")
    .addHelpText("after", '\nExample:\n  $ latchd explain f3a328b4-dd04-4370-9000-d52b7a01b0bf "Front door"')
    .action(async (person: string, device: string, options: Options) => {
      verb.exit(await tell(verb, person, device, options));
    });
}

/** 0: they may; 1: they may not, or it is not known. */
async function tell(verb: Verb, person: string, deviceText: string, options: Options): Promise<ExitCode> {
  const door = new Door(options, verb);
  const device = await findDevice(door, deviceText);
  const parameters = { user_identity_id: person, device_id: device.id, at: options.at ?? null };
  const { explanation } = await door.askFor("access/explain", parameters, reply);
  if (!door.raw) verb.out(`${explanation.text}\n`);
  return explanation.decision === "admit" ? 0 : 1;
}
