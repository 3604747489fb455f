import { type Command, InvalidArgumentError } from "commander";
import { LinkError } from "../../drivers/driver.ts";
import type { ScanRequest, ScanStep } from "../domain/wire-tools.ts";
import { CommandError, type ExitCode, type Verb } from "./shell.ts";

interface ScanOptions {
  readonly baud?: readonly number[];
  readonly addresses?: readonly number[];
  readonly json?: true;
}
type Found = Extract<ScanStep, { readonly step: "found" }>;

const lastAddress = 126;

/** `latchd osdp scan`: which readers are on a line. The one verb that opens a wire itself: there is no agent yet. */
export function osdpScan(verbs: Command, verb: Verb): void {
  verbs
    .command("scan")
    .description("look which readers are on a line, at which addresses and rates, while no agent has it")
    .argument("<port>", "a serial device, or tcp://host:port")
    .option("--baud <rates>", "the rates to try, such as 9600,38400 (default: all of them)", ratesOf)
    .option("--addresses <addresses>", `such as 0-7 or 0,3,12; 0-${lastAddress} are all (default: 0-7)`, addressesOf)
    .option("--json", "print what was found as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  $ latchd osdp scan /dev/serial/by-id/usb-FTDI_FT232R-if00-port0 --baud 9600,38400",
    )
    .action(async (port: string, options: ScanOptions) => verb.exit(await scan(port, options, verb)));
}

async function scan(port: string, { baud: bauds, addresses, json }: ScanOptions, verb: Verb): Promise<ExitCode> {
  const printer = json ? undefined : new Printer(verb);
  const steps: ScanStep[] = [];
  try {
    for await (const step of look({ port, bauds, addresses }, verb)) {
      if (step.step !== "asking") steps.push(step);
      printer?.tell(step);
    }
  } finally {
    printer?.end();
  }
  const isAnybody = steps.some(({ step }) => step === "found");
  if (json) verb.out(`${JSON.stringify({ ok: true, steps })}\n`);
  else if (!isAnybody) verb.out(`${nobody}\n`);
  return isAnybody ? 0 : 1;
}

/** What the driver finds, until Ctrl-C. */
async function* look(request: ScanRequest, { known, clock, onSignal }: Verb): AsyncGenerator<ScanStep> {
  const driver = await known.drivers["osdp"]?.();
  if (!driver?.scan) throw new CommandError(2, "this latchd has no driver for OSDP");
  const stop = new AbortController();
  const deaf = onSignal(() => stop.abort());
  try {
    yield* driver.scan(request, clock, stop.signal);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    throw new CommandError(1, [error.message, error.hint ?? ""].filter((line) => line !== "").join("\n"));
  } finally {
    deaf();
  }
}

const nobody = [
  "Nobody has answered. Check power, both wires of the line and their order, and the ends of the line;",
  "then try all addresses: --addresses 0-126.",
].join("\n");

/** On a terminal the progress stays in its line; elsewhere it is a line for each rate. */
class Printer {
  readonly #verb: Verb;
  #baud: number | undefined;

  constructor(verb: Verb) {
    this.#verb = verb;
  }

  tell(step: ScanStep): void {
    switch (step.step) {
      case "asking":
        return this.#asking(step);
      case "found":
        return this.#print(foundText(step));
      case "noticed":
        return this.#print(`${step.problem}: stop it, what was found is not to be relied on`);
      case "suggestion":
        return this.#print(`For the configuration:\n${JSON.stringify({ links: { osdp: step.link } }, null, 2)}`);
    }
  }

  end(): void {
    if (this.#verb.people) this.#verb.out(wipeLine);
  }

  #asking({ baud, address, nth, of }: Extract<ScanStep, { readonly step: "asking" }>): void {
    if (this.#verb.people) this.#verb.out(`${wipeLine}${baud} baud, address ${address} (${nth} of ${of})`);
    else if (baud !== this.#baud) this.#verb.out(`looking at ${baud} baud\n`);
    this.#baud = baud;
  }

  #print(text: string): void {
    this.#verb.out(`${this.#verb.people ? wipeLine : ""}${text}\n`);
  }
}

/** Back to its beginning, and what is in it is gone. */
const wipeLine = "\r\x1b[K";

function foundText({ address, baud, facts, problem }: Found): string {
  const said = Object.entries(facts).map(([name, value]) => `${name.replaceAll("_", " ")}: ${wordOf(value)}`);
  const parts = [...(problem === undefined ? [] : [problem]), ...said, ...warnings(facts)];
  return [`address ${address} at ${baud} baud`, ...parts.map((part) => `  ${part}`)].join("\n");
}

const wordOf = (value: string | number | boolean): string =>
  typeof value === "boolean" ? (value ? "yes" : "no") : String(value);

const warnings = (facts: Found["facts"]): readonly string[] =>
  facts["secure_channel"] === false
    ? [
        'it has no Secure Channel: latchd takes it only with "security": "clear", and then everybody on the line is believed',
      ]
    : [];

function ratesOf(text: string): readonly number[] {
  const rates = text.split(",").map(Number);
  if (rates.every((rate) => Number.isInteger(rate) && rate >= 1_200 && rate <= 230_400)) return rates;
  throw new InvalidArgumentError("They must be numbers of bits a second, with commas.");
}

function addressesOf(text: string): readonly number[] {
  const all = text.split(",").flatMap((part) => {
    const [, from, to = from] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part) ?? [];
    const [first, last] = [Number(from), Number(to)];
    const isRange = first <= last && last <= lastAddress;
    return isRange ? Array.from({ length: last - first + 1 }, (_, nth) => first + nth) : [Number.NaN];
  });
  if (all.length > 0 && all.every(Number.isInteger)) return [...new Set(all)];
  throw new InvalidArgumentError(`They must be from 0 to ${lastAddress}, such as 0-7 or 0,3,12.`);
}
