#!/usr/bin/env node
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { z } from "zod";
import { MemoryFile } from "./memory-file.ts";
import { SimulatedSerialPort } from "./serial-port.ts";
import { ZwavePersona } from "./zwave.ts";
import { perform, zwaveAct } from "./zwave-act.ts";
import type { ZwaveModel } from "./zwave-models.ts";

const share = z.coerce.number().min(0).max(1).default(0);
const flags = z.object({
  serial: z.string().optional(),
  listen: z.coerce.number().int().min(0).max(65_535).optional(),
  memory: z.string().optional(),
  record: z.boolean().default(false),
  seed: z.coerce.number().int().default(1),
  locks: z.array(z.coerce.number().int()).optional(),
  delay: z.tuple([z.coerce.number().min(0), z.coerce.number().min(0)]).default([0, 0]),
  lose: share,
  late: share,
});
const request = z.object({ id: z.union([z.string(), z.number()]).optional() });
const atLock = request.extend({ lock: z.string() }).loose();
const atPort = request.extend({ act: z.enum(["plug", "unplug"]) }).strict();

const models = new Map<number, ZwaveModel>([
  [2, "user-code-1"],
  [3, "user-code-2"],
  [4, "user-credential"],
  [5, "timed-1"],
  [6, "timed-2"],
]);

const say = (happening: object): void => void process.stdout.write(`${JSON.stringify(happening)}\n`);

const program = new Command("simulate-zwave")
  .description(
    `A Z-Wave controller with five locks that are not there, for trying latchd, at a serial device or a TCP port:
  2  an old lock: User Code version 1, says stars for codes
  3  User Code version 2
  4  User Credential: users with a PIN or a card
  5  as 2, with times of the week by Schedule Entry Lock version 1, and a clock that knows no date
  6  as 3, with times of the week and dates by Schedule Entry Lock version 3

Reads what is to happen from standard input, one JSON object a line, and prints what happened; "id" comes back:
  {"lock":"3","act":"type","digits":"4711"}             someone types a PIN
  {"lock":"3","act":"program","slot":5,"digits":"4711"} the owner writes at the keypad; without digits: deletes
  {"lock":"3","act":"notify","event":6,"user":5}        an event of the type "Access Control"
  {"lock":"3","act":"fault","fault":"deaf"}             or masks_codes, says_yes_stores_nothing, refuses; or, with
                                                        options, slow, loses_replies, executes_late,
                                                        tells_nothing; of the bolt alone, with "to":["bolt"], also
                                                        says_no_and_stores
  {"lock":"3","act":"mend","fault":"deaf"}
  {"lock":"3","act":"mode","mode":"dead"}               ok, reject, lie, mask, dead, ackonly, storenoreply, stray
                                                        or wipe; with "at":"write", when the next code comes
  {"lock":"6","act":"opens","digits":"4711","at":0}     whether it would open, at so many ms since 1970; without
                                                        "at": now
  {"lock":"3","act":"turn","to":"locked"}               someone turns its knob; or unlocked
  {"lock":"3","act":"travel","ms":3000}                 how long its bolt takes from now on
  {"lock":"6","act":"clock","stubborn":true}            its clock cannot be set any more
  {"lock":"6","act":"ask_time"}                         it asks for the time
  {"lock":"3","act":"battery","level":40}
  {"lock":"3","act":"look"}                             what it holds
  {"lock":"3","act":"forget"}                           it is as it was when it was new
  {"act":"unplug"} {"act":"plug"}                       the serial device`,
  )
  .option("--locks <ids>", "only these of them, such as 3,6", (text) => text.split(","))
  .option("--serial <path>", "a serial device to be made there; needs socat")
  .option("--listen <port>", "a TCP port on 127.0.0.1, as serial bridges have one; 0: any")
  .option("--memory <file>", "where the locks' memories are kept from one run to the next, codes and all")
  .option(
    "--record",
    "tell of what is asked of the locks, of each code that is stored or cleared, and of blind rewrites",
  )
  .option("--delay <least-most>", "how long a lock takes to answer, in ms, such as 5-50", (text) => text.split("-"))
  .option("--lose <share>", "of all answers about codes, this share is lost, such as 0.1")
  .option("--late <share>", "of all writes, this share is answered by nothing, and carried out seconds later")
  .option("--seed <number>", "of these misfortunes: the same ones for the same seed");

await simulate(flags.parse(program.parse().opts()));

/** Runs until standard input ends, or the process is told to end. */
async function simulate(given: z.infer<typeof flags>): Promise<void> {
  const { serial, listen, memory, record, seed, locks, ...odds } = given;
  // A host that is there and does not acknowledge is an error to zwave-js's mock, in no one's hands.
  process.on("unhandledRejection", (reason) => say({ happened: "complaint", about: messageOf(reason) }));
  const persona = new ZwavePersona({
    locks: new Map([...models].filter(([id]) => locks?.includes(id) ?? true)),
    odds,
    seed,
    memory: memory === undefined ? undefined : new MemoryFile(memory),
    asked: (id, asked, slot, becomes) =>
      record && say({ happened: "asked", at: Date.now(), lock: String(id), asked, slot, becomes }),
    see: (sight) => record && say(sight),
  });
  const port = serial === undefined ? undefined : new SimulatedSerialPort(serial, (host) => void persona.talk(host));
  await port?.plugIn();
  const server = listen === undefined ? undefined : createServer((host) => void persona.talk(host));
  if (server) await new Promise<void>((resolve) => void server.listen(listen, "127.0.0.1", resolve));
  say({
    happened: "started",
    serial: serial ?? null,
    address: server?.address() ?? null,
    locks: [...persona.locks.keys()],
  });

  const lines = createInterface({ input: process.stdin });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => lines.close());
  for await (const line of lines) await heard(line, persona, port);
  await port?.pullOut();
  say({ happened: "stopped" });
  process.exit();
}

async function heard(line: string, persona: ZwavePersona, port: SimulatedSerialPort | undefined): Promise<void> {
  let id: string | number | undefined;
  try {
    const given: unknown = JSON.parse(line);
    ({ id } = request.parse(given));
    const { data: plug } = atPort.safeParse(given);
    if (plug) {
      await (plug.act === "plug" ? port?.plugIn() : port?.pullOut());
      return say({ happened: "done", id, act: plug.act });
    }
    const { lock: name, id: _, ...rest } = atLock.parse(given);
    const lock = persona.locks.get(name);
    if (!lock) throw new Error(`no lock ${name}`);
    const act = zwaveAct.parse(rest);
    say({ happened: "done", id, lock: name, act: act.act, ...(await perform(lock, act)) });
  } catch (error) {
    say({ happened: "error", id, error: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
