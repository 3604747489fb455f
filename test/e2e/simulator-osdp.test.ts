import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { SerialPort } from "serialport";
import { describe, expect, test } from "vitest";
import { type Command, encodeCommand } from "../../drivers/osdp/commands.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import { encodeFrame, mark } from "../../drivers/osdp/frame.ts";
import { decodeReply, type Reply } from "../../drivers/osdp/replies.ts";
import { OsdpFarEnd } from "../support/osdp-far-end.ts";
import { socatSkipReason } from "../support/zwave-far-end.ts";
import { until } from "./mqtt-support.ts";

/** Who asks readers in clear over a wire, and counts. */
class Host implements Disposable {
  readonly #wire: Duplex;
  readonly #deframer = new Deframer();
  readonly #heard: Reply[] = [];
  readonly #sequences = new Map<number, number>();

  constructor(wire: Duplex) {
    this.#wire = wire;
    wire.on("data", (bytes: Uint8Array) => {
      for (const { frame } of this.#deframer.push(bytes)) {
        const reply = frame.isReply ? decodeReply(frame.code, frame.data) : undefined;
        if (reply) this.#heard.push(reply);
      }
    });
  }

  get heard(): number {
    return this.#heard.length;
  }

  say(address: number, command: Command, sequence = this.#sequences.get(address) ?? 0): void {
    this.#sequences.set(address, (sequence % 3) + 1);
    const frame = encodeFrame({ address, isReply: false, sequence, check: "crc", ...encodeCommand(command) });
    this.#wire.write(Uint8Array.of(mark, ...frame));
  }

  async ask(address: number, command: Command, sequence = this.#sequences.get(address) ?? 0): Promise<Reply> {
    const before = this.#heard.length;
    let said = Number.NEGATIVE_INFINITY;
    await until(`the reader answers ${command.command}`, () => {
      const isAnswered = this.#heard.length > before;
      // What has fallen into something else on the line is said again, as it was.
      if (!isAnswered && performance.now() - said > 1_000) {
        this.say(address, command, sequence);
        said = performance.now();
      }
      return isAnswered;
    });
    return this.#heard.at(-1)!;
  }

  [Symbol.dispose](): void {
    this.#wire.destroy();
  }
}

const poll: Command = { command: "POLL" };
const identity: Command = { command: "ID", kind: 0 };

/** What a person and a panel do with a reader, over whatever wire. */
async function visit(far: OsdpFarEnd, host: Host): Promise<void> {
  expect(await host.ask(1, identity)).toMatchObject({ reply: "PDID", serial: 1_001 });
  expect(await host.ask(2, identity)).toMatchObject({ reply: "PDID", serial: 1_002 });
  expect(await host.ask(1, poll)).toEqual({ reply: "ACK" });
  await far.act("1", { act: "card", bits: "26:bd88eb80" });
  await far.act("1", { act: "type", digits: "7#" });
  const [card, key, enter] = [await host.ask(1, poll), await host.ask(1, poll), await host.ask(1, poll)];
  expect(card.reply === "RAW" && card.card.reveal()).toBe("26:bd88eb80");
  expect(key.reply === "KEYPAD" && key.keys.reveal()).toBe("7");
  expect(enter.reply === "KEYPAD" && enter.keys.reveal()).toBe("\r");
  await far.act("1", { act: "tamper", open: true });
  expect(await host.ask(1, poll)).toEqual({ reply: "LSTATR", tamper: true, power: false });
  await far.act("1", { act: "tamper", open: false });
  expect(await host.ask(1, poll)).toEqual({ reply: "LSTATR", tamper: false, power: false });
  await far.act("2", { act: "behave", as: { busy: 1 } });
  expect(await host.ask(2, poll)).toEqual({ reply: "BUSY" });

  const before = far.switched.length;
  await host.ask(1, { command: "OUT", outputs: [{ output: 0, code: 5, timer: 3 }] });
  await until("its strike is released again", () => far.switched.length === before + 2);
  const [on, off] = far.switched.slice(before);
  expect([on?.reader, on?.on, off?.on]).toEqual(["1", true, false]);
  expect(off!.at - on!.at).toBeCloseTo(300, 3);
}

test("simulate-osdp answers at a TCP port, as a serial bridge does, and again after a host has gone", async () => {
  await using far = await new OsdpFarEnd(["--reader", "1", "--reader", "2", "--baud", "115200"]).start();
  for (let time = 0; time < 2; time += 1) {
    using host = new Host(connect(Number(new URL(far.url).port), "127.0.0.1"));
    await visit(far, host);
  }
  await expect(far.act("3", { act: "look" })).rejects.toThrow("no reader 3");
  await expect(far.act("1", { act: "behave", as: { bussy: 1 } })).rejects.toThrow("bussy");
  expect(await far.act("1", { act: "look" })).toMatchObject({ address: 1, secure: false, outputs: [false] });
  expect(far.lines.join()).not.toContain("bd88eb80");
});

describe.skipIf(socatSkipReason())("over a serial device", () => {
  test("simulate-osdp answers at it, is pulled out and plugged in, and its line is cut and mended", async () => {
    await using far = await new OsdpFarEnd(["--reader", "1", "--reader", "2", "--lumps", "16"]).start();
    const open = (): Host => new Host(new SerialPort({ path: far.device, baudRate: 9_600, lock: false }));
    {
      using host = open();
      await visit(far, host);
    }
    await far.line({ act: "unplug" });
    expect(existsSync(far.device)).toBe(false);
    await far.line({ act: "plug" });
    using host = open();
    expect(await host.ask(1, identity)).toMatchObject({ reply: "PDID" });
    await far.line({ act: "wires", of: "2", cut: true });
    host.say(2, identity);
    const before = host.heard;
    // It comes after what the other one would have said.
    expect(await host.ask(1, poll)).toMatchObject({ reply: "ACK" });
    expect(host.heard).toBe(before + 1);
    await far.line({ act: "wires", of: "2", cut: false });
    expect(await host.ask(2, identity, 0)).toMatchObject({ reply: "PDID", serial: 1_002 });
    await far.line({ act: "cut" });
    host.say(1, identity);
    await far.act("1", { act: "look" });
    await far.line({ act: "calm" });
    expect(await host.ask(1, identity, 0)).toMatchObject({ reply: "PDID", serial: 1_001 });
  });
});
