#!/usr/bin/env node
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { Zigbee2mqttPersona } from "./zigbee2mqtt.ts";
import { doorAct } from "./zigbee2mqtt-device.ts";

const flags = z.object({
  broker: z.string(),
  baseTopic: z.string(),
  lock: z.array(z.string()).min(1),
  pollControl: z.boolean().default(false),
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
  {"lock":"front_door","act":"mode","mode":"dead"}          ok, reject, lie, mask, dead or storenoreply
  {"lock":"front_door","act":"operate","source":2,"code":13,"user":65535}
  {"lock":"front_door","act":"program","source":0,"code":3,"user":8}
  {"lock":"front_door","act":"bolt","state":1}              0 stuck, 1 locked, 2 unlocked
  {"lock":"front_door","act":"battery","halves":170}        in half percents`,
  )
  .requiredOption("--broker <url>", "the broker, such as mqtt://127.0.0.1:1883")
  .option("--base-topic <topic>", "where zigbee2mqtt speaks", "zigbee2mqtt")
  .requiredOption("--lock <name>", "a lock's friendly name; once for each", collect)
  .option("--poll-control", "locks that sleep, for which zigbee2mqtt keeps what it cannot deliver");

await simulate(flags.parse(program.parse().opts()));

/** Runs until standard input ends, or the process is told to end. */
async function simulate({ broker, baseTopic, lock: names, pollControl }: z.infer<typeof flags>): Promise<void> {
  const locks = names.map((name, index) => ({
    name,
    ieee: `0x00158d00${(index + 1).toString(16).padStart(8, "0")}`,
    pollControl,
  }));
  const persona = new Zigbee2mqttPersona({ url: broker, baseTopic, locks });
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
