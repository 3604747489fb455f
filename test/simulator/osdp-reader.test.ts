import { expect, test } from "vitest";
import { instant, later } from "../../agent/domain/instant.ts";
import type { Command } from "../../drivers/osdp/commands.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import { encodeFrame, mark } from "../../drivers/osdp/frame.ts";
import { Key } from "../../drivers/osdp/key.ts";
import type { Reply } from "../../drivers/osdp/replies.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { usualHardware } from "../../simulator/osdp-device.ts";
import { OsdpKeyring } from "../../simulator/osdp-keyring.ts";
import { OsdpReader } from "../../simulator/osdp-reader.ts";
import { fromHex, scenarioOf, toHex } from "../drivers/osdp/trace.ts";
import { OsdpAsker } from "../support/osdp-asker.ts";

const poll: Command = { command: "POLL" };
const id: Command = { command: "ID", kind: 0 };
const pulse: Command = { command: "OUT", outputs: [{ output: 0, code: 5, timer: 30 }] };
const card = { report: "card", format: 1, bits: "26:bd88eb80" } as const;

const words = (reply: Reply | undefined): string => {
  if (reply?.reply === "NAK") return `NAK ${reply.error}`;
  if (reply?.reply === "RAW") return `RAW ${reply.card.reveal()}`;
  return reply?.reply === "KEYPAD" ? `KEYPAD ${JSON.stringify(reply.keys.reveal())}` : (reply?.reply ?? "nothing");
};
const said = (asker: OsdpAsker, ...asked: Parameters<OsdpAsker["ask"]>): string => words(asker.ask(...asked)?.reply);

test("OsdpReader: answers its address and that of everyone, with the check and the number that it was asked with", () => {
  const asker = new OsdpAsker();
  expect(asker.ask(id)?.frame).toMatchObject({ address: 1, isReply: true, sequence: 0, check: "crc" });
  expect(asker.ask(poll, { check: "checksum" })?.frame).toMatchObject({ sequence: 1, check: "checksum" });
  expect(asker.ask(poll, { address: 0x7f })?.frame).toMatchObject({ address: 0x7f, isReply: true, sequence: 2 });
  expect(asker.ask(poll, { address: 2 })).toBeUndefined();
  // A reply of somebody else is none of its business.
  const reply = asker.ask(id, { sequence: 0 })!.said.bytes;
  expect(asker.send(reply)).toBeUndefined();
});

test("OsdpReader: says again what it said to a command that is repeated, and does nothing twice", () => {
  const asker = new OsdpAsker();
  asker.ask(id);
  asker.reader.present(card, asker.now);
  const first = asker.ask(poll);
  expect(words(first?.reply)).toBe("RAW 26:bd88eb80");
  for (let time = 0; time < 3; time += 1)
    expect(asker.ask(poll, { sequence: 1 })?.said.bytes).toEqual(first?.said.bytes);
  expect(said(asker, poll)).toBe("ACK");
  asker.ask(pulse);
  asker.now = later(asker.now, 2_000);
  expect(said(asker, pulse, { sequence: 3 })).toBe("ACK");
  asker.reader.tick(later(asker.now, 2_000));
  const [on, off] = asker.sights.flatMap((sight) => (sight.happened === "switched" ? [sight] : []));
  expect(off!.at - on!.at).toBe(3_000);
});

test("OsdpReader: other words under the same number, and a number out of turn, make it ask for a start", () => {
  for (const sequence of [1, 3]) {
    const asker = new OsdpAsker();
    asker.ask(id);
    asker.ask(poll);
    const lost = asker.ask(pulse, { sequence });
    expect([words(lost?.reply), lost?.frame.sequence]).toEqual(["NAK 4", 0]);
    expect(said(asker, poll, { sequence: 2 })).toBe("NAK 4");
    expect(said(asker, poll, { sequence: 0 })).toBe("ACK");
  }
  const careless = new OsdpAsker({ repeats_by_code: true });
  careless.ask(id);
  careless.ask(pulse);
  const other = careless.ask({ command: "OUT", outputs: [{ output: 0, code: 1, timer: 0 }] }, { sequence: 1 });
  expect(words(other?.reply)).toBe("ACK");
  expect(careless.reader.device.outputs.on).toEqual([true]);
});

test("OsdpReader: one that is busy says so under the number 0, does nothing, and then does it", () => {
  const asker = new OsdpAsker({ busy: 2 });
  for (let time = 0; time < 2; time += 1) {
    const busy = asker.ask(pulse, { sequence: 0 });
    expect([words(busy?.reply), busy?.frame.sequence]).toEqual(["BUSY", 0]);
  }
  expect(asker.sights).toEqual([]);
  expect(said(asker, pulse, { sequence: 0 })).toBe("ACK");
  expect(asker.sights).toMatchObject([{ happened: "switched", on: true }]);
});

test("OsdpReader: one that knows sums only does not hear a CRC, and says that it knows none", () => {
  const asker = new OsdpAsker({ checksum_only: true });
  expect(asker.ask(id)).toBeUndefined();
  expect(asker.ask(id, { sequence: 0, check: "checksum" })?.frame.check).toBe("checksum");
  const { reply } = asker.ask({ command: "CAP", kind: 0 }, { check: "checksum" })!;
  expect(reply).toMatchObject({ reply: "PDCAP" });
  expect(reply?.reply === "PDCAP" && reply.capabilities.find((one) => one.function === 8)?.level).toBe(0);
  expect(new OsdpAsker({ always_crc: true }).ask(id, { check: "checksum" })?.frame.check).toBe("crc");
});

test("OsdpReader: sends as many marks, and thinks as long, as it is told", () => {
  for (const marks of [0, 1, 5]) {
    const { said: heard } = new OsdpAsker({ marks, reply_ms: [100, 400] }).ask(id)!;
    expect([...heard.bytes].findIndex((byte) => byte !== mark)).toBe(marks);
    expect(heard.after).toBe(250);
  }
});

test("OsdpReader: refuses what it is told to, and what it does not know, and goes on", () => {
  const asker = new OsdpAsker({ refuses: { [0x68]: 9 } });
  asker.ask(id);
  expect(said(asker, pulse)).toBe("NAK 9");
  expect(said(asker, { command: "other", code: 0x73, data: new Uint8Array() })).toBe("NAK 3");
  const text = { command: "TEXT", reader: 0, kind: 1, seconds: 0, row: 1, column: 1, text: "hello" } as const;
  expect(said(asker, text)).toBe("NAK 3");
  expect(said(asker, { command: "other", code: 0x68, data: new Uint8Array(3) })).toBe("NAK 9");
  expect(said(asker, { command: "other", code: 0x69, data: new Uint8Array(3) })).toBe("NAK 2");
  expect(said(asker, { command: "OUT", outputs: [] })).toBe("NAK 9");
  expect(said(asker, { command: "KEYSET", keyType: 1, key: new Key(new Uint8Array(16)) })).toBe("NAK 6");
  expect(said(asker, poll)).toBe("ACK");

  const display = new OsdpAsker({}, { hardware: { hasText: true } });
  display.ask(id);
  expect(said(display, text)).toBe("ACK");
  expect(said(display, { ...text, kind: 3, seconds: 2, text: "wait" })).toBe("ACK");
  expect(display.reader.device.face.text(display.now)).toBe("wait");
  expect(display.reader.device.face.text(later(display.now, 2_000))).toBe("hello");
});

test("OsdpReader: one whose power fails after some commands has forgotten where it was, and is dark", () => {
  const asker = new OsdpAsker({ resets_after: 3 });
  asker.ask(id);
  asker.ask({ command: "OUT", outputs: [{ output: 0, code: 2, timer: 0 }] });
  asker.ask(poll);
  expect(asker.reader.device.outputs.on).toEqual([true]);
  const lost = asker.ask(poll);
  expect([words(lost?.reply), lost?.frame.sequence]).toEqual(["NAK 4", 0]);
  expect(asker.reader.device.outputs.on).toEqual([false]);
  expect(asker.sights.at(-1)?.happened).toBe("restarted");
  expect(said(asker, id, { sequence: 0 })).toBe("PDID");
});

test("OsdpReader: one without power hears nothing", () => {
  const asker = new OsdpAsker();
  asker.ask(id);
  asker.reader.power(false, asker.now);
  expect(asker.ask(id, { sequence: 0 })).toBeUndefined();
  expect(asker.reader.present(card, asker.now)).toBe(false);
  asker.reader.power(true, asker.now);
  expect(said(asker, id, { sequence: 0 })).toBe("PDID");
});

test("OsdpReader: one that asks for a start over and over gives up after as many times", () => {
  const asker = new OsdpAsker({ sequence_zero: 2 });
  for (let time = 0; time < 2; time += 1) {
    expect(said(asker, id, { sequence: 0 })).toBe("PDID");
    expect(asker.ask(poll)?.frame.sequence).toBe(0);
  }
  expect(said(asker, id, { sequence: 0 })).toBe("PDID");
  expect(asker.ask(poll)?.frame.sequence).toBe(1);
});

test("OsdpReader: one that wants to be polled first says nothing to ID before", () => {
  const asker = new OsdpAsker({ poll_first: true });
  expect(asker.ask(id)).toBeUndefined();
  expect(said(asker, poll, { sequence: 0 })).toBe("ACK");
  expect(said(asker, id)).toBe("PDID");
});

test("OsdpReader: forgets what was read when its link is lost, or keeps it, as it is told", () => {
  for (const [reads, expected] of [
    ["forgotten", "ACK"],
    ["kept", "RAW 26:bd88eb80"],
  ] as const) {
    const asker = new OsdpAsker({ reads });
    asker.ask(id);
    expect(asker.reader.present(card, asker.now)).toBe(true);
    asker.now = later(asker.now, 8_000);
    // Shown while nobody asks: it is as forgotten.
    expect(asker.reader.present({ ...card, bits: "26:00000080" }, asker.now)).toBe(reads === "kept");
    expect(said(asker, poll, { sequence: 0 })).toBe(expected);
    expect(said(asker, poll)).toBe(reads === "kept" ? "RAW 26:00000080" : "ACK");
    expect(said(asker, poll)).toBe("ACK");
  }
});

test("OsdpReader: tells keys one by one, or together, with the standard's characters for * and #", () => {
  const each = new OsdpAsker();
  each.ask(id);
  each.reader.type("4*#", each.now);
  expect([1, 2, 3, 4].map(() => said(each, poll))).toEqual(['KEYPAD "4"', 'KEYPAD "\x7f"', 'KEYPAD "\\r"', "ACK"]);
  const together = new OsdpAsker({ gathers_keys: true });
  together.ask(id);
  together.reader.type("4711#", together.now);
  expect([1, 2].map(() => said(together, poll))).toEqual(['KEYPAD "4711\\r"', "ACK"]);
});

test("OsdpReader: has room for so many reads, and for a state once", () => {
  const asker = new OsdpAsker();
  asker.ask(id);
  const kept = Array.from({ length: 100 }, () => asker.reader.present(card, asker.now)).filter(Boolean).length;
  expect(kept).toBe(64);
  for (let time = 0; time < kept; time += 1) expect(said(asker, poll)).toBe("RAW 26:bd88eb80");
  asker.reader.device.tamper(true);
  asker.reader.device.failPower(true);
  asker.reader.device.setInput(1, 1);
  expect([asker.ask(poll)?.reply, asker.ask(poll)?.reply, asker.ask(poll)?.reply]).toEqual([
    { reply: "LSTATR", tamper: true, power: true },
    { reply: "ISTATR", inputs: [0, 1] },
    { reply: "ACK" },
  ]);
  expect(asker.ask({ command: "RSTAT" })?.reply).toEqual({ reply: "RSTATR", readers: [0] });
});

test("OsdpReader: answers OUT by its outputs where it is such a one", () => {
  const asker = new OsdpAsker({ tells_outputs: true });
  asker.ask(id);
  expect(asker.ask(pulse)?.reply).toEqual({ reply: "OSTATR", outputs: [1] });
});

test("OsdpReader: one with a key takes in clear only what gives nothing away, unless it allows more", () => {
  const own = Uint8Array.from({ length: 16 }, (_, index) => index * 7 + 1);
  const strict = new OsdpAsker({}, { own });
  expect([said(strict, id), said(strict, poll), said(strict, pulse)]).toEqual(["PDID", "NAK 6", "NAK 6"]);
  const lax = new OsdpAsker({ allows_clear: true }, { own });
  expect([said(lax, id), said(lax, poll), said(lax, pulse)]).toEqual(["PDID", "ACK", "ACK"]);
});

test("OsdpReader: moves to another address and rate, which it tells from where it still is", () => {
  const asker = new OsdpAsker();
  asker.ask(id);
  const moved = asker.ask({ command: "COMSET", address: 5, baud: 38_400 });
  expect(moved?.frame.address).toBe(1);
  expect(moved?.reply).toEqual({ reply: "COM", address: 5, baud: 38_400 });
  expect(asker.ask(poll)).toBeUndefined();
  expect([asker.reader.address, asker.reader.baud]).toEqual([5, 38_400]);
  // A rate that it does not know it does not take.
  expect(asker.ask({ command: "COMSET", address: 5, baud: 12_345 }, { address: 5, sequence: 2 })?.reply).toEqual({
    reply: "COM",
    address: 5,
    baud: 38_400,
  });
  expect(said(asker, { command: "COMSET", address: 0x7f, baud: 9_600 }, { address: 5 })).toBe("NAK 9");
});

test("OsdpReader: a pause ends a frame, and what is damaged is not answered", () => {
  const asker = new OsdpAsker();
  asker.ask(id);
  const frame = asker.frameOf(poll, { sequence: 1 });
  expect(asker.send(frame.subarray(0, 5))).toBeUndefined();
  expect(asker.send(frame.subarray(5), 19)).toBeDefined();
  expect(asker.send(asker.frameOf(poll, { sequence: 2 }).subarray(0, 5))).toBeUndefined();
  expect(asker.send(asker.frameOf(poll, { sequence: 2 }), 21)).toBeDefined();
  expect(
    asker.send(asker.frameOf(poll, { sequence: 3 }).map((byte, index) => byte ^ Number(index === 5))),
  ).toBeUndefined();
  expect(asker.send(asker.frameOf(poll, { sequence: 3 }))).toBeDefined();
});

/** The computed session up to a frame, with a reader that is otherwise. What it says to the last one. */
function golden(until: number, behaviour: Partial<Behaviour>, gap = 50): { reader: OsdpReader; last: string } {
  const { keys, frames } = scenarioOf("golden-crc");
  const start = instant(1_790_000_000_000);
  const reader = new OsdpReader(
    {
      address: 1,
      baud: 9_600,
      keyring: new OsdpKeyring(fromHex(keys["scbk"]!)),
      hardware: usualHardware,
      cuid: fromHex(keys["cUID"]!),
      random: () => fromHex(keys["rndB"]!),
      pace: () => 0,
      behaviour,
    },
    start,
  );
  let last = "";
  for (const { n, dir, hex } of frames) {
    if (n > until || dir === "<") continue;
    last = toHex(reader.onBytes(fromHex(hex), later(start, n * gap))[0]?.bytes ?? new Uint8Array());
  }
  return { reader, last };
}
const goldenSaid = (n: number): string => scenarioOf("golden-crc").frames[n - 1]?.hex ?? "";
const frameIn = (hex: string) => new Deframer().push(fromHex(hex))[0]!.frame;

test("OsdpReader: lies about its key, its cryptogram, its status or its MAC, with a check that is right", () => {
  const right = frameIn(goldenSaid(4));
  const wrongType = frameIn(golden(3, { wrong_key_type: true }).last);
  expect(wrongType).toEqual({ ...right, security: { type: 0x12, data: Uint8Array.of(0) } });
  const wrongCryptogram = frameIn(golden(3, { wrong_cryptogram: true }).last);
  expect(wrongCryptogram.data.subarray(0, 16)).toEqual(right.data.subarray(0, 16));
  expect(wrongCryptogram.data.subarray(16)).not.toEqual(right.data.subarray(16));
  expect(frameIn(golden(5, { status_zero: true }).last).security).toEqual({ type: 0x14, data: Uint8Array.of(0) });

  const wrongMac = golden(7, { wrong_mac: 1 });
  const heard = frameIn(wrongMac.last);
  expect({ ...heard, mac: undefined }).toEqual({ ...frameIn(goldenSaid(8)), mac: undefined });
  expect(heard.mac).not.toEqual(frameIn(goldenSaid(8)).mac);
  // Once: the chain itself is right.
  expect(golden(9, { wrong_mac: 1 }).last).toBe(goldenSaid(10));
});

test("OsdpReader: drops a session after as much silence as it bears, not before", () => {
  expect(golden(7, { session_limit_ms: 400 }, 100).last).toBe(goldenSaid(8));
  expect(frameIn(golden(7, { session_limit_ms: 400 }, 200).last)).toMatchObject({ code: 0x41, data: Uint8Array.of(6) });
  // After eight seconds nothing of the link is left.
  expect(frameIn(golden(7, {}, 4_000).last)).toMatchObject({ code: 0x41, data: Uint8Array.of(4), sequence: 0 });
});

test("OsdpReader: a command with a wrong MAC, or in clear, ends a session", () => {
  const next = frameIn(scenarioOf("golden-crc").frames[8]!.hex);
  const wrongMac = encodeFrame({ ...next, mac: next.mac!.with(0, next.mac![0]! ^ 0x80) });
  for (const spoiled of [wrongMac, new OsdpAsker().frameOf(poll, { sequence: 1 })]) {
    const { reader } = golden(7, {});
    expect(reader.isSecure).toBe(true);
    const [reply] = reader.onBytes(spoiled, instant(1_790_000_000_500));
    expect(frameIn(toHex(reply!.bytes))).toMatchObject({ code: 0x41, data: Uint8Array.of(6), sequence: 1 });
    expect(reader.isSecure).toBe(false);
  }
});

test("OsdpReader: says yes to a new key in clear, where it is such a one", () => {
  for (const [clear, type] of [
    [false, 0x16],
    [true, undefined],
  ] as const) {
    const { frames } = scenarioOf("install");
    const now = instant(1_790_000_000_000);
    const sights: string[] = [];
    const randoms = frames.filter(({ n }) => n === 8).map(({ plain }) => fromHex(plain!).slice(8, 16));
    const reader = new OsdpReader(
      {
        address: 1,
        baud: 9_600,
        keyring: new OsdpKeyring(undefined),
        hardware: usualHardware,
        cuid: new Uint8Array(8),
        random: () => randoms[0]!,
        pace: () => 0,
        behaviour: { clear_ack_after_keyset: clear },
        see: ({ happened }) => sights.push(happened),
      },
      now,
    );
    const replies = frames
      .filter(({ n, dir }) => dir === ">" && n <= 11)
      .flatMap(({ hex, n }) => reader.onBytes(fromHex(hex), later(now, n * 50)));
    expect(frameIn(toHex(replies.at(-1)!.bytes))).toMatchObject({ code: 0x40, sequence: 3 });
    expect(frameIn(toHex(replies.at(-1)!.bytes)).security?.type).toBe(type);
    expect(sights).toEqual(["secured", "keyed"]);
  }
});
