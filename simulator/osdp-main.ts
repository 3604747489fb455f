#!/usr/bin/env node
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { OsdpPersona } from "./osdp.ts";
import { openControl } from "./osdp-control.ts";
import { fulfil } from "./osdp-requests.ts";
import { SimulatedSerialPort } from "./serial-port.ts";

const flags = z.object({
  serial: z.string().optional(),
  listen: z.coerce.number().int().min(0).max(65_535).optional(),
  control: z.string().optional(),
  reader: z.map(z.number(), z.instanceof(Uint8Array).optional()),
  baud: z.coerce.number().int().min(1_200).max(230_400).default(9_600),
  lumps: z.coerce.number().min(0).max(1_000).default(0),
  echo: z.boolean().default(false),
  seed: z.coerce.number().int().default(1),
});
const say = (happening: object): void => void process.stdout.write(`${JSON.stringify(happening)}\n`);

const collect = (text: string, before: ReadonlyMap<number, Uint8Array | undefined> = new Map()) => {
  const [, address, key] = /^(\d{1,3})(?:=([0-9a-f]{32}))?$/i.exec(text) ?? [];
  if (address === undefined || Number(address) > 126) {
    throw new InvalidArgumentError(
      "it is an address from 0 to 126, and a key of 32 hexadecimal digits after = or none",
    );
  }
  return new Map([
    ...before,
    [Number(address), key === undefined ? undefined : Uint8Array.from(Buffer.from(key, "hex"))],
  ]);
};

const program = new Command("simulate-osdp")
  .description(
    `OSDP readers that are not there, on one line, for trying latchd, at a serial device or a TCP port.

Reads what is to happen from standard input, one JSON object a line, and prints what happened; "id" comes back:
  {"reader":"1","act":"card","bits":"26:bd88eb80"}      someone shows a card; "format":0 if nothing is said of it
  {"reader":"1","act":"type","digits":"4711#"}          someone presses keys, also * and #
  {"reader":"1","act":"tamper","open":true}             it is opened
  {"reader":"1","act":"input","input":0,"state":1}
  {"reader":"1","act":"supply","failed":true}           its supply is about to fail: it says so
  {"reader":"1","act":"power","on":false}               its power is gone; or back, and it has forgotten its session
  {"reader":"1","act":"install","on":true}              it takes the key that everybody knows
  {"reader":"1","act":"behave","as":{"busy":3}}         it is a reader with habits, as the field has them
  {"reader":"1","act":"look"}                           what one sees of it
  {"act":"wires","of":"1","cut":true}                   its wires, or no more
  {"act":"cut"}                                         nothing gets through on the whole line
  {"act":"weather","is":{"lost":0.1,"bits":0.0001}}     also twice, cut, torn, late, noise, late_ms; "seed"
  {"act":"calm"}                                        all gets through again
  {"act":"unplug"} {"act":"plug"}                       the serial device`,
  )
  .option("--serial <path>", "a serial device to be made there; needs socat")
  .option("--listen <port>", "a TCP port on 127.0.0.1, as serial bridges have one; 0: any")
  .option("--control <path>", "a socket that is made there, and takes the same lines as standard input")
  .requiredOption("--reader <address=key>", "a reader, and its key if it has one; once for each", collect)
  .option("--baud <rate>", "how fast bytes go over the line")
  .option("--lumps <ms>", "what comes is handed over so often, as USB adapters do")
  .option("--echo", "the adapter hears what it says itself")
  .option("--seed <number>", "of all that is left to chance, but for random numbers of the protocol");

await simulate(flags.parse(program.parse().opts()));

/** Runs until standard input ends, or the process is told to end. */
async function simulate({ serial, listen, control, reader, echo, ...given }: z.infer<typeof flags>): Promise<void> {
  const persona = new OsdpPersona({
    ...given,
    readers: reader,
    echoes: echo,
    see: (name, sight) => say({ reader: name, ...sight }),
  });
  const port = serial === undefined ? undefined : new SimulatedSerialPort(serial, (host) => persona.talk(host));
  await port?.plugIn();
  const server = listen === undefined ? undefined : createServer((host) => persona.talk(host.setNoDelay()));
  if (server) await new Promise<void>((resolve) => void server.listen(listen, "127.0.0.1", resolve));
  const hear = (line: string): Promise<object> => fulfil(line, persona, port);
  const door = control === undefined ? undefined : await openControl(control, hear);
  say({
    happened: "started",
    serial: serial ?? null,
    address: server?.address() ?? null,
    readers: [...persona.readers.keys()],
  });

  const lines = createInterface({ input: process.stdin });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => lines.close());
  for await (const line of lines) say(await hear(line));
  await door?.[Symbol.asyncDispose]();
  persona.stop();
  server?.close();
  await port?.pullOut();
  say({ happened: "stopped" });
  process.exit();
}
