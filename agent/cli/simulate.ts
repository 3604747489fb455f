import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Told } from "../../simulator/house.ts";
import { type Outcome, play } from "../../simulator/play.ts";
import type { Instant } from "../domain/instant.ts";
import { loadScenario, type Staged } from "./scenario-file.ts";
import type { ExitCode, Shell, Verb } from "./shell.ts";
import { SimulatedHouse } from "./simulated-house.ts";

interface Options {
  readonly seed?: number;
  readonly json?: true;
}

/** `latchd simulate`: a whole house with locks that misbehave, by a script. */
export function simulate(program: Command, verb: Verb): void {
  program
    .command("simulate")
    .description("let a scenario happen: a house with simulated locks that misbehave, on data of its own")
    .argument("<scenario>", "the file, as those in simulator/scenarios")
    .option("--seed <number>", "of what goes wrong by chance, instead of the scenario's", seedOf)
    .option("--json", "print what happens as JSON, one object a line")
    .addHelpText(
      "after",
      `
A scenario has "locks" (each with options of the driver simulated, and the "faults" that it has from the beginning) and a
"timeline". Each step has "at", in seconds after the start, and one thing that happens:
  grant, revoke, bring, command                                  what the cloud asks for
  fault, mend                                                    a lock goes wrong, or is well again
  type, program, delete, delete_all, reset, power, battery       somebody stands at a lock
  restart, kill                                                  latchd is stopped, or killed with -9, and started again
  expect                                                         what is to be so: "at" that time, or "by" then at last
npx latchd fault --help says what faults there are. Time is real, and latchd is the real one, in a process of its own.

Example:
  $ latchd simulate simulator/scenarios/lies.json

The exit code is 0 where all was as expected, 1 where something was not, 2 where the file cannot be used.`,
    )
    .action(async (file: string, options: Options) => {
      const staged = await loadScenario(resolve(verb.cwd, file), verb.known);
      const { scenario } = staged;
      verb.exit(
        await stage({ ...staged, scenario: { ...scenario, seed: options.seed ?? scenario.seed } }, verb, options),
      );
    });
}

async function stage(staged: Staged, shell: Shell, { json }: Options): Promise<ExitCode> {
  const { clock } = shell;
  const stop = new AbortController();
  const deaf = shell.onSignal(() => stop.abort(new Error("stopped")));
  let began = clock.now();
  const tell = (told: Told): void =>
    shell.out(json ? jsonLine(told, began, clock.now()) : plainLine(told, began, clock.now()));
  const house = new SimulatedHouse(staged, shell, tell, stop.signal);
  try {
    await house.start();
    began = clock.now();
    tell({
      kind: "agent",
      words: `started, with the seed ${staged.scenario.seed}`,
      fields: { is: "started", seed: staged.scenario.seed },
    });
    const outcome = await Promise.race([
      play(staged.scenario, { house, clock, tell, signal: stop.signal }),
      house.failed,
    ]);
    tell(ending(outcome));
    return outcome.missed === 0 ? 0 : 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    shell.err("stopped before its end\n");
    return 1;
  } finally {
    deaf();
    await house.close();
  }
}

const ending = ({ held, missed }: Outcome): Told => ({
  kind: "end",
  words: missed === 0 ? `all ${held} expectations held` : `${missed} not as expected, ${held} expectations held`,
  fields: { held, missed },
});

const secondsOf = (began: Instant, now: Instant): number => (now - began) / 1_000;

/** `  12.3  event     access.live ann front-door (read_back)`. */
const plainLine = ({ kind, words }: Told, began: Instant, now: Instant): string =>
  `${secondsOf(began, now).toFixed(1).padStart(6)}  ${kind.padEnd(8)}  ${words}\n`;

const jsonLine = ({ kind, fields }: Told, began: Instant, now: Instant): string =>
  `${JSON.stringify({ seconds: secondsOf(began, now), kind, ...fields })}\n`;

function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(seed))
    throw new InvalidArgumentError("It must be a whole number.");
  return seed;
}
