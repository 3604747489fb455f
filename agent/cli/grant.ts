import type { Command } from "commander";
import { z } from "zod";
import { findDevice } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import { proofOf, standOf, watch } from "./receipt.ts";
import { type ExitCode, shellWord, type Verb } from "./shell.ts";

const done = z.looseObject({ ok: z.literal(true) });

/** `latchd grant`: somebody may use a device from now on. */
export function grant(program: Command, verb: Verb): void {
  withDoorOptions(program.command("grant"))
    .description("let somebody use a device: latchd makes a PIN and puts it on the lock")
    .argument("<user_identity_id>", "the person, by the id that your system uses")
    .argument("<device>", "the door, by its device_id or its name")
    .option("--no-wait", "do not wait (up to 10 s) until the code is on the lock")
    .addHelpText("after", '\nExample:\n  $ latchd grant f3a328b4-dd04-4370-9000-d52b7a01b0bf "Front door"')
    .action(async (person: string, device: string, options: DoorOptions & { readonly wait: boolean }) => {
      verb.exit(await grantAccess(verb, person, device, options));
    });
}

async function grantAccess(
  verb: Verb,
  person: string,
  deviceText: string,
  options: DoorOptions & { readonly wait: boolean },
): Promise<ExitCode> {
  const door = new Door(options, verb);
  const device = await findDevice(door, deviceText);
  const pair = { user_identity_id: person, device_id: device.id };
  await door.askFor("user_identities/grant_access_to_device", pair, done);
  if (door.raw) return 0;
  if (!options.wait) {
    verb.out(`Accepted: ${person} may use ${device.name}. latchd list shows when the lock has the code.\n`);
    return 0;
  }
  const receipt = await watch(door, verb.clock, pair, (state) => state === "live" || state === "refused");
  if (receipt?.state === "live") {
    verb.out(`Access to ${device.name} is live: ${proofOf(receipt) || "the lock has it"}.\n`);
    verb.out(`The code: npx latchd code ${shellWord(person)} ${shellWord(device.name)}\n`);
    return 0;
  }
  if (receipt?.state === "refused") {
    verb.out(`Accepted, but the lock does not take it. ${standOf(receipt)}\n`);
    return 1;
  }
  verb.out(
    `Accepted, and not live yet (${receipt ? standOf(receipt) : "waiting"}). latchd goes on trying by itself.\n`,
  );
  return 0;
}
