import type { Command } from "commander";
import { z } from "zod";
import { Door, type DoorOptions, withDoorOptions } from "./door.ts";
import type { Verb } from "./shell.ts";

const told = z.object({
  ok: z.literal(true),
  clock: z.object({
    trusted: z.boolean(),
    reason: z.string().nullable(),
    since: z.string().nullable(),
    source: z.string(),
    hint: z.string().nullable(),
  }),
});
const done = z.object({ ok: z.literal(true) });

/** `latchd clock`: whether latchd believes the time, and that it is right, if somebody knows it to be. */
export function clock(program: Command, verb: Verb): void {
  const verbs = withDoorOptions(program.command("clock"))
    .description("show whether latchd believes this machine's clock: windows open and close only while it does")
    .addHelpText("after", "\nExample:\n  $ latchd clock")
    .action(async (options: DoorOptions) => show(new Door(options, verb), verb));
  withDoorOptions(verbs.command("confirm"))
    .description("say that the clock is right now, after it was set")
    .action(async (_: unknown, command: Command) => {
      const door = new Door(command.optsWithGlobals<DoorOptions>(), verb);
      await door.askFor("clock/confirm", {}, done);
      if (!door.raw) await show(door, verb);
    });
}

async function show(door: Door, verb: Verb): Promise<void> {
  const { clock: is } = await door.askFor("clock/get", {}, told);
  if (door.raw) return;
  verb.out(
    is.trusted
      ? `The clock is believed (${is.source}).\n`
      : `The clock is not believed since ${is.since ?? "the start"}: ${is.reason ?? ""}\n${is.hint ?? ""}\n`,
  );
  verb.exit(is.trusted ? 0 : 1);
}
