import type { Command } from "commander";
import { z } from "zod";
import { findDevice } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import { proofOf, standOf, watch } from "./receipt.ts";
import type { ExitCode, Verb } from "./shell.ts";

const done = z.looseObject({
  ok: z.literal(true),
  still_granted_by: z.array(z.looseObject({ access_grant_id: z.string() })).default([]),
});

/** `latchd revoke`: somebody may not use a device any more. */
export function revoke(program: Command, verb: Verb): void {
  withDoorOptions(program.command("revoke"))
    .description("take somebody's access to a device away: latchd removes the code and checks that it is gone")
    .argument("<user_identity_id>", "the person, by the id that your system uses")
    .argument("<device>", "the door, by its device_id or its name")
    .option("--no-wait", "do not wait (up to 10 s) until the code is off the lock")
    .addHelpText("after", '\nExample:\n  $ latchd revoke f3a328b4-dd04-4370-9000-d52b7a01b0bf "Front door"')
    .action(async (person: string, device: string, options: DoorOptions & { readonly wait: boolean }) => {
      verb.exit(await revokeAccess(verb, person, device, options));
    });
}

async function revokeAccess(
  verb: Verb,
  person: string,
  deviceText: string,
  options: DoorOptions & { readonly wait: boolean },
): Promise<ExitCode> {
  const door = new Door(options, verb);
  const device = await findDevice(door, deviceText);
  const pair = { user_identity_id: person, device_id: device.id };
  const { still_granted_by: others } = await door.askFor("user_identities/revoke_access_to_device", pair, done);
  if (door.raw) return 0;
  if (others.length > 0) {
    const names = others.map(({ access_grant_id: id }) => id).join(", ");
    verb.out(`The direct grant is gone, but ${device.name} still opens for ${person}: access grant ${names}.\n`);
    return 0;
  }
  if (!options.wait) {
    verb.out(`Accepted. latchd list shows the access to ${device.name} until the code is proven gone.\n`);
    return 0;
  }
  const receipt = await watch(door, verb.clock, pair, (state) => state === undefined || state === "gone");
  if (receipt === undefined || receipt.state === "gone") {
    const proof = receipt && proofOf(receipt);
    verb.out(`Access to ${device.name} is gone${proof ? `: ${proof}` : ""}.\n`);
  } else {
    verb.out(`Accepted, but the code may still open ${device.name} (${standOf(receipt)}).\n`);
    verb.out("latchd goes on by itself until the lock proves that it is gone.\n");
  }
  return 0;
}
