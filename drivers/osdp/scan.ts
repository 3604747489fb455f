import { SerialPort } from "serialport";
import type { ScanRequest, ScanStep } from "../../agent/domain/wire-tools.ts";
import { type Clock, LinkError } from "../driver.ts";
import { openSerialLine, type SerialLine } from "../shared/serial-line.ts";
import { usualTimes } from "./bus.ts";
import type { ReaderAbilities } from "./capabilities.ts";
import { nakWords } from "./nak.ts";
import { rates } from "./options.ts";
import { Pump } from "./pump.ts";
import { Search, type SearchStep, type Sighting } from "./search.ts";
import { suspicionWords } from "./suspicions.ts";

/** Most lines have no more readers than that, and no higher addresses. */
const usualAddresses = Array.from({ length: 8 }, (_, address) => address);

/**
 * Who is on a line, at which addresses and rates. It has the line for itself: nobody else may ask on it meanwhile. A bridge to
 * TCP has a rate of its own, so there it is looked for once.
 */
export async function* scan(request: ScanRequest, clock: Clock, signal: AbortSignal): AsyncGenerator<ScanStep> {
  const { port, addresses = usualAddresses } = request;
  const bauds = request.bauds ?? (port.startsWith("tcp:") ? [rates[0]] : rates);
  const all = bauds.length * addresses.length;
  const found: Found[] = [];
  let asked = 0;
  let isNoticed = false;
  for (const baud of bauds) {
    if (signal.aborted) return;
    for await (const step of search(port, baud, addresses, clock, signal)) {
      if (step.step === "asking") {
        asked += 1;
        yield { step: "asking", baud, address: String(step.address), nth: asked, of: all };
      } else if (step.step === "foreign_panel") {
        if (!isNoticed) yield { step: "noticed", problem: suspicionWords.foreign_panel };
        isNoticed = true;
      } else {
        found.push({ ...step.sighting, baud });
        yield told({ ...step.sighting, baud });
      }
    }
  }
  const readers = found.filter(({ identity }) => identity);
  // One rate for all of a line.
  const [first] = readers;
  if (first)
    yield {
      step: "suggestion",
      link: linkOf(
        port,
        readers.filter(({ baud }) => baud === first.baud),
      ),
    };
}

type Found = Sighting & { readonly baud: number };

async function* search(
  port: string,
  baud: number,
  addresses: readonly number[],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<SearchStep> {
  const line = await open(port, baud);
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener("abort", stop, { once: true });
  const finder = new Search(addresses, { baud, ...usualTimes });
  const steps = new Steps();
  const pump = new Pump(finder, clock, () => {
    steps.add(finder.take());
    if (finder.isOver) stop();
  });
  // A bridge that hangs up, or an adapter that is pulled out, ends it as well.
  const running = pump.run(line, over.signal).finally(() => steps.end());
  try {
    yield* steps.all();
    await running;
    if (!over.signal.aborted) throw gone(port);
  } finally {
    stop();
    await running;
    signal.removeEventListener("abort", stop);
    await line.close();
  }
}

/** What is told while somebody takes it. */
class Steps {
  #waiting: SearchStep[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  add(steps: readonly SearchStep[]): void {
    this.#waiting.push(...steps);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *all(): AsyncGenerator<SearchStep> {
    for (;;) {
      yield* this.#waiting.splice(0);
      if (this.#isOver && this.#waiting.length === 0) return;
      if (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

async function open(port: string, baud: number): Promise<SerialLine> {
  try {
    return await openSerialLine(port, { Port: SerialPort, baudRate: baud });
  } catch (cause) {
    const isTaken = cause instanceof Error && /lock|busy|temporarily unavailable/i.test(cause.message);
    throw new LinkError(`${port} cannot be opened${isTaken ? ": somebody has it" : ""}`, {
      sent: false,
      hint: isTaken
        ? "stop the agent that has this line, or whoever else it is, and scan again"
        : "check its name, that the adapter is plugged in, and that you may use it (group dialout)",
      cause,
    });
  }
}

const gone = (port: string): LinkError =>
  new LinkError(`${port} was closed from the other end`, {
    hint: "check the adapter or the bridge: a bridge may serve one client only, and that may be the agent",
  });

function told({ address, baud, identity, abilities, check, error, isGarbled }: Found): ScanStep {
  const problem = problemOf({ address, identity: identity !== undefined, error, isGarbled });
  return {
    step: "found",
    address: String(address),
    baud,
    facts: {
      ...(identity
        ? {
            vendor: identity.vendor,
            model: `${identity.model}.${identity.version}`,
            serial: identity.serial,
            firmware: identity.firmware.join("."),
          }
        : {}),
      ...(abilities ? factsOf(abilities) : {}),
      ...(check === "crc" ? { check: "crc" } : {}),
    },
    ...(problem === undefined ? {} : { problem }),
  };
}

const factsOf = (abilities: ReaderAbilities): Readonly<Record<string, string | number | boolean>> => ({
  secure_channel: abilities.secureChannel,
  crc: abilities.crc,
  outputs: abilities.outputs,
  timed_outputs: abilities.timedOutputs,
  inputs: abilities.inputs,
  leds: abilities.leds,
  buzzer: abilities.sound,
  lines_of_text: abilities.text,
});

function problemOf({
  identity,
  error,
  isGarbled,
}: {
  readonly address: number;
  readonly identity: boolean;
  readonly error: number | undefined;
  readonly isGarbled: true | undefined;
}): string | undefined {
  if (identity) return undefined;
  if (isGarbled) return "something answers that cannot be read: it has another rate, or two have this address";
  if (error !== undefined) return `somebody answers, and does not say who it is: ${nakWords(error)}`;
  return "somebody answers, and does not say who it is";
}

/** The options of a link with these readers. */
const linkOf = (port: string, readers: readonly Found[]): Readonly<Record<string, unknown>> => ({
  driver: "osdp",
  port,
  ...(port.startsWith("tcp:") ? {} : { baud: readers[0]?.baud }),
  readers: Object.fromEntries(
    readers.map(({ address, abilities }) => [address, abilities?.crc === false ? { check: "checksum" } : {}]),
  ),
});
