import { expect, test } from "vitest";
import { type Instant, instant } from "../../agent/domain/instant.ts";
import { bitsToText } from "../../drivers/osdp/bit-string.ts";
import { usualHardware } from "../../simulator/osdp-device.ts";
import { OsdpKeyring, publicKey } from "../../simulator/osdp-keyring.ts";
import { OsdpReader } from "../../simulator/osdp-reader.ts";
import { fromHex, type Scenario, scenarioOf, type TraceFrame, toHex } from "../drivers/osdp/trace.ts";

/*
 * A reader's side of recorded and computed sessions: told the same, with the same random numbers and the same things done
 * to it, ours says the same bytes.
 */

interface Exchange {
  readonly command: TraceFrame;
  /** What the reader said to it; undefined where it said nothing. */
  readonly frame: TraceFrame | undefined;
}

const start = instant(1_790_000_000_000);
/** Computed sessions have no times. */
const pace = 0.05;

const exchangesOf = ({ frames, offWire = [] }: Scenario): readonly Exchange[] => {
  const exchanges = frames.flatMap((command, index) => {
    if (command.dir === "<") return [];
    const lost = offWire.find(({ afterFrame }) => afterFrame === command.n)?.hex;
    const next = frames[index + 1];
    // What the line has lost is there once more, where it got through.
    const frame = lost === undefined ? next : frames.find(({ hex }) => hex === lost);
    return [{ command, frame: frame?.dir === "<" ? frame : undefined }];
  });
  // A recording may end before the last reply.
  return exchanges.at(-1)?.frame ? exchanges : exchanges.slice(0, -1);
};

class Bench {
  readonly reader: OsdpReader;
  readonly #replies: readonly TraceFrame[];
  #handshakes = 0;

  constructor({ keys, frames }: Scenario, address: number, own = keys["readerScbk"] ?? keys["scbk"] ?? "none") {
    this.#replies = frames.filter(
      ({ name, addr, invalid }) => name === "CCRYPT" && addr === address && invalid === undefined,
    );
    const [first] = this.#replies;
    const hasNone = own === "none" || own === toHex(publicKey);
    this.reader = new OsdpReader(
      {
        address,
        baud: 9_600,
        keyring: new OsdpKeyring(hasNone ? undefined : fromHex(own)),
        hardware: { ...usualHardware, knowsPublicKey: keys["cUID"] !== undefined },
        cuid: fromHex(first?.plain ?? "").slice(0, 8),
        // The reader's random numbers, as the trace shows them.
        random: () => fromHex(this.#replies[this.#handshakes++]?.plain ?? "").slice(8, 16),
        pace: () => 0,
      },
      start,
    );
    this.reader.behave({ gathers_keys: true, reads: "kept", drops_session_on_damage: true });
  }

  /** What has to have happened for the reader to say what it said, happens. */
  prepare({ command, frame }: Exchange, now: Instant): void {
    const { reader } = this;
    if (!frame) return;
    const plain = fromHex(frame.plain ?? "");
    this.#happen(frame, plain, now);
    if (frame.name === "NAK" && frame.seq === 0 && command.seq > 0) {
      reader.power(false, now);
      reader.power(true, now);
    } else if (frame.name === "NAK" && plain[0] === 6 && reader.isSecure) reader.behave({ session_limit_ms: 50 });
    reader.behave({ encrypts_nothing: frame.scs === 24 && plain.length === 0 });
  }

  #happen({ name }: TraceFrame, plain: Uint8Array, now: Instant): void {
    const { reader } = this;
    const [first = 0, second = 0, bits = 0] = plain;
    switch (name) {
      case "RAW":
        reader.present({ report: "card", format: second, bits: bitsToText(bits, plain.subarray(4)) }, now);
        break;
      case "KEYPAD":
        reader.type(Buffer.from(plain.subarray(2)).toString("latin1").replaceAll("\r", "#"), now);
        break;
      case "LSTATR":
        reader.device.tamper(first === 1);
        break;
      case "ISTATR":
        for (const [input, state] of plain.entries()) reader.device.setInput(input, state);
        break;
      case "BUSY":
        reader.behave({ busy: 1 });
        break;
    }
  }

  hear({ command }: Exchange, now: Instant): string | undefined {
    const said = this.reader.onBytes(fromHex(command.hex), now);
    if (said.length > 1) throw new Error("it has answered one command twice");
    return said[0] && toHex(said[0].bytes);
  }
}

/** Plays the exchanges to a reader; how many were compared. */
function play(name: string, exchanges: readonly Exchange[], bench: Bench): number {
  for (const [index, exchange] of exchanges.entries()) {
    const { command, frame } = exchange;
    const now = timeOf(exchange);
    // Nothing new has happened where a command is repeated.
    const isRepeat = exchanges[index - 1]?.command.hex === command.hex && frame?.name !== "NAK";
    if (!isRepeat) bench.prepare(exchange, now);
    expect(bench.hear(exchange, now), `${name} ${command.n} ${command.name}`).toBe(frame?.hex);
  }
  return exchanges.length;
}

const timeOf = ({ command }: Exchange): Instant => instant(start + (command.t ?? command.n * pace) * 1_000);

test.each([
  ["golden-crc", 16],
  ["golden-checksum", 16],
  ["annex-e-scbkd", 2],
  ["plain", 31],
  ["rekey", 20],
  ["lost-card-reply", 11],
  ["lost-out-ack", 12],
  ["bad-command-crc", 9],
  ["reader-restart", 16],
  ["wrong-key", 3],
  ["clear-panel-enforced-reader", 3],
  ["stale-card", 7],
])("OsdpReader: says what the reader of %s said, byte for byte", (name, exchanges) => {
  const scenario = scenarioOf(name);
  const bench = new Bench(scenario, scenario.frames[0]?.addr ?? 0);
  expect(play(name, exchangesOf(scenario), bench)).toBe(exchanges);
});

test("OsdpReader: is installed as in the trace, by whoever asks it to", () => {
  const scenario = scenarioOf("install");
  const exchanges = exchangesOf(scenario);
  const bench = new Bench(scenario, 1, "none");
  expect(play("install", exchanges.slice(0, 2), bench)).toBe(2);
  // That reader has answered with a key that nobody knows; ours says that it has none.
  expect(bench.hear(exchanges[2]!, timeOf(exchanges[2]!))).toMatch(/^ff53810900044105/);
  expect(play("install", exchanges.slice(3), bench)).toBe(9);
  expect(toHex(bench.reader.keyring.own!)).toBe(scenario.keys["scbk"]);
  expect(bench.reader.keyring.installs).toBe(false);
});

test("OsdpReader: two on a line answer for themselves only, each with its own session", () => {
  const scenario = scenarioOf("two-readers");
  const exchanges = exchangesOf(scenario);
  const benches = [1, 5].map((address) => ({
    address,
    bench: new Bench(scenario, address, scenario.keys[`scbk${address}`]),
  }));
  for (const exchange of exchanges) {
    const now = timeOf(exchange);
    for (const { address, bench } of benches) {
      if (exchange.command.addr === address) bench.prepare(exchange, now);
      const said = bench.hear(exchange, now);
      expect(said, `${exchange.command.n}`).toBe(exchange.command.addr === address ? exchange.frame?.hex : undefined);
    }
  }
});
