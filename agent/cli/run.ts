import { resolve } from "node:path";
import type { Command } from "commander";
import { type Config, defaultConfig, loadConfig } from "../config.ts";
import { later } from "../domain/instant.ts";
import { ConfigError } from "../errors.ts";
import { createLog } from "../log.ts";
import { dataDir } from "./door.ts";
import { greeting } from "./greeting.ts";
import { CommandError, type ExitCode, type Running, type Shell, type Verb } from "./shell.ts";

/** `latchd run`: the agent itself. */
export function run(program: Command, verb: Verb): void {
  program
    .command("run")
    .description("run the agent until Ctrl-C; without a configuration: embedded broker, three simulated locks")
    .argument("[config]", "the configuration file, as config.example.json shows it")
    .option("--data <dir>", "without a configuration: where to keep the data (default: $LATCHD_DATA, or ./data)")
    .addHelpText("after", "\nExamples:\n  $ latchd run\n  $ latchd run /etc/latchd/config.json")
    .action(async (file: string | undefined, options: { readonly data?: string }) => {
      if (file !== undefined && options.data !== undefined) {
        throw new CommandError(2, "--data is for an agent without a configuration: set data_dir in the file instead");
      }
      verb.exit(
        file === undefined
          ? await serveDefault(await defaultConfig(dataDir(options, verb), verb.known), verb)
          : await serve(await loadConfig(resolve(verb.cwd, file), verb.known), verb),
      );
    });
}

/** Who has no configuration yet is told where the setting goes that an error names. */
async function serveDefault(config: Config, verb: Verb): Promise<ExitCode> {
  try {
    return await serve(config, verb);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const where = "settings go into a file such as config.example.json; to run with it: npm start -- <file>";
    throw new ConfigError(cause.message, { hint: [cause.hint, where].filter((line) => line).join("\n"), cause });
  }
}

/** A stop has to be over by then; systemd and people wait no longer. */
const graceMs = 2_000;

/** Runs an agent until it is told to stop. Rejects where it could not start or had to stop. */
async function serve(config: Config, shell: Shell): Promise<ExitCode> {
  const stop = listen(shell);
  const starting = shell.start(
    config,
    createLog(config.log.level, shell.people, (line) => shell.out(line)),
  );
  try {
    const running = starting.then((agent) => {
      if (!stop.first.aborted) shell.out(`${greeting(config, shell.cwd)}\n`);
      return agent.stopped;
    });
    await Promise.race([running, aborted(stop.first)]);
    const code = await close(starting, stop, shell);
    if (code === 0) shell.out("latchd has stopped.\n");
    return code;
  } catch (cause) {
    // What went wrong is told by the caller; that the rest is closed in time is all that can still be done.
    await close(starting, stop, shell).catch(() => {});
    throw cause;
  } finally {
    stop.end();
  }
}

async function close(starting: Promise<Running>, stop: Stop, { clock, err }: Shell): Promise<ExitCode> {
  const over = new AbortController();
  const late = clock.sleep(graceMs, over.signal).then(
    () => "did not stop within 2 s",
    () => "",
  );
  try {
    const closed = starting.then(async (agent) => agent.close()).then(() => "");
    const why = await Promise.race([closed, late, aborted(stop.second).then(() => "was told a second time")]);
    if (why === "") return 0;
    err(`latchd ${why}: ended at once; what was not finished is taken up at the next start\n`);
    return 1;
  } finally {
    over.abort();
  }
}

interface Stop {
  readonly first: AbortSignal;
  readonly second: AbortSignal;
  readonly end: () => void;
}

/** `npm start` hands on the Ctrl-C that the terminal has sent to its child already: that is still the first. */
const echoMs = 500;

function listen({ clock, onSignal }: Shell): Stop {
  const first = new AbortController();
  const second = new AbortController();
  let hurryAfter = clock.now();
  const end = onSignal(() => {
    if (!first.signal.aborted) {
      hurryAfter = later(clock.now(), echoMs);
      first.abort();
    } else if (clock.now() >= hurryAfter) second.abort();
  });
  return { first: first.signal, second: second.signal, end };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
