import type { Instant } from "../agent/domain/instant.ts";
import { Secret } from "../agent/domain/secret.ts";
import type { Command, LedOrder, OutputOrder, SoundOrder } from "../drivers/osdp/commands.ts";
import { nak } from "../drivers/osdp/nak.ts";
import type { Capability, Reply } from "../drivers/osdp/replies.ts";
import type { Behaviour } from "./osdp-behaviour.ts";
import type { OsdpDevice, Report } from "./osdp-device.ts";

/** What a command meets at a reader. */
export interface Asked {
  readonly device: OsdpDevice;
  readonly behaviour: Behaviour;
  readonly now: Instant;
}

export const ack: Reply = { reply: "ACK" };
export const refusal = (error: number): Reply => ({ reply: "NAK", error, details: new Uint8Array() });

/** ABORT, KEEPACTIVE: nothing that a reader without smart cards has to do. */
const idle: ReadonlySet<number> = new Set([0xa2, 0xa7]);

type Question = Extract<Command, { readonly command: keyof typeof states }>;
const states = { LSTAT: "local", ISTAT: "inputs", OSTAT: "outputs", RSTAT: "readers" } as const;
const isQuestion = (command: Command): command is Question => Object.hasOwn(states, command.command);

/** A command that is about neither the keys nor the address of a reader. */
type Plain = Exclude<Command, { readonly command: "KEYSET" | "COMSET" }>;

/** Does what a command asks of a device, and says what the reader answers. */
export function answerTo(command: Plain, asked: Asked): Reply {
  const { device } = asked;
  if (isQuestion(command)) return told(device, { report: states[command.command] });
  switch (command.command) {
    case "POLL":
      return told(device, device.take());
    case "ID":
      return { reply: "PDID", ...device.hardware.identity };
    case "CAP":
      return { reply: "PDCAP", capabilities: capabilities(asked) };
    case "OUT":
      return switchOutputs(command.outputs, asked);
    case "LED":
      return light(command.leds, asked);
    case "BUZ":
      return sound(command.sounds, asked);
    case "TEXT":
      return write(command, asked);
    case "ACURXSIZE":
      return ack;
    case "other":
      return idle.has(command.code) ? ack : refusal(nak.unknownCommand);
    // Without their security blocks they are no steps of a handshake.
    case "CHLNG":
    case "SCRYPT":
      return refusal(nak.securityConditions);
  }
}

function capabilities({ device: { hardware }, behaviour }: Asked): readonly Capability[] {
  const all: readonly (readonly [ability: number, level: number, number: number])[] = [
    [1, 1, hardware.inputs],
    [2, 4, hardware.outputs],
    [3, 1, 0],
    [4, 4, hardware.lights],
    [5, 2, 1],
    ...(hardware.hasText ? [[6, 1, 1] as const] : []),
    [8, behaviour.checksum_only ? 0 : 1, 0],
    [9, 1, Number(hardware.knowsPublicKey)],
    // Its buffer: 256 bytes.
    [10, 0, 1],
    [16, 2, 0],
  ];
  return all.map(([ability, level, number]) => ({ function: ability, level, number }));
}

function told(device: OsdpDevice, report: Report | undefined): Reply {
  switch (report?.report) {
    case undefined:
      return ack;
    case "card":
      return { reply: "RAW", reader: 0, format: report.format, card: new Secret(report.bits) };
    case "keys":
      return {
        reply: "KEYPAD",
        reader: 0,
        keys: new Secret(report.keys.replaceAll("*", "\x7f").replaceAll("#", "\r")),
      };
    case "local":
      device.told("local");
      return { reply: "LSTATR", tamper: device.isTampered, power: device.hasPowerFailed };
    case "inputs":
      device.told("inputs");
      return { reply: "ISTATR", inputs: device.inputs };
    case "outputs":
      device.told("outputs");
      return { reply: "OSTATR", outputs: device.outputs.on.map(Number) };
    case "readers":
      device.told("readers");
      return { reply: "RSTATR", readers: [0] };
  }
}

function switchOutputs(orders: readonly OutputOrder[], { device, behaviour, now }: Asked): Reply {
  const { outputs } = device;
  if (!orders.every((order) => outputs.admits(order))) return refusal(nak.record);
  for (const order of orders) outputs.set(order, now);
  return behaviour.tells_outputs ? told(device, { report: "outputs" }) : ack;
}

/** A light is never both on and off for no time. */
const lasts = (part: { readonly on: number; readonly off: number }): boolean => part.on + part.off > 0;

function light(orders: readonly LedOrder[], { device: { face }, now }: Asked): Reply {
  const isFit = orders.every(
    ({ led, temporary, lasting }) =>
      led < face.lights && (temporary.code !== 2 || lasts(temporary)) && (lasting.code !== 1 || lasts(lasting)),
  );
  if (!isFit) return refusal(nak.record);
  for (const { led, temporary, lasting } of orders) {
    if (temporary.code === 1) face.endLight(led);
    if (temporary.code === 2) face.lightFor(led, temporary, temporary.timer, now);
    if (lasting.code === 1) face.light(led, lasting, now);
  }
  return ack;
}

function sound(orders: readonly SoundOrder[], { device, now }: Asked): Reply {
  for (const { tone, ...beeps } of orders) device.face.sound(tone === 2 ? beeps : undefined, now);
  return ack;
}

function write({ kind, seconds, text }: Extract<Command, { command: "TEXT" }>, { device, now }: Asked): Reply {
  if (!device.hardware.hasText) return refusal(nak.unknownCommand);
  if (kind >= 3) device.face.writeFor(text, seconds, now);
  else device.face.write(text);
  return ack;
}
