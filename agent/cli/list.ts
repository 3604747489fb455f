import type { Command } from "commander";
import { findDevice, listDevices } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import { type Receipt, receipts } from "./receipt.ts";
import type { ExitCode, Verb } from "./shell.ts";
import { table } from "./table.ts";

interface ListOptions extends DoorOptions {
  readonly identity?: string;
  readonly device?: string;
}

/** `latchd list`: who may use what, and what is known of it. */
export function list(program: Command, verb: Verb): void {
  withDoorOptions(program.command("list"))
    .description("show who may use what, and whether the locks have it")
    .option("--identity <user_identity_id>", "only this person")
    .option("--device <device>", "only this door, by its device_id or its name")
    .addHelpText("after", '\nExample:\n  $ latchd list --device "Front door"')
    .action(async (options: ListOptions) => {
      verb.exit(await listAccess(verb, options));
    });
}

async function listAccess(verb: Verb, options: ListOptions): Promise<ExitCode> {
  const door = new Door(options, verb);
  const device = options.device === undefined ? undefined : await findDevice(door, options.device);
  const reply = await door.askFor(
    "access/list",
    {
      ...(options.identity === undefined ? {} : { user_identity_id: options.identity }),
      ...(device ? { device_id: device.id } : {}),
    },
    receipts,
  );
  if (door.raw) return 0;
  if (reply.receipts.length === 0) {
    verb.out("Nobody has access.\n");
    return 0;
  }
  const names = new Map((await listDevices(door)).map(({ id, name }) => [id, name]));
  const head = ["WHO", "DEVICE", "STATE", "WITH", "PROOF", "SINCE", "WHY", "NEXT"];
  verb.out(
    table(
      head,
      reply.receipts.flatMap((receipt) => rows(receipt, names.get(receipt.device_id) ?? receipt.device_id)),
    ),
  );
  return 0;
}

/** One row for each credential; one for the pair where there is none yet. */
function rows({ user_identity_id: who, state, credentials }: Receipt, device: string): string[][] {
  if (credentials.length === 0) return [[who, device, state]];
  return credentials.map((one) => [
    who,
    device,
    one.state,
    one.kind ?? "",
    one.evidence ?? "",
    one.since ?? "",
    [one.reason, one.hint].filter((word) => word).join(": "),
    one.next ?? "",
  ]);
}
