import { expect, test } from "vitest";
import { type Instant, instant, later } from "../../agent/domain/instant.ts";
import { Deframer } from "../../drivers/osdp/deframer.ts";
import { encodeFrame } from "../../drivers/osdp/frame.ts";
import { seeded } from "../../simulator/faults.ts";
import type { Behaviour } from "../../simulator/osdp-behaviour.ts";
import { OsdpBus } from "../../simulator/osdp-bus.ts";
import { usualHardware } from "../../simulator/osdp-device.ts";
import { HostEnd } from "../../simulator/osdp-host-end.ts";
import { OsdpKeyring } from "../../simulator/osdp-keyring.ts";
import type { Station } from "../../simulator/osdp-line.ts";
import { OsdpReader } from "../../simulator/osdp-reader.ts";
import { fromHex, scenarioOf } from "../drivers/osdp/trace.ts";

const start = instant(1_790_000_000_000);
const golden = scenarioOf("golden-crc");

const readerOf = (address: number, baud: number, behaviour: Partial<Behaviour>, own?: string): OsdpReader =>
  new OsdpReader(
    {
      address,
      baud,
      keyring: new OsdpKeyring(own === undefined ? undefined : fromHex(own)),
      hardware: usualHardware,
      cuid: fromHex(golden.keys["cUID"]!),
      random: () => fromHex(golden.keys["rndB"]!),
      pace: () => 0,
      behaviour,
    },
    start,
  );

const frameTo = (address: number, sequence: number, code: number, ...data: readonly number[]): Uint8Array =>
  encodeFrame({ address, isReply: false, sequence, check: "crc", code, data: Uint8Array.from(data) });

/** The panel's end of a bus: says frames, and measures. */
class Panel implements Station {
  readonly bus = new OsdpBus({ random: seeded(1) });
  readonly baud: number;
  now: Instant = start;
  #heard: number[] = [];
  #lastAt: Instant = start;

  constructor(baud: number, ...readers: readonly OsdpReader[]) {
    this.baud = baud;
    this.bus.line.join(this);
    for (const reader of readers) this.bus.join(reader);
  }

  readonly hear = (bytes: Uint8Array, at: Instant): void => {
    this.#heard.push(...bytes);
    this.#lastAt = at;
  };

  /** Says it and lets time run until all is quiet: what was heard, and how long it took to the last byte of it. */
  exchange(bytes: Uint8Array): { readonly heard: Uint8Array; readonly took: number } {
    this.#heard = [];
    this.bus.line.say(this, bytes, this.now);
    const began = this.now;
    this.now = later(began, 400);
    this.bus.advance(this.now);
    return { heard: Uint8Array.from(this.#heard), took: this.#lastAt - began };
  }
}

/** What the wire alone takes of the golden session at a rate, in milliseconds, the reader answering at once. */
function wireTimes(baud: number, thinks: number): Record<string, number> {
  const reader = readerOf(1, baud, { reply_ms: [thinks, thinks], gathers_keys: true }, golden.keys["scbk"]);
  const panel = new Panel(baud, reader);
  const took = new Map<number, number>();
  for (const { n, dir, hex } of golden.frames.slice(0, 16)) {
    if (dir === "<" || n === 15) continue;
    if (n === 11) reader.present({ report: "card", format: 1, bits: "26:bd88eb80" }, panel.now);
    took.set(n, panel.exchange(fromHex(hex)).took);
  }
  const of = (n: number): number => took.get(n) ?? Number.NaN;
  return { handshake: of(3) + of(5), poll: of(7), card: of(11) + of(13) };
}

// The reference's table of times on the wire (1.5).
test.each([
  [9_600, 18.8, 31.3, 96, 125],
  [19_200, 9.4, 15.6, 48, 63],
  [38_400, 4.7, 7.8, 24, 31],
  [57_600, 3.1, 5.2, 16, 21],
  [115_200, 1.6, 2.6, 8, 10],
])("OsdpBus: exchanges take as long as the wire does at %i baud", (baud, plain, secure, card, handshake) => {
  const panel = new Panel(baud, readerOf(1, baud, { reply_ms: [0, 0] }));
  const { took } = panel.exchange(Uint8Array.of(0xff, ...frameTo(1, 0, 0x60)));
  const times = wireTimes(baud, 0);
  // The table is rounded, to tenths and to whole milliseconds.
  for (const [measured = 0, table, unit] of [
    [took, plain, 0.1],
    [times["poll"], secure, 0.1],
    [times["card"], card, 1],
    [times["handshake"], handshake, 1],
  ] as const) {
    expect(Math.abs(measured - table)).toBeLessThan(unit / 2 + 0.001);
  }
  // What the reader thinks comes on top, to each of its answers.
  expect(wireTimes(baud, 3)["card"]! - times["card"]!).toBeCloseTo(6, 1);
});

test("OsdpBus: each reader of a line hears all and answers for itself; one that is cut off is silent", () => {
  const readers = [1, 2, 3].map((address) => readerOf(address, 38_400, {}));
  const panel = new Panel(38_400, ...readers);
  const answers = (address: number): readonly number[] =>
    new Deframer().push(panel.exchange(frameTo(address, 0, 0x60)).heard).map(({ frame }) => frame.address);
  expect([1, 2, 3, 4].map(answers)).toEqual([[1], [2], [3], []]);
  panel.bus.leave(readers[1]!);
  expect([1, 2, 3].map(answers)).toEqual([[1], [], [3]]);
  panel.bus.join(readers[1]!);
  expect(answers(2)).toEqual([2]);
});

test("OsdpBus: two readers with one address cannot be understood", () => {
  const panel = new Panel(9_600, readerOf(1, 9_600, {}), readerOf(1, 9_600, { reply_ms: [5, 5] }));
  const { heard } = panel.exchange(frameTo(1, 0, 0x61, 0));
  expect(heard.length).toBeGreaterThan(40);
  expect(new Deframer().push(heard)).toEqual([]);
});

test("OsdpBus: a reader goes on at another rate after it has said so at the old one, and its outputs at their time", () => {
  const reader = readerOf(1, 9_600, {});
  const panel = new Panel(9_600, reader);
  panel.exchange(frameTo(1, 0, 0x68, 0, 5, 30, 0));
  expect(panel.bus.next).toBeDefined();
  const ends = panel.bus.next!;
  panel.bus.advance(ends);
  expect(reader.device.outputs.on).toEqual([false]);
  expect(panel.bus.next).toBeUndefined();
  panel.now = later(ends, 1);
  const { heard } = panel.exchange(frameTo(1, 1, 0x6e, 1, 0, 0x96, 0, 0));
  expect(new Deframer().push(heard)).toMatchObject([{ frame: { code: 0x54 } }]);
  expect(panel.exchange(frameTo(1, 2, 0x60)).heard).toHaveLength(0);
  const faster = new Panel(38_400, reader);
  faster.now = panel.now;
  expect(new Deframer().push(faster.exchange(frameTo(1, 2, 0x60)).heard)).toHaveLength(1);
});

/** What a host with such an adapter is handed, and when, of a poll that is answered. */
const deliveries = (lumps: number, echoes: boolean): readonly { bytes: number; at: number }[] => {
  const bus = new OsdpBus({ random: seeded(1) });
  bus.join(readerOf(1, 9_600, {}));
  const delivered: { bytes: number; at: number }[] = [];
  const host = new HostEnd({
    baud: 9_600,
    lumps,
    echoes,
    deliver: (bytes, at) => delivered.push({ bytes: bytes.length, at: at - start }),
  });
  bus.connect(host);
  bus.line.say(host, frameTo(1, 0, 0x60), start);
  bus.advance(later(start, 200));
  return delivered;
};

test("HostEnd: hands over in lumps, and hears itself, where its adapter is such a one", () => {
  const smooth = deliveries(0, false);
  expect(smooth.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 9 }, () => 1));
  expect(deliveries(0, true)).toHaveLength(smooth.length + 8);
  const lumpy = deliveries(16, false);
  expect(lumpy.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(9);
  expect(lumpy.length).toBeLessThan(3);
  for (const { at } of lumpy) expect((start + at) % 16).toBe(0);
  expect(lumpy.at(-1)!.at).toBeGreaterThanOrEqual(smooth.at(-1)!.at);
});
