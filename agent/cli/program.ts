import { Command, CommanderError } from "commander";
import { ConfigError, StoreError } from "../errors.ts";
import { packageVersion } from "../package.ts";
import { act } from "./act.ts";
import { clock } from "./clock.ts";
import { code } from "./code.ts";
import { explain } from "./explain.ts";
import { fault } from "./fault.ts";
import { grant } from "./grant.ts";
import { keys } from "./keys.ts";
import { list } from "./list.ts";
import { osdp } from "./osdp.ts";
import { revoke } from "./revoke.ts";
import { run } from "./run.ts";
import { CommandError, type ExitCode, type Shell } from "./shell.ts";
import { simulate } from "./simulate.ts";
import { statusVerb } from "./status.ts";

/** Carries out one command line (without the program's own name). Rejects only with what nobody foresaw. */
export async function latchd(words: readonly string[], shell: Shell): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = new Command("latchd")
    .description("Brings who-may-use-which-door from MQTT to the locks, and proves that it got there.")
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => shell.out(text), writeErr: (text) => shell.err(text) })
    .showHelpAfterError("Add --help to see how it is used.")
    .addHelpText("after", "\nBegin with:\n  $ latchd run\nwhich prints the lines to try.");
  const verb = {
    ...shell,
    exit: (wanted: ExitCode) => {
      exitCode = wanted;
    },
  };
  for (const add of [run, grant, revoke, list, code, explain, statusVerb, keys, clock, osdp, act, fault, simulate])
    add(program, verb);
  try {
    await program.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (cause) {
    return told(cause, words[0] === "run", shell);
  }
}

function told(cause: unknown, daemon: boolean, { err }: Shell): ExitCode {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : 2;
  if (cause instanceof CommandError) {
    if (cause.message !== "") err(`${cause.message}\n`);
    return cause.exit;
  }
  if (cause instanceof ConfigError || cause instanceof StoreError) {
    err(`${cause.message}\n${cause.hint === undefined ? "" : `${cause.hint}\n`}`);
    return daemon ? 1 : 2;
  }
  throw cause;
}
