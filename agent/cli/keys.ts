import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { findDevice } from "./device.ts";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { Verb } from "./shell.ts";
import { table } from "./table.ts";

interface CreateOptions extends DoorOptions {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly device?: readonly string[];
  readonly expires?: string;
  readonly token?: true;
}

const done = z.object({ ok: z.literal(true) });
const made = z.object({ ok: z.literal(true), key: z.string(), key_id: z.string(), workspace_id: z.string() });
const listed = z.object({
  ok: z.literal(true),
  keys: z.array(
    z.object({
      key_id: z.string(),
      kind: z.string(),
      name: z.string().nullable(),
      state: z.string(),
      scopes: z.array(z.string()),
      device_ids: z.array(z.string()).nullable(),
      created_at: z.string(),
      expires_at: z.string().nullable(),
    }),
  ),
});

/** `latchd keys`: who may ask over HTTP, and for what. */
export function keys(program: Command, verb: Verb): void {
  const verbs = program.command("keys").description("make, list and revoke the keys that open the HTTP door");
  withDoorOptions(verbs.command("create"))
    .description("make a key, and print it: it is told this once")
    .option("--name <name>", "what it is for, to find it again")
    .option(
      "--scope <scope...>",
      'what it is good for: "group/verb", "group/*", "*" (default), and "codes:read" to be told codes',
    )
    .option("--device <device...>", "only these doors, by device_id or name (default: all)")
    .option("--expires <instant>", "when it ends, such as 2027-01-31T09:30:00Z (default: never)", instantText)
    .option("--token", "a personal access token, which goes with the header seam-workspace")
    .addHelpText(
      "after",
      "\nExamples:\n  $ latchd keys create\n  $ latchd keys create --name booking --scope 'user_identities/*'",
    )
    .action(async (options: CreateOptions) => create(new Door(options, verb), options, verb));
  withDoorOptions(verbs.command("list"))
    .description("show the keys, without what they are")
    .action(async (options: DoorOptions) => list(new Door(options, verb), verb));
  withDoorOptions(verbs.command("revoke"))
    .description("make a key open nothing from now on")
    .argument("<key_id>", "as keys list shows it; it is also the part of the key after seam_")
    .action(async (id: string, options: DoorOptions) => {
      const door = new Door(options, verb);
      await door.askFor("keys/revoke", { key_id: id }, done);
      if (!door.raw) verb.out(`The key ${id} opens nothing any more.\n`);
    });
}

async function create(door: Door, { name, scope, device, expires, token }: CreateOptions, verb: Verb): Promise<void> {
  const devices = await Promise.all((device ?? []).map(async (each) => findDevice(door, each)));
  const parameters = {
    ...(token ? { kind: "personal_access_token" } : {}),
    ...(name === undefined ? {} : { name }),
    ...(scope === undefined ? {} : { scopes: scope }),
    ...(devices.length === 0 ? {} : { device_ids: devices.map(({ id }) => id) }),
    ...(expires === undefined ? {} : { expires_at: expires }),
  };
  const reply = await door.askFor("keys/create", parameters, made);
  if (door.raw) return;
  verb.out(`${reply.key}\n`);
  const beside = token ? `It goes with the header seam-workspace: ${reply.workspace_id}\n` : "";
  verb.err(`${beside}Keep it now: it is not told again. Should it get lost: latchd keys revoke ${reply.key_id}\n`);
}

async function list(door: Door, verb: Verb): Promise<void> {
  const { keys: all } = await door.askFor("keys/list", {}, listed);
  if (door.raw) return;
  if (all.length === 0) {
    verb.out("There are no keys: nobody gets in over HTTP. To make one: latchd keys create\n");
    return;
  }
  const rows = all.map((one) => [
    one.key_id,
    one.name ?? "",
    one.state,
    one.kind === "api_key" ? "" : "token",
    one.scopes.join(" "),
    one.device_ids?.join(" ") ?? "",
    one.created_at,
    one.expires_at ?? "",
  ]);
  verb.out(table(["KEY", "NAME", "STATE", "KIND", "FOR", "DEVICES", "CREATED", "EXPIRES"], rows));
}

function instantText(text: string): string {
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return text;
  throw new InvalidArgumentError("Must be an instant with its offset, such as 2027-01-31T09:30:00Z.");
}
