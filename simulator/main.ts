#!/usr/bin/env node
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { faultNames } from "./fault.ts";
import { faultsOf } from "./faults.ts";
import { MemoryFile } from "./memory-file.ts";
import { Zigbee2mqttPersona } from "./zigbee2mqtt.ts";
import { doorAct } from "./zigbee2mqtt-device.ts";

const share = z.coerce.number().min(0).max(1).default(0);
const flags = z.object({
  broker: z.string(),
  baseTopic: z.string(),
  lock: z.array(z.string()).min(1),
  pollControl: z.boolean().default(false),
  memory: z.string().optional(),
  record: z.boolean().default(false),
  seed: z.coerce.number().int().default(1),
  delay: z.tuple([z.coerce.number().min(0), z.coerce.number().min(0)]).default([0, 0]),
  lose: share,
  late: share,
});
const request = z.object({ lock: z.string() }).loose();

const say = (happening: object): void => void process.stdout.write(`${JSON.stringify(happening)}\n`);

const collect = (name: string, before: readonly string[] | undefined): readonly string[] => {
  if (/[#+/]/.test(name)) throw new InvalidArgumentError("a name has no /, + or #");
  return [...(before ?? []), name];
};

const program = new Command("simulate")
  .description(
    `Locks that are not there, for trying latchd: zigbee2mqtt with some of them, at a broker.

Reads what is to happen at them from standard input, one JSON object a line, and prints what happened:
  {"lock":"front_door","act":"type","digits":"4711"}        someone types a PIN
  {"lock":"front_door","act":"fault","fault":"deaf"}        with "share", "seconds", "to", "ms" where it takes them
  {"lock":"front_door","act":"mend","fault":"deaf"}
  {"lock":"front_door","act":"mode","mode":"dead"}          ok, reject, lie, mask, dead or storenoreply
  {"lock":"front_door","act":"operate","source":2,"code":13,"user":65535}
  {"lock":"front_door","act":"program","source":0,"code":3,"user":8}
  {"lock":"front_door","act":"bolt","state":1}              0 stuck, 1 locked, 2 unlocked
  {"lock":"front_door","act":"battery","halves":170}        in half percents
Faults: ${faultNames.join(", ")}; "npx latchd fault --help" says what each is.`,
  )
  .requiredOption("--broker <url>", "the broker, such as mqtt://127.0.0.1:1883")
  .option("--base-topic <topic>", "where zigbee2mqtt speaks", "zigbee2mqtt")
  .requiredOption("--lock <name>", "a lock's friendly name; once for each", collect)
  .option("--poll-control", "locks that sleep, for which zigbee2mqtt keeps what it cannot deliver")
  .option("--memory <file>", "where the locks' memories are kept from one run to the next, codes and all")
  .option("--record", "tell of each code that is stored or cleared, and of writes to a slot that nobody has looked at")
  .option("--delay <least-most>", "how long a lock takes to answer, in ms, such as 5-50", (text) => text.split("-"))
  .option("--lose <share>", "of all answers, this share is lost, such as 0.1")
  .option("--late <share>", "of all writes, this share reaches the lock seconds after it was given up")
  .option("--seed <number>", "of these misfortunes: the same ones for the same seed");

await simulate(flags.parse(program.parse().opts()));

/** Runs until standard input ends, or the process is told to end. */
async function simulate(given: z.infer<typeof flags>): Promise<void> {
  const { broker, baseTopic, lock: names, pollControl, delay, lose, late, seed } = given;
  const memory = given.memory === undefined ? undefined : new MemoryFile(given.memory);
  const locks = names.map((name, index) => ({
    name,
    // No two locks have the same, also where several simulators run; and each has the same tomorrow.
    ieee: `0x00158d00${createHash("sha256").update(`${baseTopic}/${name}`).digest("hex").slice(0, 8)}`,
    pollControl,
    remembered: memory?.get(name),
    misfortunes: { seed: seed + index, usual: faultsOf({ delay, lose, late }) },
  }));
  const persona = new Zigbee2mqttPersona({
    url: broker,
    baseTopic,
    locks,
    onlookers: {
      see: (sight) => given.record && say(sight),
      remember: (name, what) => memory?.set(name, what),
    },
  });
  await persona.start();
  say({ happened: "started", broker, base_topic: baseTopic, locks: locks.map(({ name, ieee }) => ({ name, ieee })) });

  const lines = createInterface({ input: process.stdin });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => lines.close());
  for await (const line of lines) await perform(persona, line);
  await persona.stop();
  say({ happened: "stopped" });
}

async function perform(persona: Zigbee2mqttPersona, line: string): Promise<void> {
  if (line.trim() === "") return;
  try {
    const { lock, ...rest } = request.parse(JSON.parse(line));
    const act = doorAct.parse(rest);
    const told = await persona.act(lock, act);
    say({ happened: "done", lock, act: act.act, told, slots: [...persona.codes(lock).keys()] });
  } catch (error) {
    say({ happened: "error", error: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error) });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
