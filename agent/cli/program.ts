import { Command, CommanderError } from "commander";
import { ConfigError, StoreError } from "../errors.ts";
import { packageVersion } from "../package.ts";
import { run } from "./run.ts";
import { CommandError, type ExitCode, type Shell } from "./shell.ts";

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
  run(program, verb);
  // An agent is back sooner without what only its clients need.
  if (words[0] !== "run") for (const add of (await import("./client-verbs.ts")).clientVerbs) add(program, verb);
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
